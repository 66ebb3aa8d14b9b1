"""One real Dagster for all control tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from event_pipeline.control import DagsterControl
from event_pipeline_tests.control.live import LiveDagster, dagster

__all__ = ["control", "dagster"]


@pytest.fixture
def control(dagster: LiveDagster) -> Iterator[DagsterControl]:
    with DagsterControl(dagster.url) as handle:
        yield handle
