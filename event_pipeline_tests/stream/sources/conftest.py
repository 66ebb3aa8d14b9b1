"""Fixtures of the live source tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from event_pipeline.stream.sources import follower
from event_pipeline_tests.scripted_listen_server import ScriptedListen, scripted_listen_server
from event_pipeline_tests.sources.memory_lake import MemoryLake


@pytest.fixture
def lake() -> MemoryLake:
    """An empty lake."""
    return MemoryLake()


@pytest.fixture
def script() -> Iterator[ScriptedListen]:
    """A served Firestore that does as it is told."""
    with scripted_listen_server() as script:
        yield script


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backoff as it is, a tenth as long."""
    monkeypatch.setattr(follower, "_FIRST_WAIT_SECONDS", 0.05)
