"""The runs that `up` looks after: the first one, those that a kill left behind, those under way when it stops."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from event_pipeline.errors import ControlError

if TYPE_CHECKING:
    from event_pipeline.control import DagsterControl, RunProgress, RunResult

READ_JOB, CHECK_JOB = "sync", "refresh"
"""What runs once when the pipeline comes up: sources into every table; then all checks, if that changed a table."""

_CANCEL_SECONDS = 15.0
_UNDER_WAY = ("STARTING", "STARTED", "CANCELING")


def run_job(
    control: DagsterControl,
    job: str,
    on_progress: Callable[[RunProgress], None] | None = None,
    when_queued: Callable[[], object] | None = None,
) -> RunResult:
    """Launch the job in Dagster, call ``when_queued``, and follow the run to its end."""
    launched = control.launch(job)
    if when_queued:
        when_queued()
    return control.follow(launched.id, on_progress)


def has_changed_tables(result: RunResult) -> bool:
    """Whether the run wrote a table that is made from others; raw ones are reported by every run that reads sources."""
    return any(not name.startswith("raw/") for name in result.materialized)


def cancel_runs(url: str) -> list[str]:
    """Cancel the runs under way, so that their writes end before the processes do; returns their ids.

    Queued runs stay queued and go on when Dagster is up again.
    """
    from event_pipeline.control import DagsterControl

    cancelled = []
    with DagsterControl(url) as control:
        for run in control.status().recent_runs:
            if run.status in _UNDER_WAY:
                control.cancel(run.run_id)
                cancelled.append(run.run_id)
        for run_id in cancelled:
            control.follow(run_id, timeout_seconds=_CANCEL_SECONDS)
    return cancelled


def fail_forgotten_runs(dagster_home: Path) -> int:
    """Mark runs that nothing executes any more as failed; returns how many.

    Call it only while no Dagster uses this home. A machine that went down leaves such runs, and each would hold its
    place in the queue for ever.
    """
    from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

    under_way = [DagsterRunStatus[status] for status in _UNDER_WAY]
    try:
        with DagsterInstance.from_config(str(dagster_home)) as instance:
            runs = instance.get_runs(filters=RunsFilter(statuses=under_way))
            for run in runs:
                instance.report_run_failed(run, "Dagster stopped while this run was under way; launch it again.")
            return len(runs)
    except Exception as error:
        # Dagster wraps what its storage says in many types; every one of them means the same to whoever started us.
        raise ControlError(
            f"Dagster's own records in {dagster_home} cannot be opened ({type(error).__name__}: {error}); make the "
            "folder writable, or move it away to start with an empty history: the tables do not depend on it"
        ) from error
