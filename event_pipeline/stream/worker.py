"""The stream worker: takes what live sources emit, commits it, tells them, and says how it fares."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog

from event_pipeline.background_task import TaskStates
from event_pipeline.control.materializations import TableChange
from event_pipeline.settings import Settings
from event_pipeline.stream.build import PlannedSource, plan_sources
from event_pipeline.stream.claim import claim_worker
from event_pipeline.stream.committing import Committing, GaveUpError, OpenCommits, open_committer
from event_pipeline.stream.figures import lag_seconds, table_changes, totals
from event_pipeline.stream.follow import FollowedSource
from event_pipeline.stream.heartbeat import Heartbeat, Phase
from event_pipeline.stream.housekeeping import Housekeeping
from event_pipeline.stream.intake import Emitted, Intake
from event_pipeline.stream.pulse import Pulse
from event_pipeline.stream.register import Register

log = structlog.get_logger()

DRAIN_SECONDS = 15.0
"""How long a worker that is told to stop may take to commit what it holds."""


class Reporter(Protocol):
    """Who is told what batches did to tables, such as Dagster."""

    def start(self) -> None:
        """Before the first batch."""
        ...

    def note(self, changes: Sequence[TableChange], lag_seconds: float | None) -> None:
        """A batch is committed, and this is what it did to tables; must not wait."""
        ...

    def end(self) -> None:
        """After the last batch."""
        ...


class Worker:
    """Follows sources until it is told to stop: those of the settings, unless a caller names others in ``planned``.

    ``run`` is for one thread, ``stop`` for any other, but not for signal handlers.
    """

    def __init__(
        self, settings: Settings, planned: Sequence[PlannedSource] | None = None, *,
        open_commits: OpenCommits = open_committer, reporter: Reporter | None = None,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:  # fmt: skip
        self._settings, self._reporter, self._drain_seconds = settings, reporter, drain_seconds
        self._planned = plan_sources(settings) if planned is None else planned
        self._stopping, self._given_up = threading.Event(), threading.Event()
        self._intake = Intake(settings.stream)
        self._register = Register(self._intake.wake)
        self._committing = Committing(settings, open_commits, self._stopping, self._given_up)
        self.tasks = getattr(reporter, "tasks", None) or TaskStates()
        self._pulse = Pulse(settings, self._describe, states=self.tasks)
        self._duties = Housekeeping(settings)
        self._started_at = datetime.now(UTC)
        self._batches = self._rows = 0
        self._lag: float | None = None
        self._followed: Sequence[FollowedSource] = ()

    def run(self) -> bool:
        """Follows until ``stop``; whether everything that was emitted is committed.

        Raises AlreadyFollowingError when another worker follows this data folder, and what keeps it from starting.
        """
        with claim_worker(self._settings):
            for source in self._planned:
                self._register.expect(source.name, source.collections)
            self._pulse.start()
            if self._reporter is not None:
                self._reporter.start()
            try:
                return self._run()
            except GaveUpError as error:
                log.error("worker_stopped_early", message=str(error), waiting=self._intake.waiting_changes)
                return False
            finally:
                self._intake.close()
                self._stopping.set()
                if self._reporter is not None:
                    self._reporter.end()
                self._committing.close()
                self._pulse.end()

    def stop(self) -> None:
        """Sources stop, what they emitted is committed, ``run`` returns; after ``drain_seconds`` it gives up."""
        if self._stopping.is_set():
            return
        log.info("worker_stopping", waiting=self._intake.waiting_changes)
        self._stopping.set()
        self._intake.flush()
        timer = threading.Timer(self._drain_seconds, self._give_up)
        timer.daemon = True
        timer.start()

    def _run(self) -> bool:
        self._commit([])
        log.info("worker_started", sources=[source.name for source in self._planned])
        followed = self._followed = [
            FollowedSource(self._settings, source, self._intake, self._register, self._stopping, self.tasks)
            for source in self._planned
        ]
        for source in followed:
            source.start()
        while not self._stopping.is_set():
            self._pulse.progress("following")
            taken = self._intake.take(self._duties.seconds_until_due(bool(self._register.pending())))
            if taken or self._duties.is_due(bool(self._register.pending())):
                self._commit(taken)
                self._duties.purge()
        return self._drain(followed)

    def _drain(self, followed: Sequence[FollowedSource]) -> bool:
        """What sources emitted until they ended, then their states."""
        deadline = time.monotonic() + self._drain_seconds
        while not self._given_up.is_set():
            self._pulse.progress("stopping")
            have_ended = all(source.has_ended for source in followed)
            taken = self._intake.take(0 if have_ended else deadline - time.monotonic())
            if taken:
                self._commit(taken)
            elif have_ended:
                break
        is_whole = not self._given_up.is_set()
        self._intake.close()
        self._register.close()
        self._commit([])
        log.info("worker_stopped", batches=self._batches, rows=self._rows, is_whole=is_whole)
        return is_whole

    def _commit(self, taken: Sequence[Emitted]) -> None:
        reports = self._register.pending()
        batches = [item.batch for item in taken]
        committed = self._committing.commit(batches, reports)
        self._register.written(reports)
        for item in taken:
            self._tell(item)
        self._intake.settle(taken)
        self._duties.committed(has_batches=bool(taken))
        if taken:
            self._lag = lag_seconds(batches, datetime.now(UTC))
            self._batches += 1
            self._rows += sum(committed.rows_in.values())
        if committed.increased or committed.reason or taken:
            log.info("committed", **totals(committed), lag_seconds=self._lag, waiting=self._intake.waiting_changes)
        if self._reporter is not None and (committed.increased or committed.reason or taken):
            self._reporter.note(table_changes(batches, committed), self._lag if taken else None)

    def _tell(self, item: Emitted) -> None:
        try:
            item.owner.committed(item.batch)
        except Exception as error:
            log.error("source_broke", source=item.owner.name, exc_info=error, consequence="it may bring the same again")

    def _give_up(self) -> None:
        self._given_up.set()
        self._intake.wake()

    def _describe(self, now: datetime, phase: Phase) -> Heartbeat:
        for source in self._followed:
            source.note_lasting()
        return Heartbeat(
            os.getpid(), self._started_at, now, phase, self._register.beats(), self._batches, self._rows, self._lag,
            self._intake.waiting_changes, self._committing.failing_since, self._committing.failure,
            self.tasks.all(),
        )  # fmt: skip
