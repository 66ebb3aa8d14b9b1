"""The sensor that notes for alerts how runs and checks ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.test_utils import create_run_for_test

from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.results import failing_checks, failing_jobs, results_read_at
from event_pipeline.settings import Settings
from event_pipeline_tests.definitions.daemon import Daemon

EVENTS = dg.AssetKey(["core", "dim_events"])


@pytest.fixture
def noted(settings: Settings) -> Iterator[AlertDatabase]:
    with closing(AlertDatabase(settings)) as database:
        yield database


def evaluate(daemon: Daemon, passed: bool) -> None:
    """The check of a table is evaluated; the run that does so would succeed."""
    evaluation = dg.AssetCheckEvaluation(EVENTS, "contract", passed, {}, description="2 rows are not unique")
    daemon.instance.report_runless_asset_event(evaluation)


def end_run(daemon: Daemon, failed: bool) -> str:
    daemon.wait(seconds=10)
    with daemon._at_the_clock():
        run = create_run_for_test(daemon.instance, job_name="refresh", status=dg.DagsterRunStatus.STARTED)
    daemon.end(run.run_id, failed=failed)
    return run.run_id


def test_a_failed_check_is_noted_until_it_passes(daemon: Daemon, noted: AlertDatabase) -> None:
    evaluate(daemon, passed=False)
    assert daemon.tick("results").status == TickStatus.SKIPPED
    (found,) = failing_checks(noted)
    assert (found.asset, found.name, found.failures) == ("core.dim_events", "contract", 1)
    assert found.message == "2 rows are not unique"
    evaluate(daemon, passed=False)
    daemon.tick("results")
    assert failing_checks(noted)[0].failures == 2
    evaluate(daemon, passed=True)
    daemon.tick("results")
    assert failing_checks(noted) == []


def test_runs_that_fail_in_a_row_are_counted(daemon: Daemon, noted: AlertDatabase) -> None:
    end_run(daemon, failed=False)
    end_run(daemon, failed=True)
    latest = end_run(daemon, failed=True)
    daemon.tick("results")
    (found,) = failing_jobs(noted)
    assert (found.job, found.failures, found.run_id) == ("refresh", 2, latest)
    end_run(daemon, failed=False)
    daemon.tick("results")
    assert failing_jobs(noted) == []


def test_a_tick_repeated_notes_nothing_twice(daemon: Daemon, noted: AlertDatabase) -> None:
    evaluate(daemon, passed=False)
    end_run(daemon, failed=True)
    assert daemon.tick("results").skip_reason == "noted 2 runs and checks"
    assert daemon.tick_again_at_once("results").skip_reason == "noted 0 runs and checks"
    assert (failing_checks(noted)[0].failures, failing_jobs(noted)[0].failures) == (1, 1)


def test_each_tick_says_that_results_are_reported(daemon: Daemon, noted: AlertDatabase) -> None:
    assert results_read_at(noted) is None
    daemon.tick("results")
    assert results_read_at(noted) is not None
