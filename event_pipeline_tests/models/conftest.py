"""Fixtures of the models' tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from event_pipeline_tests.models.star import Row, Star, made_marts
from event_pipeline_tests.models.star_rows import AS_OF, MakeMarts


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
