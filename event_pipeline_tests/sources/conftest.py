"""Fixtures of the source tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from event_pipeline.sources.realtime_database import RealtimeDatabaseSource
from event_pipeline_tests.realtime_database_server import RealtimeDatabase, running_realtime_database
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.sources.realtime_organisation import source_of


@pytest.fixture
def lake() -> MemoryLake:
    """An empty lake."""
    return MemoryLake()


@pytest.fixture
def waits() -> list[float]:
    """Seconds that the source under test would have slept."""
    return []


@pytest.fixture
def database() -> Iterator[RealtimeDatabase]:
    """An empty, served Realtime Database."""
    with running_realtime_database() as database:
        yield database


@pytest.fixture
def realtime_source(database: RealtimeDatabase, waits: list[float]) -> Iterator[RealtimeDatabaseSource]:
    """A source that follows the served database in pages of four."""
    source = source_of(database, waits)
    yield source
    source.close()
