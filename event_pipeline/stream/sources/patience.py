"""Waiting that ends when the worker stops, and opening a client that cannot be opened yet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from event_pipeline.errors import PipelineError, TransientError
from event_pipeline.stream.sources.live_source import LiveReport, LiveSource, Report

T = TypeVar("T")


def sleep_until_stopped(stop: threading.Event) -> Callable[[float], None]:
    """A sleep for retries, which gives up with a TransientError as soon as ``stop`` is set."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise TransientError("the worker is stopping")

    return sleep


def open_patiently(
    source: LiveSource, open_client: Callable[[], T], report: Report, stop: threading.Event, seconds: float
) -> T | None:
    """What ``open_client`` gives, tried again every so many seconds while it fails; None when ``stop`` is set first.

    Each failure is reported as refused for every collection: credentials and addresses mend only by a person.
    """
    while not stop.is_set():
        try:
            return open_client()
        except PipelineError as error:
            for collection in source.collections:
                report(LiveReport(source.name, collection, "refused", str(error), datetime.now(UTC)))
            stop.wait(seconds)
    return None
