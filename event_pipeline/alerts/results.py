"""How runs and checks ended, as Dagster has recorded it: noted by a sensor, read when Dagster is down too.

A failed check leaves its run successful, so checks are noted for themselves. Each comes with
an id that grows with time; noting one again, or an older one, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.sqlite import from_stamp, instant, stamp

_READ_AT = "results_read_at"


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run that ended."""

    storage_id: int
    job: str
    run_id: str
    succeeded: bool
    at: datetime
    message: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check that was evaluated; ``asset`` is layer.table. One that only warns is no error."""

    storage_id: int
    asset: str
    name: str
    run_id: str
    passed: bool
    is_error: bool
    at: datetime
    message: str = ""


@dataclass(frozen=True, slots=True)
class JobStanding:
    """A job that fails: how often in a row, since when, and the latest run."""

    job: str
    failures: int
    failing_since: datetime
    run_id: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckStanding:
    """A check that fails: how often in a row, and in which run last."""

    asset: str
    name: str
    is_error: bool
    failures: int
    run_id: str
    message: str


def note_results(
    database: AlertDatabase, runs: Iterable[RunResult], checks: Iterable[CheckResult], now: datetime
) -> int:
    """Keep what is new of these, in their order, and that the records were read; how many were new."""
    with database.transaction():
        new = sum(_note_run(database, run) for run in sorted(runs, key=lambda item: item.storage_id))
        new += sum(_note_check(database, check) for check in sorted(checks, key=lambda item: item.storage_id))
        database.note(_READ_AT, stamp(now))
    return new


def _note_run(database: AlertDatabase, run: RunResult) -> bool:
    failed = not run.succeeded
    rows = database.execute(
        "INSERT INTO job_results (job, storage_id, failures, run_id, at, failing_since, message) "
        "VALUES (?1, ?2, ?3, ?4, ?5, CASE WHEN ?3 THEN ?5 END, ?6) ON CONFLICT (job) DO UPDATE SET "
        "storage_id = ?2, failures = CASE WHEN ?3 THEN failures + 1 ELSE 0 END, run_id = ?4, at = ?5, "
        "failing_since = CASE WHEN ?3 THEN coalesce(failing_since, ?5) END, message = ?6 WHERE storage_id < ?2 "
        "RETURNING 1",
        (run.job, run.storage_id, int(failed), run.run_id, stamp(run.at), run.message),
    )
    return bool(rows)


def _note_check(database: AlertDatabase, check: CheckResult) -> bool:
    rows = database.execute(
        "INSERT INTO check_results (asset, name, storage_id, passed, is_error, failures, run_id, at, message) "
        "VALUES (?1, ?2, ?3, ?4, ?5, 1 - ?4, ?6, ?7, ?8) ON CONFLICT (asset, name) DO UPDATE SET storage_id = ?3, "
        "passed = ?4, is_error = ?5, failures = CASE WHEN ?4 THEN 0 ELSE failures + 1 END, run_id = ?6, at = ?7, "
        "message = ?8 WHERE storage_id < ?3 RETURNING 1",
        (check.asset, check.name, check.storage_id, int(check.passed), int(check.is_error), check.run_id,
         stamp(check.at), check.message),
    )  # fmt: skip
    return bool(rows)


def failing_jobs(database: AlertDatabase) -> list[JobStanding]:
    """Jobs whose latest run failed."""
    rows = database.execute("SELECT * FROM job_results WHERE failures > 0 ORDER BY job")
    return [
        JobStanding(row["job"], row["failures"], instant(row["failing_since"]), row["run_id"], row["message"])
        for row in rows
    ]


def failing_checks(database: AlertDatabase) -> list[CheckStanding]:
    """Checks whose latest evaluation failed."""
    rows = database.execute("SELECT * FROM check_results WHERE NOT passed ORDER BY asset, name")
    return [
        CheckStanding(row["asset"], row["name"], bool(row["is_error"]), row["failures"], row["run_id"], row["message"])
        for row in rows
    ]


def results_read_at(database: AlertDatabase) -> datetime | None:
    """When Dagster's records were last read; None when nobody ever did."""
    return from_stamp(database.noted(_READ_AT))
