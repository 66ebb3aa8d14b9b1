"""A source in a thread of its own, followed anew from what is committed whenever it breaks."""

from __future__ import annotations

import threading

from event_pipeline.background_task import BackgroundTask, TaskStates, in_words
from event_pipeline.errors import TransientError
from event_pipeline.settings import Settings
from event_pipeline.sources.change import ChangeBatch
from event_pipeline.stream.build import PlannedSource
from event_pipeline.stream.intake import Intake
from event_pipeline.stream.known import CommittedVersions, committed_lake
from event_pipeline.stream.register import Register


class FollowedSource(BackgroundTask):
    """Follows until ``stop`` is set. Whatever it raises stops no other source; it is tried again after a wait.

    ``states`` knows it as ``follow-`` and its name: failing from its first break until it has been followed for longer
    than the longest wait, so that one that breaks again and again is told however it reports itself in between.
    """

    def __init__(
        self, settings: Settings, planned: PlannedSource, intake: Intake, register: Register, stop: threading.Event,
        states: TaskStates | None = None,
    ) -> None:  # fmt: skip
        name = f"follow-{planned.name}"
        super().__init__(name, self._take_turn, states or TaskStates(), stop, on_failure=self._tell)
        self._settings, self._planned = settings, planned
        self._intake, self._register, self._stopping = intake, register, stop
        self.has_ended = False

    def run(self) -> None:
        """The thread."""
        try:
            super().run()
        finally:
            self.has_ended = True
            self._intake.wake()

    def _take_turn(self) -> float:
        try:
            self._follow()
        except BaseException:
            # What is cut short because the worker stops is no failure.
            if not self._stopping.is_set():
                raise
        if not self._stopping.is_set():
            raise TransientError("it ended by itself")
        return 0.0

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

    def _tell(self, error: BaseException, _: float) -> None:
        # What a foreign error says may hold an address with a password; it is in the log, where secrets are masked.
        self._register.fail(self._planned.name, f"it broke and is followed anew: {in_words(error)}")
