"""The product makes, by increments and by a rebuild, what the oracle works out from the documents alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline_tests.effort import scaled
from event_pipeline_tests.oracle.beside import Beside
from event_pipeline_tests.oracle.histories import arrivals, histories
from event_pipeline_tests.warehouse.fixtures import memory_pipeline
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

__all__ = ["memory_pipeline"]


@pytest.fixture(scope="module")
def beside(memory_pipeline: MemoryPipeline) -> Beside:
    return Beside(memory_pipeline)


@given(st.data())
@settings(deadline=None, max_examples=scaled(12))
def test_any_history_has_the_figures_that_the_oracle_works_out(beside: Beside, data: st.DataObject) -> None:
    beside.check(data.draw(arrivals(data.draw(histories()))))
