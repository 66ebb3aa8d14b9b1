"""Notes for alerts how runs and checks ended, from Dagster's own records.

A failed check leaves its run successful, so run-failure sensors never see it: evaluations are read for themselves.
A tick that is repeated notes the same again, which changes nothing. Where a table failed and has changed since, by the
stream worker too, the tick asks for a run that checks it again, so that an alert about it goes out by itself.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from event_pipeline.contracts.ops import DIMENSIONS
from event_pipeline.definitions.asset_metadata import asset_key
from event_pipeline.definitions.jobs import REFRESH_JOB
from event_pipeline.definitions.sensor_state import now
from event_pipeline.definitions.session import Session
from event_pipeline.settings import Settings

if TYPE_CHECKING:
    from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

    from event_pipeline.alerts.results import CheckResult, RunResult

NAME = "results_sensor"
_SECONDS = 30
_MOST = 500
"""Runs that a tick takes; the next one goes on where it ended."""

_FIRST_LOOK_BACK = timedelta(days=1)
_RECHECK_AFTER = timedelta(minutes=2)
"""A table that fails and changes all the time is checked again this often, so is one whose run could not check."""

_ACTIVE = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
_LONGEST_MESSAGE = 300
_BEFORE = 10
"""Evaluations that are looked through for the latest that ended."""


def results_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sensor; the only runs it starts check tables again that failed."""
    status = dg.DefaultSensorStatus.RUNNING if settings.features.sensors else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name=NAME,
        job_name=REFRESH_JOB,
        minimum_interval_seconds=_SECONDS,
        default_status=status,
        description="Notes for alerts how runs and checks ended.",
    )
    def _evaluate(
        context: dg.SensorEvaluationContext, session: dg.ResourceParam[Session]
    ) -> dg.RunRequest | dg.SkipReason:
        checks = latest_checks(context)
        noted = note_results_of(context, session.settings, checks)
        # Looking into the warehouse costs most of a CPU-second, so it is done only where something failed.
        has_failed = any(not check.passed for check in checks)
        return (recheck_of(context, session.settings) if has_failed else None) or dg.SkipReason(noted)

    return _evaluate


def latest_checks(context: dg.SensorEvaluationContext) -> "Sequence[CheckResult]":
    """How each check of the code location ended last."""
    keys = sorted(context.repository_def.asset_graph.asset_check_keys) if context.repository_def else []
    return _checks(context.instance, keys)


def note_results_of(
    context: dg.SensorEvaluationContext, settings: Settings, checks: "Sequence[CheckResult] | None" = None
) -> str:
    """Notes what ended since the cursor, moves it on, and says how much that was. ``checks`` are read when None."""
    from contextlib import closing

    from event_pipeline.alerts.database import AlertDatabase
    from event_pipeline.alerts.results import note_results

    after = _read(context.cursor)
    checks = latest_checks(context) if checks is None else checks
    runs, runs_after = _runs(context.instance, after)
    with closing(AlertDatabase(settings)) as database:
        new = note_results(database, runs, checks, now())
    context.update_cursor(str(runs_after))
    return f"noted {new} runs and checks"


