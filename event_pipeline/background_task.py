"""Work that repeats in a thread of its own: what it raises is logged, counted, and tried again after a wait."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from event_pipeline.errors import PipelineError

FIRST_WAIT_SECONDS = 0.5
MOST_WAIT_SECONDS = 30.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TaskState:
    """How a task fares. ``failures`` counts turns that failed since the process started.

    ``failing_since`` and ``failure`` are set while the latest turn failed.
    """

    succeeded_at: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    failure: str = ""


class TaskStates:
    """How the background tasks of one process fare, by name. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, TaskState] = {}

    def succeeded(self, name: str) -> None:
        """A turn of the task ended well."""
        with self._lock:
            failures = self._states.get(name, TaskState()).failures
            self._states[name] = TaskState(datetime.now(UTC), failures)

    def failed(self, name: str, failure: str) -> None:
        """A turn of the task failed, for that reason, which people may read."""
        with self._lock:
            known = self._states.get(name, TaskState())
            since = known.failing_since or datetime.now(UTC)
            self._states[name] = replace(known, failures=known.failures + 1, failing_since=since, failure=failure)

    def state(self, name: str) -> TaskState:
        """Of that task; of one that has not had a turn yet nothing is known."""
        with self._lock:
            return self._states.get(name, TaskState())

    def all(self) -> dict[str, TaskState]:
        """Every task that has had a turn."""
        with self._lock:
            return dict(self._states)

    def failing(self) -> dict[str, TaskState]:
        """Those whose latest turn failed."""
        return {name: state for name, state in self.all().items() if state.failing_since is not None}


class BackgroundTask(threading.Thread):
    """Calls ``turn`` until ``stop`` is set; it returns the seconds to wait before the next one.

    Whatever a turn raises ends only that turn: the next comes after a wait that doubles with each failure in a row.
    Errors of the ``expected`` types are logged in one line, others with their traceback. ``on_failure`` hears of each
    error and of the wait, in this thread. Only the main thread is ended by what is no ``Exception``, such as Ctrl-C.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], float],
        states: TaskStates,
        stop: threading.Event,
        *,
        expected: Collection[type[Exception]] = (PipelineError,),
        on_failure: Callable[[BaseException, float], None] | None = None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._turn, self._states, self._stop_asked = turn, states, stop
        self._expected, self._on_failure = tuple(expected), on_failure
        self._failures = 0
        self._began: float | None = None

    def run(self) -> None:
        """The thread; may also be called by a thread that is there already."""
        while not self._stop_asked.is_set():
            self._began = began = time.monotonic()
            try:
                wait = self._turn()
            except BaseException as error:
                # Any error may be passing, and nobody else would try again.
                self._began = None
                if not isinstance(error, Exception) and threading.current_thread() is threading.main_thread():
                    raise
                if time.monotonic() - began > MOST_WAIT_SECONDS:
                    self._failures = 0
                wait = self._failed(error)
            else:
                self._failures = 0
                self._states.succeeded(self.name)
            if wait > 0:
                self._stop_asked.wait(wait)

    def note_lasting(self) -> None:
        """For work whose turns have no end: one that has gone on for longer than the longest wait counts as well."""
        began = self._began
        if began is not None and time.monotonic() - began > MOST_WAIT_SECONDS:
            self._states.succeeded(self.name)

    def _failed(self, error: BaseException) -> float:
        self._failures += 1
        wait = wait_seconds(self._failures)
        self._states.failed(self.name, in_words(error, self._expected))
        for tell in (self._log, self._on_failure):
            try:
                if tell is not None:
                    tell(error, wait)
            except Exception as also:  # noqa: BLE001 - where memory or files run out, telling may fail too
                why = f"{in_words(error, self._expected)} ({type(also).__name__} in telling so)"
                self._states.failed(self.name, why)
        return wait

    def _log(self, error: BaseException, wait: float) -> None:
        log.error(
            "background_task_failed", task=self.name, reason=in_words(error, self._expected),
            exc_info=None if isinstance(error, self._expected) else error, failures=self._failures,
            retry_seconds=round(wait, 1),
        )  # fmt: skip


def wait_seconds(failures: int) -> float:
    """Before the next try after so many failures in a row: doubling up to half a minute, with chance in it."""
    longest = min(MOST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(failures - 1, 20))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - nothing is secret about it


def in_words(error: BaseException, expected: Collection[type[Exception]] = (PipelineError,)) -> str:
    """The reason for people: an expected error's own words; of another its type, as its text may hold a secret."""
    return str(error) if isinstance(error, tuple(expected)) else f"{type(error).__name__}; the log has the reason"
