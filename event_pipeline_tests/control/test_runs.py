"""Launching, following and cancelling on a real Dagster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from event_pipeline.control import (
    DagsterControl,
    FollowTimeoutError,
    Launched,
    RunFailedError,
    RunProgress,
    ServerAwayError,
    WrongRequestError,
)
from event_pipeline.control import follow as following
from event_pipeline.control.client import GraphQLClient
from event_pipeline.errors import ControlError
from event_pipeline_tests.control.live import BROKEN_LOCATION, LiveDagster, free_port, live_dagster


class _Reached(Exception):
    """Stops following once a run is under way."""


def _until_it_runs(control: DagsterControl, run_id: str) -> None:
    def stop_when_started(progress: RunProgress) -> None:
        if progress.status == "STARTED":
            raise _Reached

    with pytest.raises(_Reached):
        control.follow(run_id, stop_when_started, timeout_seconds=60)


@pytest.fixture(scope="module")
def backfills(dagster: LiveDagster) -> Iterator[tuple[Launched, Launched]]:
    """A job's and an asset's backfill, launched before the other tests: Dagster's backfill daemon looks every 30 s."""
    with DagsterControl(dagster.url) as control:
        yield (
            control.launch("daily", partition_range=("2025-06-02", "2025-06-04")),
            control.launch(assets=["marts/agg_daily_metrics"], partition_range=("2025-06-05", "2025-06-10")),
        )


@pytest.mark.usefixtures("backfills")
def test_job_runs_to_its_end_with_progress(control: DagsterControl) -> None:
    seen: list[RunProgress] = []
    launched = control.launch("refresh")
    result = control.follow(launched.id, seen.append, timeout_seconds=60)
    assert launched.backfill_id is None
    assert (result.status, result.succeeded, result.failure) == ("SUCCESS", True, None)
    assert result.materialized == ("core/dim_events", "marts/agg_event_metrics")
    assert (result.steps_done, result.steps_total, result.checks_failed) == (2, 2, ())
    assert 0 < result.duration_seconds < 60
    assert [progress.steps_done for progress in seen] == sorted(progress.steps_done for progress in seen)
    assert seen[0].steps_total == 2
    assert seen[-1].status == "SUCCESS"
    assert result.raise_for_failure() is result


def test_part_of_a_jobs_assets_runs_alone(control: DagsterControl) -> None:
    launched = control.launch("refresh", assets=["marts/agg_event_metrics"])
    assert control.follow(launched.id).materialized == ("marts/agg_event_metrics",)


def test_failed_run_names_step_and_error_and_failed_checks(control: DagsterControl) -> None:
    result = control.follow(control.launch(assets=["group:broken"]).id, timeout_seconds=60)
    assert result.status == "FAILURE"
    assert result.failure == "step raw__broken: ValueError: the export is garbled at line 7"
    assert result.materialized == ("staging/unloved",)
    assert result.checks_failed == ("staging/unloved: row_count (12 rows are missing)",)
    with pytest.raises(RunFailedError, match=r"step raw__broken: ValueError: the export is garbled at line 7"):
        result.raise_for_failure()


def test_failed_check_leaves_the_run_successful(control: DagsterControl) -> None:
    result = control.follow(control.launch(assets=["staging/unloved"]).id, timeout_seconds=60)
    assert result.succeeded
    assert result.checks_failed == ("staging/unloved: row_count (12 rows are missing)",)


def test_one_partition_is_one_run(control: DagsterControl) -> None:
    launched = control.launch("daily", partition="2025-06-01", tags={"asked_by": "a test"})
    result = control.follow(launched.id, timeout_seconds=60)
    assert (result.succeeded, result.materializations) == (True, 1)


def test_run_config_reaches_the_run_or_is_refused(control: DagsterControl) -> None:
    good = control.launch("greeting", run_config={"ops": {"greet": {"config": {"name": "students"}}}})
    assert control.follow(good.id, timeout_seconds=60).succeeded
    with pytest.raises(ControlError, match='unexpected config entry "nme"'):
        control.launch("greeting", run_config={"ops": {"greet": {"config": {"nme": "students"}}}})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "jobs are: daily, greeting, refresh"),
        ({"job": "refres"}, r"there is no job 'refres'; did you mean refresh\? there are: daily, greeting, refresh"),
        ({"job": "__ASSET_JOB"}, "there is no job '__ASSET_JOB'"),
        ({"assets": ["marts/agg_dayly_metrics"]}, "did you mean marts/agg_daily_metrics"),
        ({"job": "refresh", "assets": ["raw/broken"]}, "job 'refresh' does not hold raw/broken; its assets are"),
        ({"job": "daily"}, r"runs by partition: give one of 2025-06-01 \.\. 2025-06-10"),
        ({"assets": ["marts/agg_daily_metrics"]}, "runs by partition"),
        ({"job": "daily", "partition": "2025-07-01"}, "there are 10, from 2025-06-01 to 2025-06-10"),
        ({"job": "daily", "partition_range": ("2025-06-01", "2030-01-01")}, "there is no partition '2030-01-01'"),
        ({"job": "daily", "partition_range": ("2025-06-05", "2025-06-01")}, "runs backwards"),
        ({"job": "refresh", "partition": "2025-06-01"}, "has no partitions"),
        ({"job": "greeting", "partition_range": ("a", "b")}, "has no partitions"),
        ({"job": "daily", "partition": "2025-06-01", "partition_range": ("2025-06-01", "2025-06-02")}, "not both"),
    ],
)
def test_wrong_request_is_refused_before_anything_is_launched(
    control: DagsterControl, monkeypatch: pytest.MonkeyPatch, asked: dict, message: str
) -> None:
    sent: list[str] = []
    execute = GraphQLClient.execute

    def listen(client: GraphQLClient, document: str, **variables: object) -> dict:
        sent.append(document)
        return execute(client, document, **variables)

    monkeypatch.setattr(GraphQLClient, "execute", listen)
    with pytest.raises(WrongRequestError, match=message):
        control.launch(**asked)
    assert sent
    assert not [document for document in sent if "mutation" in document]


