"""Stopping a worker by signals: the first asks, the second ends at once, and so does the end of patience."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger()

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that ask; under ``nohup``, where SIGHUP is ignored, it stays so."""

AT_ONCE = 130
TOO_LATE = 1


@contextmanager
def stopped_by_signals(stop: Callable[[], None], patience_seconds: float) -> Iterator[None]:
    """While the block runs, a signal calls ``stop`` in a thread of its own; for the main thread.

    A second one ends the process with 130, patience that runs out with 1: what is committed is whole either way. A
    handler in the main thread could do neither while that is inside a query, nor take a lock that it holds.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    watcher = threading.Thread(target=_watch, args=(reading, stop, patience_seconds), name="signals", daemon=True)
    before = {number: signal.signal(number, _noted) for number in SIGNALS if not _is_ignored_hangup(number)}
    wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    watcher.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(writing)
        watcher.join()
        os.close(reading)


def _is_ignored_hangup(number: int) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


def _noted(number: int, frame: object) -> None:
    """The wake-up descriptor has told the watcher already."""


def _watch(reading: int, stop: Callable[[], None], patience_seconds: float) -> None:
    is_stopping = False
    while numbers := os.read(reading, 16):
        for number in numbers:
            if number not in SIGNALS:
                continue
            if is_stopping:
                os._exit(AT_ONCE)
            is_stopping = True
            overdue = threading.Timer(patience_seconds, _end)
            overdue.daemon = True
            overdue.start()
            try:
                stop()
            except Exception:
                # The next signal and the end of patience still end the process.
                log.exception("worker_not_asked_to_stop")


def _end() -> None:
    log.error("worker_ended", reason="it could not stop in time", consequence="it goes on from what is committed")
    os._exit(TOO_LATE)
