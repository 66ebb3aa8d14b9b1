"""How many requests a key may make: a token bucket each, in this process's memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after a request; ``retry_after_seconds`` is 0 when it was allowed."""

    limit: int
    remaining: int
    reset_seconds: int
    retry_after_seconds: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """As the RateLimit headers have it."""
        said = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
        }
        return said | ({"Retry-After": str(self.retry_after_seconds)} if self.retry_after_seconds else {})


class RateLimiter:
    """A bucket holds a minute's requests and fills evenly; ``clock`` gives seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str, per_minute: int) -> Allowance:
        """Take one request from the key's bucket."""
        with self._lock:
            now = self._clock()
            tokens, at = self._buckets.get(key_id, (float(per_minute), now))
            tokens = min(float(per_minute), tokens + (now - at) * per_minute / 60)
            is_allowed = tokens >= 1
            tokens -= is_allowed
            self._buckets[key_id] = tokens, now
        reset = ceil((per_minute - tokens) * 60 / per_minute)
        wait = 0 if is_allowed else max(1, ceil((1 - tokens) * 60 / per_minute))
        return Allowance(per_minute, int(tokens), reset, wait)
