"""Changes may arrive late, repeated, in any order and in any batches: the warehouse is the same to the last value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.sources.change import Change
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.models.story import STORY
from event_pipeline_tests.warehouse.documents import (
    changed,
    email_event,
    event,
    payment_event,
    qr_code,
    registration,
    scan,
    sheet_row,
)
from event_pipeline_tests.warehouse.fixtures import memory_pipeline
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

__all__ = ["memory_pipeline"]

ATTENDED = {"status": "attended", "attendance_status": "attended", "attendance_timestamp": "2025-06-08T04:50:00Z"}

EDITS: list[Change] = [
    changed("events", "e1", event(title="Robo Wars 2025, moved", start_date="2025-06-09T04:30:00.000Z"), after=10),
    changed("events", "e2", None, after=20),
    changed("events", "e3", None, after=20),
    changed("events", "e3", event(title="Back again"), after=30),
    changed("events", "e1", event(), source="export"),
    changed("clubs", "c1", None, after=5),
    changed("clubs", "c1", {"name": "Robotics and more"}, after=5),
    changed("tags", "t2", None, after=50),
    changed("registrations", "twice-a", registration("twice", **ATTENDED), after=60),
    changed("registrations", "twice-a", registration("twice"), after=120),
    changed("registrations", "twice-a", registration("twice", team_name="Bolts"), after=180),
    changed("registrations", "twice-b", registration("twice", status="cancelled"), after=60),
    changed("registrations", "same-a", None, after=60),
    changed("registrations", "same-a", registration("same"), after=60),
    changed(
        "registrations", "bad", registration("quarantined", payment_amount=150, payment_status="verified"), after=9
    ),
    changed("registrations", "paid", registration("paid", payment_amount="a lot"), after=9),
    changed("registrations", "dangling", registration("dangling"), source="realtime_database"),
    changed("registrations", "dangling", registration("dangling", event_id="e2"), source="export"),
    changed("sheet_rows", "s/walk-in", sheet_row("walk-in", attendance_status="attended", notes="paid"), after=70),
    changed("sheet_rows", "s/noted", None, after=70),
    changed("email_events", "m2", email_event(None, "only-mailed", event="delivered"), after=1),
    changed("payment_events", "p1", payment_event("paid", "refunded", 100), after=1),
    changed("scans", "s2", scan(qr_code("twice-b", "twice"), "2025-06-08T04:39:00.000Z")),
    changed("unreadable", "scans.ndjson:7:ab", "half a lin", source="inbox"),
]
HISTORY = [*STORY, *EDITS]


def arrive(pipeline: MemoryPipeline, parts: Sequence[Sequence[Change]]) -> dict[str, str]:
    """What the warehouse is once these parts were committed one after the other."""
    pipeline.clear()
    for part in parts:
        # One commit takes changes of one collection; within it they stay as they came.
        pipeline.commit(*sorted(part, key=lambda change: (change.source, change.collection)))
    pipeline.refresh()
    return pipeline.content_hashes()


@st.composite
def arrivals(draw: st.DrawFn, history: Sequence[Change]) -> list[list[Change]]:
    """The changes in any order, some twice or more, in up to six parts."""
    again = draw(st.lists(st.sampled_from(history), max_size=len(history)))
    shuffled = draw(st.permutations([*history, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=5)))
    return [list(shuffled[start:end]) for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]


@pytest.fixture(scope="module")
def in_order(memory_pipeline: MemoryPipeline) -> dict[str, str]:
    """The warehouse of the history as it happened, one change a commit."""
    happened = sorted(HISTORY, key=lambda change: change.version)
    hashes = arrive(memory_pipeline, [[change] for change in happened])
    assert hashes[QUARANTINE.name] != "0 rows, None"
    assert not [name for name, found in hashes.items() if name.startswith("core.") and found.startswith("0 rows")]
    return hashes


@given(arrivals(HISTORY))
@settings(deadline=None, max_examples=scaled(5))
def test_a_history_makes_one_warehouse_in_whatever_order_it_arrives(
    memory_pipeline: MemoryPipeline, in_order: dict[str, str], parts: list[list[Change]]
) -> None:
    assert arrive(memory_pipeline, parts) == in_order


def test_a_history_read_backwards_makes_the_same_warehouse(
    memory_pipeline: MemoryPipeline, in_order: dict[str, str]
) -> None:
    assert arrive(memory_pipeline, [sorted(HISTORY, key=lambda change: change.version, reverse=True)]) == in_order


def test_what_is_made_between_arrivals_leaves_no_trace(
    memory_pipeline: MemoryPipeline, in_order: dict[str, str]
) -> None:
    memory_pipeline.clear()
    for part in (HISTORY[::-3], HISTORY[1::2], HISTORY):
        memory_pipeline.commit(*sorted(part, key=lambda change: (change.source, change.collection)))
        memory_pipeline.refresh()
    assert memory_pipeline.content_hashes() == in_order


def test_a_change_that_is_lost_makes_another_warehouse(
    memory_pipeline: MemoryPipeline, in_order: dict[str, str]
) -> None:
    deleted = next(change for change in EDITS if change.document_id == "e2")
    hashes = arrive(memory_pipeline, [[change for change in HISTORY if change is not deleted]])
    differing = {name for name, found in hashes.items() if found != in_order[name]}
    assert {"raw.firebase_events", "staging.events", "core.dim_events", "core.fact_registrations"} <= differing


people = st.sampled_from(["asha", "ravi"])
events = st.sampled_from(["e1", "e2", "e-gone"])
attended = st.sampled_from([{}, ATTENDED, {"status": "cancelled"}, {"status": "maybe"}, {"payment_status": "verified"}])


def documents() -> Iterator[tuple[str, str, st.SearchStrategy[Any]]]:
    """Collection, id and possible contents of a very small organisation's documents."""
    for event_id in ("e1", "e2"):
        yield "events", event_id, st.builds(event, start_date=st.sampled_from([None, "2025-06-08T04:30:00Z", "soon"]))
    for number in range(3):
        yield "registrations", f"r{number}", st.builds(
            lambda person, event_id, more: registration(person, event_id=event_id, payment_amount=100, **more),
            people, events, attended,
        )  # fmt: skip
    for person in ("asha", "mina"):
        marks = st.sampled_from(["attended", "N/A", "not_attended"])
        yield "sheet_rows", f"s/{person}", st.builds(sheet_row, st.just(person), attendance_status=marks)
    for number in range(2):
        code = st.builds(qr_code, st.sampled_from(["r0", "r1", "r9"]), people, events)
        yield (
            "scans",
            f"s{number}",
            st.builds(scan, code, st.sampled_from(["2025-06-08T05:00:00Z", "2025-06-21T05:00:00Z"])),
        )
    statuses = st.sampled_from(["pending", "succeeded", "refunded"])
    yield "payment_events", "p1", st.builds(payment_event, st.sampled_from(["r0", "r1"]), statuses)


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """Each document in up to three states or deletes, at instants that coincide now and then."""
    history = []
    for collection, document_id, contents in documents():
        states = draw(st.lists(st.tuples(st.integers(0, 3), st.none() | contents), max_size=3))
        history += [changed(collection, document_id, document, after=after) for after, document in states]
    return history or [changed("events", "e1", event())]


@given(st.data())
@settings(deadline=None, max_examples=scaled(4))
def test_any_history_makes_one_warehouse(memory_pipeline: MemoryPipeline, data: st.DataObject) -> None:
    history = data.draw(histories())
    expected = arrive(memory_pipeline, [history])
    assert arrive(memory_pipeline, data.draw(arrivals(history))) == expected