def test_timeout_leaves_the_run_going_and_cancel_ends_it(control: DagsterControl) -> None:
    launched = control.launch(assets=["raw/endless"])
    _until_it_runs(control, launched.id)
    with pytest.raises(FollowTimeoutError, match=r"is still STARTED after 1 s and goes on"):
        control.follow(launched.id, timeout_seconds=1)
    control.cancel(launched.id)
    result = control.follow(launched.id, timeout_seconds=60)
    assert (result.status, result.succeeded, result.failure) == ("CANCELED", False, "the run was cancelled")
    with pytest.raises(ControlError, match="could not be terminated"):
        control.cancel(launched.id)


@pytest.mark.parametrize("run_id", ["no-such-run", "abcdefgh"])
def test_unknown_id_can_be_neither_followed_nor_cancelled(control: DagsterControl, run_id: str) -> None:
    with pytest.raises(WrongRequestError, match="there is no"):
        control.follow(run_id)
    with pytest.raises(WrongRequestError, match="there is no"):
        control.cancel(run_id)


def test_location_that_failed_to_load_says_why(dagster: LiveDagster) -> None:
    refused = pytest.raises(ControlError, match=r"failed to load: DagsterImportError: .*no_such_module")
    with DagsterControl(dagster.url, location=BROKEN_LOCATION) as control, refused:
        control.launch("refresh")


def test_unknown_location_lists_those_there_are(dagster: LiveDagster) -> None:
    refused = pytest.raises(WrongRequestError, match=r"did you mean event_pipeline\? there are: broken, event_pipeline")
    with DagsterControl(dagster.url, location="event_pipelin") as control, refused:
        control.launch("refresh")


def test_server_away_is_told_apart() -> None:
    with DagsterControl(f"http://127.0.0.1:{free_port()}") as control, pytest.raises(ServerAwayError):
        control.launch("refresh")


def test_following_outlives_a_short_absence_of_the_webserver(
    control: DagsterControl, dagster: LiveDagster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The webserver is unreachable for a while in the middle, as in a restart."""
    launched = control.launch("refresh")
    requests = iter(range(1_000))

    class Unsteady(GraphQLClient):
        def execute(self, document: str, **variables: object) -> dict:
            if next(requests) in range(2, 6):
                raise ServerAwayError("restarting")
            return super().execute(document, **variables)

    with Unsteady(dagster.url) as client:
        assert following.follow(client, launched.id, timeout_seconds=60).succeeded
    monkeypatch.setattr(following, "AWAY_PATIENCE_SECONDS", 0.5)
    with GraphQLClient(f"http://127.0.0.1:{free_port()}") as away, pytest.raises(ServerAwayError):
        following.follow(away, launched.id)


@pytest.mark.slow
@pytest.mark.parametrize(("which", "days"), [(0, 3), (1, 6)])
def test_range_of_partitions_is_one_backfill_in_a_single_run(
    control: DagsterControl, backfills: tuple[Launched, Launched], which: int, days: int
) -> None:
    launched = backfills[which]
    result = control.follow(launched.id, timeout_seconds=150)
    assert launched.run_id is None
    assert (result.status, result.failure) == ("COMPLETED_SUCCESS", None)
    assert result.materialized == ("marts/agg_daily_metrics",)
    assert result.materializations == days
    assert len(result.run_ids) == 1
    assert (result.steps_done, result.steps_total) == (1, 1)
    assert result.url.endswith(f"/runs/b/{launched.id}")


@pytest.mark.slow
def test_without_the_daemon_the_follower_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_QUEUED_LONG_SECONDS", 0.3)
    seen: list[RunProgress] = []
    with live_dagster(tmp_path, with_daemon=False) as lonely, DagsterControl(lonely.url) as control:
        assert not control.status().is_well
        launched = control.launch("refresh")
        with pytest.raises(FollowTimeoutError, match="QUEUED"):
            control.follow(launched.id, seen.append, timeout_seconds=3)
        control.cancel(launched.id)
    assert seen[-1].waiting_for == "the Dagster daemon, which is not running; start it with `make up`"
