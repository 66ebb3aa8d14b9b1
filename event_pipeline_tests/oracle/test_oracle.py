"""The product makes, by increments and by a rebuild, what the oracle works out from the documents alone."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from event_pipeline_tests.effort import scaled
from event_pipeline_tests.oracle.beside import Beside
from event_pipeline_tests.oracle.histories import arrivals, histories
from event_pipeline_tests.oracle.history import Names
from event_pipeline_tests.oracle.organisations import WRITINGS, Writing
from event_pipeline_tests.oracle.together import Parts, least, together
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

AT_ONCE = 20
"""Histories that are compared in one warehouse."""
TRIES = 60
"""So often the changes of a fault are looked at again for fewer ones that show it."""


def drawn(writing: Writing, count: int) -> list[Parts]:
    """So many histories with ids of their own, each in the parts in which it arrives."""
    found: list[Parts] = []

    @given(st.data())
    @settings(
        deadline=None, max_examples=count, phases=[Phase.generate], database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    def draw(data: st.DataObject) -> None:
        found.append(data.draw(arrivals(data.draw(histories(Names(len(found)), writing)))))

    draw()
    return found


@pytest.mark.timeout(0)
@pytest.mark.hypothesis  # that `make properties` finds it, though its examples are drawn inside
@pytest.mark.parametrize("organisation", WRITINGS)
def test_any_history_has_the_figures_that_the_oracle_works_out(
    organisation: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    writing = WRITINGS[organisation]
    beside = Beside(MemoryPipeline(tmp_path_factory.mktemp("memory"), organisation=writing.settings))
    arrived = drawn(writing, scaled(AT_ONCE))
    for start in range(0, len(arrived), AT_ONCE):
        parts = together(arrived[start : start + AT_ONCE])
        if beside.found(parts):
            beside.check(least(parts, lambda fewer: bool(beside.found(fewer)), TRIES))
