"""Fixtures that run pipelines; a folder's conftest imports those its tests use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from event_pipeline_tests.warehouse.pipelines import MemoryPipeline, Pipeline, real_pipeline


@pytest.fixture(scope="session")
def memory_pipeline(tmp_path_factory: pytest.TempPathFactory) -> MemoryPipeline:
    """One for all tests; ask for ``pipeline``, which empties it first."""
    return MemoryPipeline(tmp_path_factory.mktemp("memory"))


@pytest.fixture
def pipeline(memory_pipeline: MemoryPipeline) -> MemoryPipeline:
    """An empty pipeline in memory, with the settings as they come."""
    memory_pipeline.clear()
    return memory_pipeline


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Pipeline]:
    """An empty pipeline as it runs."""
    with real_pipeline(tmp_path) as opened:
        yield opened
