"""Keeping to a number of reads a second, whatever the size of a page."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """Sleeps so that no more than ``reads_per_second`` are spent; idle time is not saved up."""

    def __init__(
        self,
        reads_per_second: int,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds_per_read = 1 / reads_per_second
        self._sleep = sleep
        self._clock = clock
        self._free_at = clock()

    def spend(self, reads: int) -> None:
        """Account for reads just made, and wait until the next may start."""
        now = self._clock()
        self._free_at = max(self._free_at, now) + reads * self._seconds_per_read
        if reads:
            self._sleep(self._free_at - now)
