"""Where connections put what they receive and the following thread takes it, bounded by bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

CAPACITY_BYTES = 16 * 1024 * 1024


class Mailbox(Generic[T]):
    """First in, first out. One item may be larger than the capacity: it then waits until it is alone."""

    def __init__(self, capacity: int = CAPACITY_BYTES) -> None:
        self._capacity = capacity
        self._items: deque[tuple[T, int]] = deque()
        self._size = 0
        self._is_woken = False
        self._changed = threading.Condition()

    def put(self, item: T, size: int, is_abandoned: Callable[[], bool]) -> bool:
        """Adds an item when there is room; False when it was abandoned before (``wake`` makes every putter look)."""
        with self._changed:
            self._changed.wait_for(
                lambda: is_abandoned() or not self._items or self._size + size <= self._capacity,
            )
            if is_abandoned():
                return False
            self._items.append((item, size))
            self._size += size
            self._changed.notify_all()
            return True

    def get(self, timeout: float | None) -> T | None:
        """The next item; None after so many seconds, or after ``wake``."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._is_woken, timeout)
            self._is_woken = False
            if not self._items:
                return None
            item, size = self._items.popleft()
            self._size -= size
            self._changed.notify_all()
            return item

    def wake(self) -> None:
        """Lets whoever waits look again."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._items
