"""Rounds of kill -9: while an organisation lives on, the worker, a run or both are killed at a random moment."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from event_pipeline_tests.faults.processes import WORKER, Folder, Process, run_of
from event_pipeline_tests.faults.truth import Truth
from event_pipeline_tests.faults.verdict import assert_right, wait_until_caught_up
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

Victim = Literal["worker", "run", "both"]
VICTIMS: tuple[Victim, ...] = ("worker", "run", "both")

_EDIT_SECONDS = 0.3
_MOST_DOINGS = 10
_STARTED = 0.3
"""How often the time to the kill begins only when the victims are past their start, so that commits are hit."""

_IS_AT_WORK = {"worker": '"worker_started"', "run": "STEP_START"}
"""What a process prints by then."""


@dataclass
class Killing:
    """Kills processes over one data folder. ``jobs`` are those whose runs are killed; ``longest`` is how many seconds
    a process may live at most before it is. ``spared`` is how often a run is left alone beside a worker's kill."""

    folder: Folder
    truth: Truth
    oracle: MemoryPipeline
    dice: random.Random
    jobs: Sequence[str]
    longest: float
    spared: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)
    verdicts: int = 0
    _worker: Process | None = None
    _run: Process | None = None

    def round(self, victim: Victim) -> None:
        """Has the victim running, lets people do things for a while, and kills it."""
        worker = self._have_a_worker()
        if victim != "worker":
            self.await_run()
            self._run = self.folder.start(*run_of(self.dice.choice(self.jobs)))
        elif self._run is None and self.dice.random() < self.spared:
            self._run = self.folder.start(*run_of(self.dice.choice(self.jobs)))
        if self.dice.random() < _STARTED:
            self._live_while(lambda: self._is_starting(victim))
        self._live_for(self.dice.uniform(0, self.longest))
        if victim != "run":
            self.kills["worker"] += worker.kill()
        if victim != "worker" and self._run is not None:
            self.kills[f"run of {self._run.log.stem.partition('-')[2]}"] += self._run.kill()

    def settle(self) -> None:
        """A worker that is left alone catches up, and everything is right."""
        self.await_run()
        worker = self._have_a_worker()
        wait_until_caught_up(self.folder.settings, self.truth)
        assert worker.end() == 0, worker.said()
        self._worker = None
        assert_right(self.folder.settings, self.truth, self.oracle)
        self.verdicts += 1

    def await_run(self) -> None:
        """A run that was not killed ends well."""
        if self._run is not None and not self._run.was_killed:
            assert self._run.started.wait() == 0, self._run.said()
        self._run = None

    def close(self) -> None:
        """Nothing is left running."""
        for process in (self._worker, self._run):
            if process is not None:
                process.kill()

    def _have_a_worker(self) -> Process:
        """The one that runs, or the next; none ends by itself."""
        before = self._worker
        assert before is None or before.runs or before.was_killed, before.said()
        if before is None or not before.runs:
            self._worker = self.folder.start(*WORKER)
        assert self._worker is not None
        return self._worker

    def _is_starting(self, victim: Victim) -> bool:
        """Whether one of the victims is."""
        victims = {"worker": self._worker, "run": self._run}
        return any(
            process.runs and _IS_AT_WORK[name] not in process.said()
            for name, process in victims.items()
            if process is not None and victim in (name, "both")
        )

    def _live_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        self._live_while(lambda: time.monotonic() < until)

    def _live_while(self, condition: Callable[[], bool]) -> None:
        """People do things every now and then, some many at a time, but no more the longer a slow machine takes."""
        doings = 0
        while condition():
            if doings < _MOST_DOINGS:
                self.truth.live(self.dice.choice([1, 1, 2, 8]))
                doings += 1
            time.sleep(_EDIT_SECONDS * self.dice.random() * 2)
