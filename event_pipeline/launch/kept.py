"""A child that is started again whenever it ends, until it is retired: its work must go on without a person."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import structlog

from event_pipeline.background_task import BackgroundTask, TaskStates
from event_pipeline.launch.processes import Child

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 300.0
"""A child that ran for so long is taken to be well: its next end is followed by the shortest pause again."""


log = structlog.get_logger(__name__)


class KeptChild(BackgroundTask):
    """``begin`` starts the child, ``on_end`` hears of each end and of the seconds until the next start.

    Both are called in this thread. A child that cannot be started is tried again.
    """

    def __init__(
        self,
        begin: Callable[[], Child],
        on_end: Callable[[Child, float], None],
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        self._retired = threading.Event()
        super().__init__("kept-child", self._take_turn, TaskStates(), self._retired)
        self._begin, self._on_end = begin, on_end
        self._first_pause = self._pause = first_pause_seconds
        self._starting = threading.Lock()
        self._child: Child | None = None

    def _take_turn(self) -> float:
        """Run the child until it ends; the seconds until it is started again."""
        child = self._next()
        if child is None:
            return 0.0
        began = time.monotonic()
        child.process.wait()
        if self._retired.is_set():
            return 0.0
        if time.monotonic() - began > STEADY_SECONDS:
            self._pause = self._first_pause
        # Random, so that several installations that lost one source do not come back together.
        waits = self._pause * random.uniform(0.75, 1.25)  # noqa: S311 - nothing is secret about it
        self._pause = min(LONGEST_PAUSE_SECONDS, self._pause * 2)
        try:
            self._on_end(child, waits)
        except OSError as error:
            # A terminal that was closed must not keep the child from being started again.
            log.warning("end_not_told", reason=error.strerror)
        return waits

    def retire(self) -> list[Child]:
        """Start it no more; returns the latest child, which may still run, if there was one."""
        with self._starting:
            self._retired.set()
            return [] if self._child is None else [self._child]

    def _next(self) -> Child | None:
        with self._starting:
            if self._retired.is_set():
                return None
            self._child = self._begin()
            return self._child
