"""Evaluating and delivering until stopped: by one process for a data folder, whichever came first."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import structlog

from event_pipeline.alerts.dagster import ask_dagster
from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.delivery.courier import Courier
from event_pipeline.alerts.evaluator import Evaluator
from event_pipeline.alerts.signs import AskWorker
from event_pipeline.alerts.watchdog import Watchdog
from event_pipeline.background_task import BackgroundTask, TaskStates
from event_pipeline.settings import Settings

_DELIVER_SECONDS = 1.0

log = structlog.get_logger(__name__)


@contextmanager
def claim(settings: Settings) -> Iterator[bool]:
    """Whether this process is the one that evaluates while the block runs; the system gives the claim back."""
    folder = settings.data_dir / "alerts"
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "evaluator.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


class AlertWatch:
    """The loop; it waits in reserve while another process evaluates."""

    def __init__(self, settings: Settings, ask_worker: AskWorker, tasks: TaskStates | None = None) -> None:
        """``tasks`` are the background tasks of this process, which rules look at too."""
        self._settings, self._ask_worker = settings, ask_worker
        self._tasks = tasks or TaskStates()
        self._stop = threading.Event()

    def run(self) -> None:
        """Until stopped."""
        BackgroundTask("alerts", self._turn, self._tasks, self._stop).run()

    def _turn(self) -> float:
        pause = self._settings.alerts.evaluate_seconds
        with claim(self._settings) as is_ours:
            if is_ours:
                log.info("alerts_evaluated_here", every_seconds=pause)
                self._watch()
        return pause

    def stop(self) -> None:
        """Ask it to end; what is being delivered is delivered."""
        self._stop.set()

    def _watch(self) -> None:
        settings = self._settings
        with closing(AlertDatabase(settings)) as database:
            courier, watchdog = Courier(settings, database), Watchdog(settings, database)
            evaluator = Evaluator(
                settings, database, self._ask_worker, lambda: ask_dagster(settings), tasks=self._tasks.all
            )

            def deliver() -> float:
                courier.deliver()
                watchdog.beat(datetime.now(UTC))
                return _DELIVER_SECONDS

            def evaluate() -> float:
                began = time.monotonic()
                evaluator.evaluate()
                return max(0.0, settings.alerts.evaluate_seconds - (time.monotonic() - began))

            delivering = BackgroundTask("alert-delivery", deliver, self._tasks, self._stop)
            delivering.start()
            try:
                with closing(evaluator):
                    BackgroundTask("alert-evaluation", evaluate, self._tasks, self._stop).run()
            finally:
                delivering.join()


@contextmanager
def watching(settings: Settings, ask_worker: AskWorker, tasks: TaskStates | None = None) -> Iterator[None]:
    """Evaluate in a thread beside the block, where the settings want that; ``tasks`` as of ``AlertWatch``."""
    if not settings.alerts.is_enabled:
        yield
        return
    watch = AlertWatch(settings, ask_worker, tasks)
    thread = threading.Thread(target=watch.run, name="alerts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watch.stop()
        thread.join(settings.api.query_seconds)
