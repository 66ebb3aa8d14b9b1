"""A child that is started again whenever it ends, until it is retired: its work must go on without a person."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from event_pipeline.launch.processes import Child

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
STEADY_SECONDS = 300.0
"""A child that ran for so long is taken to be well: its next end is followed by the shortest pause again."""


class KeptChild(threading.Thread):
    """``begin`` starts the child, ``on_end`` hears of each end and of the seconds until the next start.

    Both are called in this thread.
    """

    def __init__(
        self,
        begin: Callable[[], Child],
        on_end: Callable[[Child, float], None],
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
    ) -> None:
        super().__init__(name="kept-child", daemon=True)
        self._begin, self._on_end, self._first_pause = begin, on_end, first_pause_seconds
        self._starting = threading.Lock()
        self._retired = threading.Event()
        self._child: Child | None = None

    def run(self) -> None:
        """Until retired."""
        pause = self._first_pause
        while (child := self._next()) is not None:
            began = time.monotonic()
            child.process.wait()
            if self._retired.is_set():
                return
            if time.monotonic() - began > STEADY_SECONDS:
                pause = self._first_pause
            # Random, so that several installations that lost one source do not come back together.
            waits = pause * random.uniform(0.75, 1.25)  # noqa: S311 - nothing is secret about it
            self._on_end(child, waits)
            self._retired.wait(waits)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)

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
