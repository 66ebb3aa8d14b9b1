from __future__ import annotations

from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from event_pipeline.errors import ControlError
from event_pipeline.launch.folder import prepare_folder
from event_pipeline.launch.runs import cancel_runs, fail_forgotten_runs
from event_pipeline.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return prepare_folder(Settings(data_dir=tmp_path)).dagster_home


def test_runs_that_a_crash_left_are_marked_failed_and_others_are_left_alone(home: Path) -> None:
    with DagsterInstance.from_config(str(home)) as instance:
        states = {
            status: create_run_for_test(instance, "refresh", status=status).run_id
            for status in (
                DagsterRunStatus.STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.CANCELING,
                DagsterRunStatus.NOT_STARTED, DagsterRunStatus.SUCCESS,
            )
        }  # fmt: skip
    assert fail_forgotten_runs(home) == 3
    assert fail_forgotten_runs(home) == 0
    with DagsterInstance.from_config(str(home)) as instance:
        found = {status: instance.get_run_by_id(run_id) for status, run_id in states.items()}
    after = {status: run.status for status, run in found.items() if run}
    assert after == {
        DagsterRunStatus.STARTED: DagsterRunStatus.FAILURE,
        DagsterRunStatus.STARTING: DagsterRunStatus.FAILURE,
        DagsterRunStatus.CANCELING: DagsterRunStatus.FAILURE,
        DagsterRunStatus.NOT_STARTED: DagsterRunStatus.NOT_STARTED,
        DagsterRunStatus.SUCCESS: DagsterRunStatus.SUCCESS,
    }


def test_a_history_that_cannot_be_opened_says_what_to_do(home: Path) -> None:
    (home / "history").write_text("not a folder")
    with pytest.raises(ControlError, match="move it away to start with an empty history"):
        fail_forgotten_runs(home)


def test_cancelling_on_a_dagster_that_is_gone_is_a_control_error() -> None:
    with pytest.raises(ControlError, match="no Dagster webserver answers"):
        cancel_runs("http://127.0.0.1:9")
