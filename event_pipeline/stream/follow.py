"""A source in a thread of its own, followed anew from what is committed whenever it breaks."""

from __future__ import annotations

import threading
import time

import structlog

from event_pipeline.errors import PipelineError
from event_pipeline.settings import Settings
from event_pipeline.sources.change import ChangeBatch
from event_pipeline.sources.retry import MAX_WAIT_SECONDS
from event_pipeline.stream.build import PlannedSource
from event_pipeline.stream.intake import Intake
from event_pipeline.stream.known import CommittedVersions, committed_lake
from event_pipeline.stream.register import Register
from event_pipeline.stream.sources.follower import backoff_seconds

log = structlog.get_logger()


class FollowedSource(threading.Thread):
    """Follows until ``stop`` is set. Whatever it raises stops no other source; it is tried again after a wait."""

    def __init__(
        self, settings: Settings, planned: PlannedSource, intake: Intake, register: Register, stop: threading.Event
    ) -> None:
        super().__init__(name=f"follow-{planned.name}", daemon=True)
        self._settings, self._planned = settings, planned
        self._intake, self._register, self._stopping = intake, register, stop
        self.has_ended = False

    def run(self) -> None:
        """The thread."""
        attempts = 0
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                try:
                    self._follow()
                    failure: Exception = RuntimeError("it ended by itself")
                except Exception as error:  # noqa: BLE001 - a defect of one source must not stop the others
                    failure = error
                if self._stopping.is_set():
                    return
                attempts = 1 if time.monotonic() - began > MAX_WAIT_SECONDS else attempts + 1
                self._wait(failure, backoff_seconds(attempts))
        finally:
            self.has_ended = True
            self._intake.wake()

    def _follow(self) -> None:
        """From the committed cursors, once nothing that was emitted before is on its way any more."""
        name = self._planned.name
        self._intake.wait_until_settled(name)
        if self._stopping.is_set():
            return
        with committed_lake(self._settings) as lake:
            source = self._planned.make(lake)

            def emit(batch: ChangeBatch) -> None:
                if batch.changes.num_rows:
                    self._register.saw_change(name)
                self._intake.put(batch, source)

            known = CommittedVersions(lake.connection, name)
            source.follow(lake.cursors(name), known, emit, self._register.report, self._stopping)

    def _wait(self, failure: Exception, seconds: float) -> None:
        log.error(
            "source_broke", source=self._planned.name, exc_info=failure, retry_seconds=round(seconds, 1),
            consequence="it is followed anew from what is committed",
        )  # fmt: skip
        # What a foreign error says may hold an address with a password; it is in the log, where secrets are masked.
        why = (
            str(failure) if isinstance(failure, PipelineError) else f"({type(failure).__name__}); see the worker's log"
        )
        self._register.fail(self._planned.name, f"it broke and is followed anew: {why}")
        self._stopping.wait(seconds)
