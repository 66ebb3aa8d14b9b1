"""Switching sensors and schedules, and the overview, on a real Dagster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from event_pipeline.control import DagsterControl, WrongRequestError
from event_pipeline_tests.control.live import BROKEN_LOCATION, LiveDagster


@pytest.fixture(autouse=True)
def everything_off(control: DagsterControl) -> Iterator[None]:
    control.stop()
    yield
    control.stop()


def _running(control: DagsterControl) -> set[str]:
    return {item.name for item in control.status().automations if item.is_running}


def test_start_switches_everything_on_and_stop_off(control: DagsterControl) -> None:
    started = control.start()
    assert {(item.name, item.kind, item.is_running, item.changed) for item in started} == {
        ("new_documents", "sensor", True, True),
        ("nightly", "schedule", True, True),
    }
    assert _running(control) == {"new_documents", "nightly"}
    assert all(item.changed and not item.is_running for item in control.stop())
    assert _running(control) == set()


def test_only_the_named_is_switched(control: DagsterControl) -> None:
    control.start(["nightly"])
    assert _running(control) == {"nightly"}
    control.start(["new_documents"])
    control.stop(["nightly"])
    assert _running(control) == {"new_documents"}


def test_switching_twice_changes_nothing_the_second_time(control: DagsterControl) -> None:
    control.start(["nightly"])
    assert [item.changed for item in control.start(["nightly", "nightly"])] == [False]
    assert _running(control) == {"nightly"}


def test_unknown_name_switches_nothing(control: DagsterControl) -> None:
    with pytest.raises(WrongRequestError, match=r"did you mean nightly\? there are: new_documents, nightly"):
        control.start(["new_documents", "nigtly"])
    assert _running(control) == set()


def test_overview_shows_what_is_loaded(control: DagsterControl, dagster: LiveDagster) -> None:
    overview = control.status()
    assert overview.address == dagster.url
    assert overview.version.startswith("1.")
    assert overview.location_error is None
    assert overview.jobs == ("daily", "greeting", "refresh")
    assert overview.asset_count == 6
    assert {item.name: item.when for item in overview.automations} == {
        "new_documents": "every 3600 s",
        "nightly": "0 3 * * * UTC",
    }
    assert {"SENSOR", "SCHEDULER", "QUEUED_RUN_COORDINATOR"} <= {daemon.name for daemon in overview.daemons}


def test_overview_lists_recent_runs_the_latest_first(control: DagsterControl) -> None:
    launched = control.launch("greeting")
    result = control.follow(launched.id, timeout_seconds=60)
    runs = control.status().recent_runs
    ours = next(item for item in runs if item.run_id == launched.run_id)
    assert (ours.job, ours.status) == ("greeting", "SUCCESS")
    assert ours.duration_seconds == pytest.approx(result.duration_seconds, abs=0.01)
    assert [item.created_at for item in runs] == sorted((item.created_at for item in runs), reverse=True)


def test_overview_of_a_location_that_failed_to_load_carries_its_error(dagster: LiveDagster) -> None:
    with DagsterControl(dagster.url, location=BROKEN_LOCATION) as control:
        overview = control.status()
    assert overview.location_error is not None
    assert "no_such_module" in overview.location_error
    assert not overview.is_well
