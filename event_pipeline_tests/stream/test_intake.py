"""What the commit loop takes and when, and how sources are held back. The clock is the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.settings import Stream
from event_pipeline.sources.change import Change, ChangeBatch
from event_pipeline.stream.intake import MOST_AT_ONCE, Emitted, Intake, StoppingError
from event_pipeline_tests.effort import scaled

NOW = datetime(2025, 6, 8, tzinfo=UTC)
PATIENCE_SECONDS = 30


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def owner(name: str = "inbox") -> Any:
    return SimpleNamespace(name=name)


def batch(name: str, changes: int = 1, payload: str = "{}") -> ChangeBatch:
    ids = [f"{name}-{number}" for number in range(changes)]
    return ChangeBatch.of("inbox", "scans", [Change.upsert("inbox", "scans", key, payload, NOW) for key in ids])


def first_ids(taken: list[Emitted]) -> list[str]:
    return [item.batch.changes["document_id"][0].as_py() for item in taken]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def intake(clock: Clock, **stream: Any) -> Intake:
    return Intake(Stream(**{"batch_milliseconds": 500, "batch_changes": 10, **stream}), clock)


def is_held_back(waiting: Intake, future: Future[None]) -> bool:
    """Whether the putter has come to wait for room; it says so by making what is there due at once."""
    with waiting._changed:
        waiting._changed.wait_for(lambda: waiting._turns or future.done(), PATIENCE_SECONDS)
    return not future.done()


class TestWhen:
    def test_the_first_batch_starts_the_clock(self, clock: Clock) -> None:
        waiting = intake(clock)
        waiting.put(batch("a"), owner())
        clock.now += 0.4
        waiting.put(batch("b"), owner())
        assert waiting.take(0) == []
        clock.now += 0.1
        assert first_ids(waiting.take(0)) == ["a-0", "b-0"]

    def test_enough_changes_are_taken_at_once(self, clock: Clock) -> None:
        waiting = intake(clock)
        waiting.put(batch("a", 6), owner())
        assert waiting.take(0) == []
        waiting.put(batch("b", 4), owner())
        assert first_ids(waiting.take(0)) == ["a-0", "b-0"]

    def test_what_gathered_during_a_long_commit_is_taken_at_once(self, clock: Clock) -> None:
        waiting = intake(clock)
        waiting.put(batch("a"), owner())
        clock.now += 0.5
        taken = waiting.take(0)
        waiting.put(batch("b"), owner())
        clock.now += 2.0
        waiting.settle(taken)
        assert first_ids(waiting.take(0)) == ["b-0"]

    def test_a_taker_that_waits_is_woken_by_enough_changes(self, clock: Clock, pool: ThreadPoolExecutor) -> None:
        waiting = intake(clock)
        taking = pool.submit(waiting.take, PATIENCE_SECONDS)
        waiting.put(batch("a", 10), owner())
        assert first_ids(taking.result(PATIENCE_SECONDS)) == ["a-0"]

    def test_the_time_that_has_passed_is_noticed_without_anything_more_happening(self) -> None:
        waiting = Intake(Stream(batch_milliseconds=10))
        waiting.put(batch("a"), owner())
        assert first_ids(waiting.take(PATIENCE_SECONDS)) == ["a-0"]

    def test_waking_before_and_during_a_take_ends_it(self, clock: Clock, pool: ThreadPoolExecutor) -> None:
        waiting = intake(clock)
        waiting.wake()
        assert waiting.take(PATIENCE_SECONDS) == []
        taking = pool.submit(waiting.take, PATIENCE_SECONDS)
        waiting.wake()
        assert taking.result(PATIENCE_SECONDS) == []

    def test_after_flush_nothing_waits_for_its_time(self, clock: Clock) -> None:
        waiting = intake(clock)
        waiting.put(batch("a"), owner())
        waiting.flush()
        assert first_ids(waiting.take(0)) == ["a-0"]


class TestHowMuch:
    def test_a_burst_is_taken_in_parts(self, clock: Clock) -> None:
        waiting = intake(clock)
        for number in range(30):
            waiting.put(batch(str(number), 10), owner())
        sizes = []
        while waiting.waiting_changes:
            sizes.append(sum(item.changes for item in waiting.take(0)))
        assert sizes == [10 * MOST_AT_ONCE, 100]

    def test_a_batch_larger_than_a_part_is_taken_alone(self, clock: Clock) -> None:
        waiting = intake(clock)
        for name, changes in (("a", 1), ("large", 1_000), ("b", 1)):
            waiting.put(batch(name, changes), owner())
        waiting.flush()
        assert [first_ids(waiting.take(0)) for _ in range(3)] == [["a-0"], ["large-0"], ["b-0"]]

    def test_a_small_source_is_in_the_next_part_however_much_another_brings(self, clock: Clock) -> None:
        waiting = intake(clock)
        for number in range(40):
            waiting.put(batch(f"f{number}", 10), owner("firestore"))
        waiting.put(batch("scan"), owner("inbox"))
        assert "scan-0" in first_ids(waiting.take(0))

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)), max_size=40))
    @settings(deadline=None, max_examples=scaled(50))
    def test_each_source_is_taken_in_its_order_and_whole(self, puts: list[tuple[str, int]]) -> None:
        waiting = intake(Clock(), queue_changes=1_000_000)
        owners = {name: owner(name) for name in "abc"}
        for number, (name, changes) in enumerate(puts):
            given_batch = batch(str(number), changes)
            waiting.put(ChangeBatch(name, "scans", given_batch.changes, {"at": number}), owners[name])
        waiting.flush()
        taken = []
        while part := waiting.take(0):
            assert len(part) == 1 or sum(item.changes for item in part) <= 10 * MOST_AT_ONCE
            waiting.settle(part)
            taken += [(item.batch.source, item.batch.cursors["at"]) for item in part]
        for name in "abc":
            assert [at for source, at in taken if source == name] == [at for at, (s, _) in enumerate(puts) if s == name]
        assert waiting.waiting_changes == 0


class TestHoldingBack:
    def test_a_source_waits_until_what_is_held_is_committed(self, clock: Clock, pool: ThreadPoolExecutor) -> None:
        waiting = intake(clock, queue_changes=10, batch_changes=100)
        waiting.put(batch("a", 8), owner())
        second = pool.submit(waiting.put, batch("b", 3), owner())
        assert is_held_back(waiting, second)
        taken = waiting.take(0)
        assert first_ids(taken) == ["a-0"], "due at once, for a source waits"
        assert is_held_back(waiting, second), "what is being committed takes room too"
        waiting.settle(taken)
        second.result(PATIENCE_SECONDS)

    def test_bytes_count_as_well(self, clock: Clock, pool: ThreadPoolExecutor) -> None:
        waiting = intake(clock, queue_megabytes=1)
        waiting.put(batch("a", 1, "x" * 900_000), owner())
        second = pool.submit(waiting.put, batch("b", 1, "x" * 900_000), owner())
        assert is_held_back(waiting, second)
        waiting.settle(waiting.take(0))
        second.result(PATIENCE_SECONDS)

    def test_a_batch_larger_than_the_bound_is_let_in_alone(self, clock: Clock, pool: ThreadPoolExecutor) -> None:
        waiting = intake(clock, queue_changes=10)
        waiting.put(batch("large", 50), owner())
        second = pool.submit(waiting.put, batch("b"), owner())
        assert is_held_back(waiting, second)
        waiting.settle(waiting.take(0))
        second.result(PATIENCE_SECONDS)

    def test_who_waited_first_is_let_in_first_even_when_a_smaller_one_would_fit(
        self, clock: Clock, pool: ThreadPoolExecutor
    ) -> None:
        waiting = intake(clock, queue_changes=10, batch_changes=100)
        waiting.put(batch("a", 8), owner("firestore"))
        large = pool.submit(waiting.put, batch("b", 9), owner("firestore"))
        assert is_held_back(waiting, large)
        small = pool.submit(waiting.put, batch("scan"), owner("inbox"))
        with waiting._changed:
            assert waiting._changed.wait_for(lambda: len(waiting._turns) == 2, PATIENCE_SECONDS)
        waiting.settle(waiting.take(0))
        large.result(PATIENCE_SECONDS)
        small.result(PATIENCE_SECONDS)
        waiting.flush()
        assert first_ids(waiting.take(0)) == ["b-0", "scan-0"]

    def test_closing_ends_the_wait_and_lets_nothing_more_in(self, clock: Clock, pool: ThreadPoolExecutor) -> None:
        waiting = intake(clock, queue_changes=10)
        waiting.put(batch("a", 10), owner())
        held_back = pool.submit(waiting.put, batch("b"), owner())
        assert is_held_back(waiting, held_back)
        waiting.close()
        with pytest.raises(StoppingError):
            held_back.result(PATIENCE_SECONDS)
        waiting.settle(waiting.take(0))
        with pytest.raises(StoppingError):
            waiting.put(batch("c"), owner())
        assert waiting.take(0) == []


class TestSettling:
    def test_waits_for_what_its_source_has_not_committed(self, clock: Clock, pool: ThreadPoolExecutor) -> None:
        waiting = intake(clock, batch_changes=2)
        waiting.put(batch("a"), owner("firestore"))
        waiting.put(batch("b"), owner("inbox"))
        taken = {item.owner.name: item for item in waiting.take(0)}
        waiting.settle([taken["inbox"]])
        pool.submit(waiting.wait_until_settled, "inbox").result(PATIENCE_SECONDS)
        settled = pool.submit(waiting.wait_until_settled, "firestore")
        with pytest.raises(TimeoutError):
            settled.result(0.05)
        waiting.settle([taken["firestore"]])
        settled.result(PATIENCE_SECONDS)

    def test_nobody_waits_for_it_once_the_worker_stops(self, clock: Clock, pool: ThreadPoolExecutor) -> None:
        waiting = intake(clock)
        waiting.put(batch("a"), owner("firestore"))
        settled = pool.submit(waiting.wait_until_settled, "firestore")
        waiting.flush()
        settled.result(PATIENCE_SECONDS)
