"""Fixtures of the models' tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from event_pipeline.models.registry import MODELS
from event_pipeline_tests.models.star import Row, Star, made_marts
from event_pipeline_tests.models.star_rows import AS_OF, MakeMarts
from event_pipeline_tests.models.story import STORY
from event_pipeline_tests.warehouse.fixtures import memory_pipeline, pipeline
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

__all__ = ["marts", "memory_pipeline", "pipeline"]


@pytest.fixture
def marts() -> Iterator[MakeMarts]:
    """Makes every mart of a star given as rows; also proves that each keeps its contract."""
    stars: list[Star] = []

    def make(as_of: datetime = AS_OF, **rows: Any) -> dict[str, list[Row]]:
        stars.append(Star(**rows))
        return made_marts(stars[-1], as_of)

    yield make
    for star in stars:
        star.close()


@pytest.fixture(scope="package")
def told(memory_pipeline: MemoryPipeline) -> dict[str, list[Row]]:
    """Every table of the story."""
    memory_pipeline.clear()
    memory_pipeline.commit(*STORY)
    memory_pipeline.refresh()
    return {name: memory_pipeline.rows(name) for name in MODELS}


@pytest.fixture(scope="session")
def with_validation(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., MemoryPipeline]:
    """An empty pipeline with these validation settings."""
    return lambda **validation: MemoryPipeline(tmp_path_factory.mktemp("validation"), validation=validation)
