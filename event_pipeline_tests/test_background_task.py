"""A background task goes on whatever its turns raise, and says how it fares."""

from __future__ import annotations

import queue
import threading
from datetime import datetime

import pytest

from event_pipeline.background_task import BackgroundTask, TaskStates, wait_seconds
from event_pipeline.errors import TransientError

_PATIENCE_SECONDS = 60


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("event_pipeline.background_task.FIRST_WAIT_SECONDS", 0.001)


@pytest.mark.parametrize(
    "fault",
    [RuntimeError("a secret"), MemoryError(), OSError(24, "Too many open files"), KeyError(1), SystemExit(3)],
)
def test_whatever_a_turn_raises_the_next_one_comes(fault: BaseException) -> None:
    stop, states, told = threading.Event(), TaskStates(), queue.SimpleQueue[str]()
    turns = iter([fault, fault, None])

    def turn() -> float:
        error = next(turns)
        if error is not None:
            raise error
        stop.set()
        return 0.0

    task = BackgroundTask("task", turn, states, stop, on_failure=lambda *_: told.put(states.state("task").failure))
    task.start()
    task.join(_PATIENCE_SECONDS)
    assert not task.is_alive()
    assert [told.get(), told.get()] == [f"{type(fault).__name__}; the log has the reason"] * 2
    state = states.state("task")
    assert (state.failures, state.failing_since, state.failure) == (2, None, "")
    assert isinstance(state.succeeded_at, datetime)


def test_an_expected_error_is_told_in_its_own_words_and_since_its_first_turn() -> None:
    stop, states, since = threading.Event(), TaskStates(), []

    def turn() -> float:
        since.append(states.state("task").failing_since)
        if len(since) == 3:
            stop.set()
        raise TransientError("the disk is full")

    BackgroundTask("task", turn, states, stop).run()
    assert states.failing()["task"].failure == "the disk is full"
    assert since[0] is None
    assert since[1] == since[2] == states.state("task").failing_since


def test_telling_of_a_failure_may_fail_too() -> None:
    stop, states, turns = threading.Event(), TaskStates(), []

    def turn() -> float:
        turns.append(1)
        if len(turns) == 2:
            stop.set()
            return 0.0
        raise ValueError

    def tell(error: BaseException, seconds: float) -> None:
        raise BrokenPipeError

    BackgroundTask("task", turn, states, stop, on_failure=tell).run()
    assert len(turns) == 2
    assert states.state("task").failing_since is None


def test_waits_double_up_to_half_a_minute() -> None:
    assert [0.5 * 0.001 * 2**n <= wait_seconds(n + 1) <= 0.001 * 2**n for n in range(5)] == [True] * 5
    assert 15 <= wait_seconds(1_000) <= 30
