"""The worker while it is switched on, and a sign of life while it is switched off."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import structlog

from event_pipeline.background_task import BackgroundTask, TaskStates
from event_pipeline.control.worker_switch import is_worker_on
from event_pipeline.settings import Settings
from event_pipeline.stream.claim import claim_worker
from event_pipeline.stream.heartbeat import Heartbeat, remove_heartbeat, write_heartbeat

log = structlog.get_logger()

LOOK_SECONDS = 0.5
"""How often the switch is looked at."""

_LOOKS_PER_BEAT = 4


class Following(Protocol):
    """What follows the sources, such as a Worker."""

    def run(self) -> bool:
        """Until ``stop``; whether everything that was emitted is committed."""
        ...

    def stop(self) -> None:
        """Ends ``run`` in order; for any thread."""
        ...


class SwitchedWorker:
    """A fresh worker of ``make`` each time it is switched on. ``run`` is for one thread, ``stop`` for any other."""

    def __init__(self, settings: Settings, make: Callable[[], Following], look_seconds: float = LOOK_SECONDS) -> None:
        self._settings, self._make, self._look_seconds = settings, make, look_seconds
        self._stopping, self._changing = threading.Event(), threading.Lock()
        self._worker: Following | None = None

    def run(self) -> bool:
        """Until ``stop``; whether everything that was emitted is committed. Raises what the worker raises."""
        while not self._stopping.is_set():
            if not is_worker_on(self._settings):
                self._stand_by()
            elif not self._follow():
                return False
        return True

    def stop(self) -> None:
        """Ends ``run`` in order."""
        with self._changing:
            self._stopping.set()
            worker = self._worker
        if worker is not None:
            worker.stop()

    def _follow(self) -> bool:
        with self._changing:
            if self._stopping.is_set():
                return True
            worker = self._worker = self._make()
        ended = threading.Event()
        states = getattr(worker, "tasks", None) or TaskStates()
        watch = BackgroundTask("worker-switch", partial(self._look_at_switch, worker, ended), states, ended)
        watch.start()
        try:
            return worker.run()
        finally:
            with self._changing:
                self._worker = None
            ended.set()
            watch.join()

    def _look_at_switch(self, worker: Following, ended: threading.Event) -> float:
        if not is_worker_on(self._settings):
            log.info("worker_switched_off")
            worker.stop()
            ended.set()
        return self._look_seconds

    def _stand_by(self) -> None:
        """Claims the folder as a worker does, so that two that stand by do not start together."""
        started_at, looks = datetime.now(UTC), 0
        with claim_worker(self._settings):
            try:
                while not (is_worker_on(self._settings) or self._stopping.is_set()):
                    if looks % _LOOKS_PER_BEAT == 0:
                        self._beat(Heartbeat(os.getpid(), started_at, datetime.now(UTC), "switched_off"))
                    looks += 1
                    self._stopping.wait(self._look_seconds)
            finally:
                remove_heartbeat(self._settings)

    def _beat(self, heartbeat: Heartbeat) -> None:
        try:
            write_heartbeat(self._settings, heartbeat)
        except OSError as error:
            log.error("heartbeat_not_written", reason=error.strerror, consequence="status takes it for ended")
