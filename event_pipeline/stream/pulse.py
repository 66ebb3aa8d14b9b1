"""Writes the heartbeat, for as long as the commit loop makes progress."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from event_pipeline.background_task import BackgroundTask, TaskStates
from event_pipeline.increments.rebuild import marker
from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import Heartbeat, Phase, remove_heartbeat, write_heartbeat

log = structlog.get_logger()

STUCK_SECONDS = 120.0
"""A commit that takes longer than this is taken to hang, and the sensors take over."""

REBUILD_SECONDS = 3_600.0
"""The same while tables are made or rebuilt: an hour is enough for tens of millions of rows."""

_NOTICED_SECONDS = 5.0
_BEATS_PER_LIFE = 5


class Pulse(BackgroundTask):
    """``describe`` makes the heartbeat of an instant and a phase; it is called in this thread."""

    def __init__(
        self, settings: Settings, describe: Callable[[datetime, Phase], Heartbeat],
        clock: Callable[[], float] = time.monotonic, states: TaskStates | None = None,
    ) -> None:  # fmt: skip
        self._ended = threading.Event()
        super().__init__("heartbeat", self._take_turn, states or TaskStates(), self._ended)
        self._settings, self._describe, self._clock = settings, describe, clock
        self._phase: Phase = "starting"
        self._progress_at = clock()
        self._said = ""

    def progress(self, phase: Phase) -> None:
        """The commit loop's word that it goes on."""
        self._phase, self._progress_at = phase, self._clock()

    def _take_turn(self) -> float:
        self.beat()
        return self._settings.stream.heartbeat_seconds / _BEATS_PER_LIFE

    def beat(self) -> None:
        """Writes one, unless the commit loop hangs; what keeps it from being written is logged once."""
        busy = self._clock() - self._progress_at
        phase = self._phase
        if phase == "following" and busy > _NOTICED_SECONDS and marker(self._settings).exists():
            phase = "rebuilding"
        if busy > (STUCK_SECONDS if phase in ("following", "stopping") else REBUILD_SECONDS):
            self._say("worker_stuck", seconds=round(busy), consequence="sensors take over until it goes on")
            return
        try:
            write_heartbeat(self._settings, self._describe(datetime.now(UTC), phase))
        except OSError as error:
            self._say("heartbeat_not_written", reason=error.strerror, consequence="sensors take over")
            return
        self._said = ""

    def end(self) -> None:
        """Stops, and takes the heartbeat away."""
        self._ended.set()
        if self.is_alive():
            self.join()
        try:
            remove_heartbeat(self._settings)
        except OSError as error:
            log.warning("heartbeat_not_removed", reason=error.strerror)

    def _say(self, what: str, **details: object) -> None:
        if self._said != what:
            self._said = what
            log.error(what, **details)
