"""Following a run or backfill to its end: polled progress, one result."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from event_pipeline.control.client import GraphQLClient
from event_pipeline.control.errors import FollowTimeoutError, RunFailedError, ServerAwayError
from event_pipeline.control.overview import read_daemons
from event_pipeline.control.runs import is_backfill, run_url
from event_pipeline.control.trail import WAITING, BackfillTrail, RunTrail

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 1.0
AWAY_PATIENCE_SECONDS = 30.0
"""How long the webserver may be away, say for a restart, before following gives up."""
_QUEUED_LONG_SECONDS = 10.0


@dataclass(frozen=True)
class RunProgress:
    """How far a run or backfill is: ``steps_total`` is None until known, ``waiting_for`` says why nothing starts."""

    status: str
    steps_done: int
    steps_total: int | None
    materialized: tuple[str, ...]
    checks_failed: tuple[str, ...]
    waiting_for: str | None = None


@dataclass(frozen=True)
class RunResult:
    """How a run or backfill ended. ``materializations`` counts partitions one by one, ``materialized`` lists assets."""

    id: str
    url: str
    status: str
    succeeded: bool
    failure: str | None
    duration_seconds: float
    steps_done: int
    steps_total: int | None
    materialized: tuple[str, ...]
    materializations: int
    checks_failed: tuple[str, ...]
    run_ids: tuple[str, ...]

    def raise_for_failure(self) -> RunResult:
        """Itself when the run succeeded; RunFailedError otherwise."""
        if not self.succeeded:
            kind = "backfill" if is_backfill(self.id) else "run"
            raise RunFailedError(f"{kind} {self.id} ended as {self.status}: {self.failure}; see {self.url}")
        return self


def follow(
    client: GraphQLClient,
    run_id: str,
    on_progress: Callable[[RunProgress], None] | None = None,
    timeout_seconds: float | None = None,
) -> RunResult:
    """Wait for the end of a run or backfill, reporting each change of its progress.

    Raises WrongRequestError for an unknown id, FollowTimeoutError after ``timeout_seconds`` (the run goes on), and
    ServerAwayError when the webserver stays away for longer than AWAY_PATIENCE_SECONDS.
    """
    trail = BackfillTrail(client, run_id) if is_backfill(run_id) else RunTrail(client, run_id)
    began = last_answer = time.monotonic()
    pause, shown = FIRST_PAUSE_SECONDS, None
    while True:
        try:
            trail.read()
            progress = _progress(client, trail, time.monotonic() - began)
            last_answer = time.monotonic()
        except ServerAwayError:
            if time.monotonic() - last_answer > AWAY_PATIENCE_SECONDS:
                raise
            progress = shown
        if progress is not None and progress != shown:
            pause, shown = FIRST_PAUSE_SECONDS, progress
            if on_progress:
                on_progress(progress)
        if trail.is_final:
            return _result(client, run_id, trail)
        if timeout_seconds is not None and time.monotonic() - began + pause > timeout_seconds:
            raise FollowTimeoutError(
                f"{run_id} is still {trail.status} after {timeout_seconds:g} s and goes on: {run_url(client, run_id)}"
            )
        # The API can only be asked, so the wait grows while nothing changes.
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)


def look(client: GraphQLClient, run_id: str) -> tuple[RunResult, bool]:
    """How far a run or backfill is now, and whether it has ended. Raises WrongRequestError for an unknown id."""
    trail = BackfillTrail(client, run_id) if is_backfill(run_id) else RunTrail(client, run_id)
    trail.read()
    return _result(client, run_id, trail), trail.is_final


def _runs(trail: RunTrail | BackfillTrail) -> Iterable[RunTrail]:
    return (trail,) if isinstance(trail, RunTrail) else trail.runs.values()


def _steps_total(trail: RunTrail | BackfillTrail) -> int | None:
    totals = [run.steps_total for run in _runs(trail)]
    return sum(total for total in totals if total is not None) if any(t is not None for t in totals) else None


def _progress(client: GraphQLClient, trail: RunTrail | BackfillTrail, waited_seconds: float) -> RunProgress:
    return RunProgress(
        status=trail.status,
        steps_done=sum(len(run.steps) for run in _runs(trail)),
        steps_total=_steps_total(trail),
        materialized=tuple(sorted({key for run in _runs(trail) for key in run.materialized})),
        checks_failed=tuple(text for run in _runs(trail) for text in run.checks_failed),
        waiting_for=_waiting_for(client, trail) if waited_seconds > _QUEUED_LONG_SECONDS else None,
    )


def _waiting_for(client: GraphQLClient, trail: RunTrail | BackfillTrail) -> str | None:
    """Why a run stays queued, as far as the daemons' health tells."""
    if isinstance(trail, RunTrail):
        if trail.status not in WAITING:
            return None
        daemon, normally = "QUEUED_RUN_COORDINATOR", "a free place in the run queue"
    else:
        if trail.status != "REQUESTED" or trail.runs:
            return None
        daemon, normally = "BACKFILL", "the backfill daemon, which looks every 30 s"
    healthy = any(item.name == daemon and item.is_healthy for item in read_daemons(client))
    return normally if healthy else "the Dagster daemon, which is not running; start it with `make up`"


def _result(client: GraphQLClient, run_id: str, trail: RunTrail | BackfillTrail) -> RunResult:
    progress = _progress(client, trail, 0.0)
    counts: Counter[str] = Counter()
    for run in _runs(trail):
        counts.update(run.materialized)
    return RunResult(
        id=run_id,
        url=run_url(client, run_id),
        status=trail.status,
        succeeded=trail.failure is None,
        failure=trail.failure,
        duration_seconds=round((trail.ended_at or time.time()) - (trail.started_at or time.time()), 3),
        steps_done=progress.steps_done,
        steps_total=progress.steps_total,
        materialized=progress.materialized,
        materializations=counts.total(),
        checks_failed=progress.checks_failed,
        run_ids=tuple(run.run_id for run in _runs(trail)),
    )
