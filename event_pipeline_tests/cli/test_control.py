"""trigger, status, start and stop as a user types them, on a real Dagster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from event_pipeline.settings import read_settings
from event_pipeline.stream.heartbeat import Heartbeat, SourceBeat, Standing, write_heartbeat
from event_pipeline.stream.sources.live_source import LiveState
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.ingest import ingest_exports
from event_pipeline.warehouse.lake import Lake
from event_pipeline_tests.control.live import LiveDagster, free_port


@pytest.fixture(autouse=True)
def address(clean_environment: None, dagster: LiveDagster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_DAGSTER_URL", dagster.url)


def test_trigger_follows_with_plain_lines_and_ends_well(run) -> None:
    ended = run("trigger", "refresh")
    assert ended.code == 0
    assert "succeeded in" in ended.out
    assert "2 steps, 2 materializations" in ended.out
    lines = ended.err.splitlines()
    assert lines[0].startswith("launched ")
    assert lines[-1] == "success: 2 of 2 steps, 2 assets materialized"


def test_trigger_as_json_prints_only_json(run) -> None:
    ended = run("trigger", "--assets", "core/dim_events, marts/agg_event_metrics", "--json")
    assert ended.code == 0
    result = json.loads(ended.out)
    assert result["succeeded"] is True
    assert result["materialized"] == ["core/dim_events", "marts/agg_event_metrics"]


def test_failed_run_exits_with_1_and_says_why(run) -> None:
    ended = run("trigger", "--assets", "group:broken")
    assert ended.code == 1
    assert "step raw__broken: ValueError: the export is garbled at line 7" in ended.err
    assert "check failed: staging/unloved: row_count (12 rows are missing)" in ended.out
    assert "Traceback" not in ended.err + ended.out


def test_failed_run_as_json_exits_with_1(run) -> None:
    ended = run("trigger", "--assets", "raw/broken", "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["failure"] == "step raw__broken: ValueError: the export is garbled at line 7"


def test_no_follow_returns_at_once_with_the_id(run) -> None:
    ended = run("trigger", "daily", "--partition", "2025-06-01", "--no-follow", "--json")
    assert ended.code == 0
    launched = json.loads(ended.out)
    assert launched["run_id"]
    assert launched["backfill_id"] is None
    assert launched["url"].endswith(launched["run_id"])


def test_range_is_launched_as_a_backfill(run) -> None:
    ended = run("trigger", "daily", "--partitions", "2025-06-01..2025-06-03", "--no-follow", "--json")
    assert ended.code == 0
    launched = json.loads(ended.out)
    assert launched["run_id"] is None
    assert len(launched["backfill_id"]) == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trigger"], "error: name a job or assets to run; jobs are: daily, greeting, refresh"),
        (["trigger", "refres"], "error: there is no job 'refres'; did you mean refresh?"),
        (["trigger", "--assets", "marts/nothing"], "error: there is no asset 'marts/nothing'"),
        (["trigger", "daily", "--partition", "yesterday"], "error: there is no partition 'yesterday'"),
        (["trigger", "daily", "--partitions", "2025-06-01"], "is not a range; write A..B"),
        (["start", "nigtly"], "error: there is no sensor or schedule 'nigtly'; did you mean nightly?"),
        (["trigger", "refresh", "--url", "localhost"], "error: 'localhost' is not an http:// or https:// address"),
        (["trigger", "refresh", "--nonsense"], "No such option"),
    ],
)
def test_wrong_usage_exits_with_2_and_one_message(run, arguments: list[str], message: str) -> None:
    ended = run(*arguments)
    assert ended.code == 2
    assert message in " ".join(ended.err.split())
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("arguments", [["trigger", "refresh"], ["status"], ["start"], ["stop", "nightly"]])
def test_server_away_exits_with_3_and_says_how_to_start_it(run, arguments: list[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = run(*arguments, "--url", url)
    assert ended.code == 3
    assert ended.err.startswith(f"error: no Dagster webserver answers at {url}")
    assert "make up" in ended.err
    assert ended.out == ""


def test_wrong_settings_exit_with_2(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_BATCH_SIZE", "many")
    ended = run("status")
    assert ended.code == 2
    assert "setting batch_size (PIPELINE_BATCH_SIZE) has the value 'many'" in ended.err


def test_start_and_stop_say_what_is_on(run) -> None:
    assert run("stop").code == 0
    assert run("start", "nightly").out == "schedule nightly is on\n"
    assert run("start", "nightly").out == "schedule nightly is already on\n"
    assert {(item["name"], item["is_running"]) for item in json.loads(run("stop", "--json").out)} == {
        ("new_documents", False),
        ("nightly", False),
        ("stream_worker", False),
    }


def test_status_shows_daemons_jobs_automation_and_runs(run) -> None:
    run("trigger", "greeting")
    ended = run("status")
    assert ended.code == 0, ended.out
    assert "daemons are healthy" in ended.out
    assert "code location event_pipeline is loaded: 6 assets" in ended.out
    assert "jobs: daily, greeting, refresh" in ended.out
    assert "schedule nightly is off (0 3 * * * UTC)" in ended.out
    assert " greeting success at " in ended.out


def test_status_as_json(run) -> None:
    run("trigger", "greeting")
    overview = json.loads(run("status", "--json").out)
    assert overview["is_well"] is True
    assert overview["jobs"] == ["daily", "greeting", "refresh"]
    assert "greeting" in {item["job"] for item in overview["recent_runs"]}


def test_status_shows_how_sources_did(run, tmp_path: Path) -> None:
    exports = tmp_path / "data" / "exports"
    exports.mkdir(parents=True)
    (exports / "half.json").write_text('{"clubs": {"c1"')
    settings = read_settings()
    with connect(settings, ("lake",)) as connection:
        ingest_exports(Lake.prepared(connection, settings), settings)
    ended = run("status")
    assert ended.code == 0
    assert "source export is refused since " in ended.out
    assert " UTC: half.json breaks off before its JSON tree is complete" in ended.out
    (state,) = json.loads(run("status", "--json").out)["sources"]
    assert (state["source"], state["collection"], state["state"]) == ("export", "*", "refused")


def test_status_of_a_catalog_that_is_away_tells_no_secret(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_CATALOG_URL", f"postgresql://pipeline:a-secret@127.0.0.1:{free_port()}/catalog")
    ended = run("status")
    assert ended.code == 0
    assert ended.err == "the states of sources are unknown: the catalog does not open (IOException)\n"


def test_waiting_too_long_exits_with_1_and_interrupting_with_130(run, tmp_path: Path) -> None:
    ended = run("trigger", "--assets", "raw/endless", "--timeout", "1", "--json")
    assert ended.code == 1
    assert "goes on: http" in ended.err
    log = tmp_path / "err"
    with log.open("wb") as err:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("event-pipeline")), "trigger", "--assets", "raw/endless"],
            stderr=err,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        _wait_for(log, "queued", process)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert "stopped waiting" in log.read_text()
    assert "Traceback" not in log.read_text()


def _wait_for(log: Path, word: str, process: subprocess.Popen[bytes]) -> None:
    while word not in log.read_text():
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)


class TestStatusOfTheStreamWorker:
    def write(self, at: datetime, **sources: tuple[LiveState, str]) -> None:
        beats = {
            name: SourceBeat(name, {"events": Standing(state, at, message), "clubs": Standing("live", at)}, at)
            for name, (state, message) in sources.items()
        }
        write_heartbeat(read_settings(), Heartbeat(4711, at, at, "following", beats, 3, 1_200, 0.26, 40))

    def test_of_one_that_follows(self, run) -> None:
        self.write(datetime.now(UTC), firestore=("refused", "grant a role"), google_sheets=("live", ""))
        ended = run("status")
        assert ended.code == 0
        assert (
            "(process 4711): 1,200 changes in 3 batches, last seen to committed in 0.3 s, 40 changes wait" in ended.out
        )
        assert "stream firestore events is refused since " in ended.out
        assert " UTC: grant a role, last change at " in ended.out
        assert "stream google_sheets is live, last change at " in ended.out
        said = json.loads(run("status", "--json").out)["stream"]
        assert (said["is_fresh"], said["pid"]) == (True, 4711)
        assert said["sources"]["firestore"]["collections"]["events"]["state"] == "refused"

    def test_of_one_that_was_killed(self, run) -> None:
        self.write(datetime.now(UTC) - timedelta(minutes=5), firestore=("live", ""))
        shown = run("status").out
        assert "stream worker was last heard at " in shown
        assert "stream firestore" not in shown
        assert json.loads(run("status", "--json").out)["stream"]["is_fresh"] is False

    def test_where_none_runs(self, run) -> None:
        assert "no stream worker runs: sensors look at the sources" in run("status").out
        assert json.loads(run("status", "--json").out)["stream"] is None
