"""What failed and was mended is checked again by itself: by sync at once, after the stream worker by the sensor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.evaluator import Evaluator
from event_pipeline.alerts.signs import DagsterSign
from event_pipeline.definitions import results_sensor
from event_pipeline.definitions.asset_metadata import asset_key
from event_pipeline.definitions.results_sensor import note_results_of, recheck_of
from event_pipeline.increments.driver import Driver
from event_pipeline.settings import Features
from event_pipeline_tests.definitions.runs import Operated
from event_pipeline_tests.warehouse.documents import changed, event, registration
from event_pipeline_tests.warehouse.pipelines import AS_OF, real_pipeline

TABLES = ("staging.events", "staging.registrations")
FAILED = {"staging.registrations:validity"}


@pytest.fixture
def operated(tmp_path: Path) -> Iterator[Operated]:
    with (
        real_pipeline(tmp_path, features=Features(quality_checks=True)) as lake,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        yield Operated(lake, instance)


@contextmanager
def alerts(operated: Operated) -> Iterator[AlertDatabase]:
    with closing(AlertDatabase(operated.lake.settings)) as database:
        yield database


def firing(operated: Operated, database: AlertDatabase, days: float = 0) -> set[str]:
    """Whether the alert about registrations is open so many days later, after the sensor's tick and an evaluation."""
    repository = operated.definitions.get_repository_def()
    with dg.build_sensor_context(operated._instance, repository_def=repository) as context:
        note_results_of(context, operated.lake.settings)
    operated.lake.connection.execute("SELECT 1").fetchall()
    at = datetime.now(UTC) + timedelta(days=days)
    evaluator = Evaluator(operated.lake.settings, database, lambda: None, lambda: DagsterSign(True, ""), lambda: at)
    with closing(evaluator):
        evaluator.evaluate()
        at += timedelta(hours=12)
        found = evaluator.evaluate()
    held = [alert for alert in found.values() if alert.rule == "check_failed" and alert.state != "resolved"]
    return {alert.subject for alert in held} & FAILED


def broken(operated: Operated) -> None:
    """Most registrations are refused, and the refresh's check says so."""
    refused = [changed("registrations", f"r{n}", registration(participant_email="nobody")) for n in range(9)]
    operated.lake.commit(changed("events", "e1", event()), changed("registrations", "ok", registration()), *refused)
    assert operated.run("refresh", *TABLES).succeeded


def sync(operated: Operated) -> None:
    """The job's part for these tables: it leaves out the expectations, as the whole job does."""
    operated.lake.connection.execute("SELECT 1").fetchall()
    whole = operated.definitions.resolve_job_def("sync")
    part = whole.get_subset(asset_selection={asset_key(name) for name in TABLES}, asset_check_selection=set())
    assert part.execute_in_process(instance=operated._instance).success


def mend(operated: Operated) -> None:
    operated.lake.commit(*(changed("registrations", f"r{n}", registration(f"p{n}"), after=3_600) for n in range(9)))


def test_sync_checks_again_what_was_mended_and_the_alert_goes_out(operated: Operated) -> None:
    broken(operated)
    with alerts(operated) as database:
        assert firing(operated, database) == FAILED
        sync(operated)
        assert firing(operated, database, days=1) == FAILED
        mend(operated)
        sync(operated)
        assert firing(operated, database, days=2) == set()


def test_after_the_stream_worker_the_sensor_asks_for_the_checks(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(operated)
    later = datetime.now(UTC) + timedelta(minutes=5)
    monkeypatch.setattr(results_sensor, "now", lambda: later)
    repository = operated.definitions.get_repository_def()
    with alerts(operated) as database:
        assert firing(operated, database) == FAILED
        with dg.build_sensor_context(operated._instance, repository_def=repository) as context:
            assert recheck_of(context, operated.lake.settings) is None
            mend(operated)
            Driver(operated.lake.backend, operated.lake.settings).bring_up_to_date(AS_OF)
            operated.lake.connection.execute("SELECT 1").fetchall()
            request = recheck_of(context, operated.lake.settings)
        assert request is not None
        assert dg.AssetCheckKey(asset_key("staging.registrations"), "validity") in (request.asset_check_keys or ())
        job = operated.definitions.resolve_job_def("refresh").get_subset(
            asset_selection=set(), asset_check_selection=set(request.asset_check_keys or ())
        )
        assert job.execute_in_process(instance=operated._instance).success
        assert firing(operated, database, days=2) == set()
        with dg.build_sensor_context(operated._instance, repository_def=repository) as context:
            assert recheck_of(context, operated.lake.settings) is None