def recheck_of(context: dg.SensorEvaluationContext, settings: Settings) -> dg.RunRequest | None:
    """A run of the checks of every table that failed and has changed since; None when there is none, or runs write now.

    Its key names the tables and when they were checked, so what is still broken is checked again only after a change.
    """
    known = set(context.repository_def.asset_graph.asset_check_keys) if context.repository_def else set()
    if context.instance.get_runs(dg.RunsFilter(statuses=_ACTIVE), limit=1):
        return None
    tables = _mended(settings)
    keys = [dg.AssetCheckKey(asset_key(name), dimension) for name in sorted(tables) for dimension in DIMENSIONS]
    keys = [key for key in keys if key in known]
    if not keys:
        return None
    checked = ",".join(f"{name}@{at.isoformat()}" for name, at in sorted(tables.items()))
    digest = hashlib.sha256(checked.encode()).hexdigest()[:16]
    attempt = int(now().timestamp() // _RECHECK_AFTER.total_seconds())
    return dg.RunRequest(run_key=f"recheck:{digest}:{attempt}", asset_selection=[], asset_check_keys=keys)


def _mended(settings: Settings) -> "dict[str, datetime]":
    """The tables that failed and have changed since, and when they were checked."""
    from event_pipeline.quality.recheck import failing_since, has_changed
    from event_pipeline.warehouse.connection import connect, lake_exists
    from event_pipeline.warehouse.table_contracts import CONTRACTS

    if not lake_exists(settings):
        return {}
    with connect(settings, read_only=True) as connection:
        return {
            name: checked_at
            for name, checked_at in failing_since(connection).items()
            if name in CONTRACTS
            and now() - checked_at >= _RECHECK_AFTER
            and has_changed(connection, settings, CONTRACTS[name], checked_at)
        }


def _read(cursor: str | None) -> float:
    """The seconds since 1970 after which runs were not noted."""
    try:
        return float(cursor or "")
    except ValueError:
        return (now() - _FIRST_LOOK_BACK).timestamp()


def _checks(instance: dg.DagsterInstance, keys: "Sequence[dg.AssetCheckKey]") -> "Sequence[CheckResult]":
    """The latest evaluation of each check, told apart by its id in Dagster's storage.

    The log's own ids cannot be asked for: with SQLite, Dagster numbers the events of each run from one.
    """
    from event_pipeline.alerts.results import CheckResult

    storage = instance.event_log_storage
    found = []
    for key, newest in storage.get_latest_asset_check_execution_by_key(keys).items():
        # One that is under way says nothing yet; the one before it still stands.
        records = [newest, *(storage.get_asset_check_execution_history(key, _BEFORE) if _is_under_way(newest) else ())]
        record = next((item for item in records if not _is_under_way(item)), None)
        event = record.event.dagster_event if record and record.event else None
        if record is None or event is None:
            continue
        evaluation = event.asset_check_evaluation_data
        found.append(
            CheckResult(
                storage_id=record.id,
                asset=".".join(key.asset_key.path),
                name=key.name,
                run_id=record.run_id,
                passed=evaluation.passed,
                is_error=evaluation.severity == dg.AssetCheckSeverity.ERROR,
                at=datetime.fromtimestamp(record.event.timestamp if record.event else record.create_timestamp, UTC),
                message=_message(evaluation)[:_LONGEST_MESSAGE],
            )
        )
    return found


def _message(evaluation: dg.AssetCheckEvaluation) -> str:
    """What the check says; one that the stream worker reported has it in its metadata."""
    problems = evaluation.metadata.get("problems")
    listed = problems.value if isinstance(problems, dg.JsonMetadataValue) else []
    return evaluation.description or "\n".join(map(str, listed if isinstance(listed, list) else []))


def _is_under_way(record: "AssetCheckExecutionRecord") -> bool:
    return record.status.value == "PLANNED"


def _runs(instance: dg.DagsterInstance, after: float) -> "tuple[Sequence[RunResult], float]":
    """Runs that ended after that instant, and the instant from which the next tick goes on.

    The time of a run's end orders the runs of a job as a storage id does: that of a run says when it was made.
    """
    from event_pipeline.alerts.results import RunResult

    records = instance.get_run_records(
        dg.RunsFilter(statuses=_ENDED, updated_after=datetime.fromtimestamp(after, UTC)),
        limit=_MOST,
        order_by="update_timestamp",
        ascending=True,
    )
    found = []
    for record in records:
        ended = record.end_time or record.update_timestamp.replace(tzinfo=UTC).timestamp()
        found.append(
            RunResult(
                storage_id=int(ended * 1_000_000),
                job=record.dagster_run.job_name,
                run_id=record.dagster_run.run_id,
                succeeded=record.dagster_run.status == dg.DagsterRunStatus.SUCCESS,
                at=datetime.fromtimestamp(ended, UTC),
            )
        )
    if records:
        after = max(record.update_timestamp.replace(tzinfo=UTC).timestamp() for record in records)
    return found, after
