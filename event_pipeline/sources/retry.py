"""One policy for talking to anything outside: bounded, jittered backoff on transient errors, none on permanent ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity
from tenacity.wait import wait_base

from event_pipeline.errors import TransientError

T = TypeVar("T")

MAX_ATTEMPTS = 6
MAX_WAIT_SECONDS = 60.0


class _WaitAsAsked(wait_base):
    """Jittered exponential backoff, but never sooner than the other side asked (Retry-After)."""

    def __init__(self) -> None:
        self._backoff = tenacity.wait_exponential_jitter(multiplier=0.5, max=MAX_WAIT_SECONDS, jitter=1.0)

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        error = retry_state.outcome.exception() if retry_state.outcome else None
        asked = error.retry_after_seconds if isinstance(error, TransientError) else None
        return min(MAX_WAIT_SECONDS, max(self._backoff(retry_state), asked or 0.0))


def with_retries(
    call: Callable[[], T],
    *,
    attempts: int = MAX_ATTEMPTS,
    sleep: Callable[[float], None] = tenacity.nap.sleep,
) -> T:
    """The result of ``call``, tried again on TransientError; the last one is raised when attempts are used up."""
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        wait=_WaitAsAsked(),
        stop=tenacity.stop_after_attempt(attempts),
        sleep=sleep,
        reraise=True,
    )
    return retrying(call)
