"""Looks that cost something, kept for a few seconds: pages and everyone's updates share them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The latest look, taken again once it is older than so many seconds; two that ask at once share one."""

    def __init__(self, look: Callable[[], T], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._look, self._seconds, self._clock = look, seconds, clock
        self._lock = threading.Lock()
        self._found: tuple[float, T] | None = None

    def get(self) -> T:
        """What was seen. What the look raises is raised, and not kept."""
        with self._lock:
            if self._found is None or self._clock() - self._found[0] >= self._seconds:
                found = self._look()
                self._found = self._clock(), found
            return self._found[1]

    def forget(self) -> None:
        """Look again next time."""
        with self._lock:
            self._found = None
