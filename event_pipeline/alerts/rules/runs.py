"""Runs and checks that fail, by what was noted of Dagster's event log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.results import failing_checks, failing_jobs
from event_pipeline.alerts.scene import Scene
from event_pipeline.settings.operator_alert_rules import CheckFailed, RunFailed


def run_failed(scene: Scene, rule: RunFailed) -> Sequence[Condition]:
    """Jobs whose runs fail again and again, or failed once and have not succeeded for a while since."""
    alone = timedelta(minutes=rule.alone_minutes)
    return [
        Condition(
            "run_failed",
            job.job,
            f"{_latest(job.failures)} of {job.job} failed" + (f": {job.message}" if job.message else ""),
            job.failures,
            {"job": job.job},
            scene.dagster_link(f"runs/{job.run_id}"),
        )
        for job in failing_jobs(scene.database)
        if job.failures >= rule.consecutive or scene.now - job.failing_since >= alone
    ]


def check_failed(scene: Scene, rule: CheckFailed) -> Sequence[Condition]:
    """Checks that fail, though the run they were part of succeeded."""
    return [
        Condition(
            "check_failed",
            f"{check.asset}:{check.name}",
            f"the check {check.name} of {check.asset} failed" + (f": {check.message}" if check.message else ""),
            check.failures,
            {"table": check.asset, "check": check.name},
            scene.dagster_link(f"runs/{check.run_id}"),
        )
        for check in failing_checks(scene.database)
        if check.failures >= rule.consecutive and (check.is_error or rule.warnings)
    ]


def _latest(runs: int) -> str:
    return "the latest run" if runs == 1 else f"the latest {runs} runs"
