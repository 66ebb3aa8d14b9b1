"""Whatever the history and however it is cut into batches, increments make the tables that a rebuild makes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.increments.keys import literal
from event_pipeline.increments.registry import INCREMENTS
from event_pipeline.increments.stage import Stage
from event_pipeline.models.registry import MODELS
from event_pipeline.sources.change import Change
from event_pipeline.warehouse.compiled_models import Compiler
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.warehouse.fixtures import memory_pipeline
from event_pipeline_tests.warehouse.pipelines import AS_OF, Contents, MemoryPipeline, batched
from event_pipeline_tests.warehouse.test_order_of_arrival import HISTORY, arrivals, histories

__all__ = ["memory_pipeline"]


@pytest.fixture(scope="module")
def compiler(memory_pipeline: MemoryPipeline) -> Compiler:
    return Compiler(memory_pipeline.backend, memory_pipeline.settings, "views")


def append(pipeline: MemoryPipeline, part: Sequence[Change]) -> dict[str, set[str]]:
    """Commits the changes; returns the documents by raw table that gained a version."""
    gained: dict[str, set[str]] = {}
    for batch in batched(sorted(part, key=lambda change: (change.source, change.collection))):
        if pipeline.lake._append(RAW_TABLES[batch.collection], batch.changes, AS_OF):
            ids = gained.setdefault(RAW_TABLES[batch.collection].name, set())
            ids.update(batch.changes["document_id"].to_pylist())
    return gained


def apply(pipeline: MemoryPipeline, compiler: Compiler, gained: dict[str, set[str]]) -> None:
    """Both stages in one go: nothing of this needs the lake's change feed."""
    stage = Stage(pipeline.connection, compiler, AS_OF, AS_OF)
    for name, ids in gained.items():
        listed = ", ".join(literal(key) for key in sorted(ids))
        stage.add_delta(name, f"SELECT unnest([{listed}]) AS document_id, true AS _is_added")
    stage.apply("lake")
    stage.apply("warehouse")
    stage.close()


def differences(pipeline: MemoryPipeline) -> dict[str, tuple[list[object], list[object]]]:
    """By table: rows that only the increments made, and rows that only the rebuild makes."""
    by_increments = pipeline.contents()
    pipeline.refresh()
    by_rebuild: Contents = pipeline.contents()
    return {
        name: (
            [row for row in by_increments[name] if row not in by_rebuild[name]],
            [row for row in by_rebuild[name] if row not in by_increments[name]],
        )
        for name in by_rebuild
        if by_increments[name] != by_rebuild[name]
    }


def test_every_model_says_how_each_of_its_inputs_touches_it() -> None:
    assert INCREMENTS.keys() == MODELS.keys()
    for name, model in MODELS.items():
        assert set(INCREMENTS[name].inputs) == set(model.inputs), name


def test_models_that_depend_on_what_has_started_say_what_starting_touches() -> None:
    for name, model in MODELS.items():
        assert bool(INCREMENTS[name].starts) == ("as_of" in model.parameters), name


@given(arrivals(HISTORY))
@settings(deadline=None, max_examples=scaled(2))
def test_increments_make_what_a_rebuild_makes(
    memory_pipeline: MemoryPipeline, compiler: Compiler, parts: list[list[Change]]
) -> None:
    memory_pipeline.clear()
    memory_pipeline.refresh()
    for part in parts:
        apply(memory_pipeline, compiler, append(memory_pipeline, part))
    assert differences(memory_pipeline) == {}


@given(st.data())
@settings(deadline=None, max_examples=scaled(3))
def test_increments_of_any_history_make_what_a_rebuild_makes(
    memory_pipeline: MemoryPipeline, compiler: Compiler, data: st.DataObject
) -> None:
    memory_pipeline.clear()
    memory_pipeline.refresh()
    for part in data.draw(arrivals(data.draw(histories()))):
        apply(memory_pipeline, compiler, append(memory_pipeline, part))
    assert differences(memory_pipeline) == {}


@given(st.permutations(HISTORY))
@settings(deadline=None, max_examples=scaled(1))
def test_each_single_change_leaves_what_a_rebuild_would_make(
    memory_pipeline: MemoryPipeline, compiler: Compiler, history: list[Change]
) -> None:
    memory_pipeline.clear()
    memory_pipeline.refresh()
    for index, change in enumerate(history):
        apply(memory_pipeline, compiler, append(memory_pipeline, [change]))
        if index % 20 == 0 or index == len(history) - 1:
            assert differences(memory_pipeline) == {}, change
