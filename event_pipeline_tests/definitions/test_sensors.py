"""Sensor ticks as the daemon makes them: one run for each change, however often it is seen."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.test_utils import create_run_for_test

from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.definitions import peeks
from event_pipeline.definitions.jobs import SYNC_JOB
from event_pipeline.definitions.sensors import CHANGE_TAG
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.ingest import ingest_exports, ingest_inbox
from event_pipeline.warehouse.lake import Lake
from event_pipeline_tests.definitions.daemon import Daemon

SCAN = {"type": "scan", "qr_code_data": "{}", "scanned_at": "2025-06-08T02:55:00.000Z", "scanner_id": "gate-1"}


@pytest.fixture
def lake(settings: Settings) -> Iterator[Lake]:
    """A lake whose tables are there and empty."""
    with connect(settings, ("lake",)) as connection:
        yield Lake.prepared(connection, settings)


def drop_scan(settings: Settings, name: str = "scans.ndjson") -> Path:
    settings.inbox_dir.mkdir(parents=True, exist_ok=True)
    path = settings.inbox_dir / name
    path.write_text(json.dumps(SCAN) + "\n")
    return path


class TestFirstLoad:
    def test_first_tick_ever_asks_for_a_run(self, daemon: Daemon) -> None:
        tick = daemon.tick("inbox")

        assert tick.run_keys == ["inbox:first-load:0"]
        (run,) = daemon.runs()
        assert (run.job_name, run.tags[CHANGE_TAG]) == (SYNC_JOB, "inbox:first-load")

    def test_the_other_sensors_wait_for_it(self, daemon: Daemon) -> None:
        daemon.tick("inbox")

        assert "a sync run is under way" in str(daemon.tick("exports").skip_reason)
        assert len(daemon.runs()) == 1

    def test_a_first_run_that_died_before_it_made_the_tables_is_started_again(
        self, settings: Settings, daemon: Daemon
    ) -> None:
        with connect(settings, ("lake",)):
            assert (settings.catalog_dir / "lake.sqlite").exists()

        assert daemon.tick("inbox").run_keys == ["inbox:first-load:0"]


@pytest.mark.usefixtures("lake")
class TestInbox:
    def test_nothing_new_starts_nothing(self, daemon: Daemon) -> None:
        tick = daemon.tick("inbox")

        assert (tick.status, tick.skip_reason) == (TickStatus.SKIPPED, "nothing new")
        assert daemon.runs() == []

    def test_new_file_starts_one_run(self, settings: Settings, daemon: Daemon) -> None:
        drop_scan(settings)

        tick = daemon.tick("inbox")

        assert tick.status == TickStatus.SUCCESS
        assert [run.run_id for run in daemon.runs()] == list(tick.run_ids)
        assert len(daemon.runs()) == 1

    def test_unfinished_file_is_not_seen(self, settings: Settings, daemon: Daemon) -> None:
        drop_scan(settings, "scans.ndjson.part")

        assert daemon.tick("inbox").skip_reason == "nothing new"

    def test_a_tick_repeated_starts_no_second_run(self, settings: Settings, daemon: Daemon) -> None:
        drop_scan(settings)
        daemon.tick("inbox")

        assert "under way" in str(daemon.tick_again_at_once("inbox").skip_reason)
        assert len(daemon.runs()) == 1

    def test_the_same_change_has_the_same_run_key_whoever_looks(self, settings: Settings, tmp_path: Path) -> None:
        from event_pipeline_tests.definitions.daemon import running_daemon

        drop_scan(settings)
        keys = []
        for name in ("one", "another"):
            with running_daemon(tmp_path / name, executes=False) as daemon:
                keys.append(daemon.tick("inbox").run_keys)

        assert keys[0] == keys[1] != []

    def test_a_failed_run_is_tried_again_later_under_a_new_key(self, settings: Settings, daemon: Daemon) -> None:
        drop_scan(settings)
        (first,) = daemon.tick("inbox").run_keys
        daemon.end(daemon.runs()[0].run_id, failed=True)

        assert "was not brought in by 1 runs" in str(daemon.tick_again_at_once("inbox").skip_reason)
        (second,) = daemon.tick("inbox").run_keys

        assert second != first
        assert second.rsplit(":", 1)[0] == first.rsplit(":", 1)[0]
        assert len(daemon.runs()) == 2

    def test_the_wait_between_tries_grows_and_never_ends_the_trying(self, settings: Settings, daemon: Daemon) -> None:
        drop_scan(settings)
        (key,) = daemon.tick("inbox").run_keys
        daemon.end(daemon.runs()[0].run_id, failed=True)
        for _ in range(24):
            create_run_for_test(
                daemon.instance,
                SYNC_JOB,
                tags={CHANGE_TAG: key.rsplit(":", 1)[0]},
                status=dg.DagsterRunStatus.FAILURE,
            )

        daemon.wait(minutes=25)
        assert "was not brought in by 25 runs" in str(daemon.tick("inbox").skip_reason)
        daemon.wait(minutes=5)
        assert daemon.tick("inbox").run_keys == [f"{key.rsplit(':', 1)[0]}:25"]

    def test_a_run_that_ended_well_without_the_change_is_tried_again_too(
        self, settings: Settings, daemon: Daemon
    ) -> None:
        drop_scan(settings)
        (first,) = daemon.tick("inbox").run_keys
        daemon.end(daemon.runs()[0].run_id)

        assert daemon.tick("inbox").run_keys == [first.removesuffix(":0") + ":1"]

    def test_another_file_does_not_wait_for_the_one_that_fails(self, settings: Settings, daemon: Daemon) -> None:
        drop_scan(settings)
        daemon.tick("inbox")
        daemon.end(daemon.runs()[0].run_id, failed=True)
        drop_scan(settings, "more.ndjson")

        assert daemon.tick_again_at_once("inbox").status == TickStatus.SUCCESS
        assert len(daemon.runs()) == 2

    @pytest.mark.parametrize("cursor", ["", "{", "[]", "yesterday", '{"position": "x", "of": 1}', '{"refused": [1]}'])
    def test_a_cursor_someone_else_wrote_stops_nothing(self, settings: Settings, cursor: str) -> None:
        from event_pipeline.definitions.sensor_state import SensorState

        assert SensorState.read(cursor) == SensorState()


class TestExports:
    def test_a_file_is_asked_for_until_it_is_loaded_and_again_once_it_changed(
        self, settings: Settings, lake: Lake, daemon: Daemon
    ) -> None:
        settings.exports_dir.mkdir(parents=True)
        path = settings.exports_dir / "college.json"
        path.write_text(json.dumps({"clubs": {"c1": {"name": "Robotics"}}}))
        first = daemon.tick("exports").run_keys
        daemon.end(daemon.runs()[0].run_id)
        assert ingest_exports(lake, settings).changes == {"clubs": 1}

        assert daemon.tick("exports").skip_reason == "nothing new"
        path.write_text(json.dumps({"clubs": {"c1": {"name": "Robotics Society"}}}))
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 60))
        second = daemon.tick("exports").run_keys

        assert len(first) == len(second) == 1
        assert first != second


class TestOtherFiles:
    @pytest.mark.parametrize("sensor", ["exports", "inbox"])
    def test_each_is_noted_once_with_what_to_do_until_it_goes(
        self, settings: Settings, daemon: Daemon, lake: Lake, sensor: str
    ) -> None:
        folder, read = (
            (settings.exports_dir, ingest_exports) if sensor == "exports" else (settings.inbox_dir, ingest_inbox)
        )
        for inner in ("done", "failed") if sensor == "inbox" else ():
            (folder / inner).mkdir(parents=True)
        folder.mkdir(parents=True, exist_ok=True)
        assert daemon.tick(sensor).skip_reason == "nothing new"
        names = ["2023", "A.NDJSON", "output-0", "people.csv", "records.txt"]
        for name in (*names[1:], ".DS_Store", "x.ndjson.part", "y.ndjson.tmp", "z.ndjson~"):
            (folder / name).write_text("{}")
        (folder / names[0]).mkdir()
        assert daemon.tick(sensor).run_keys
        daemon.end(daemon.runs()[0].run_id)
        assert read(lake, settings).failures == []
        state, message = _state_of(lake)
        assert state == "ok"
        assert [note.partition(": ")[0] for note in message.split("; ") if "was not read: " in note] == names
        assert "A.NDJSON: was not read: write the ending of its name in small letters" in message
        assert "output-0: was not read: it is a managed export" in message
        assert "one of registrations is read as a Google Sheet" in message
        assert daemon.tick(sensor).skip_reason == "nothing new"
        (folder / names[0]).rmdir()
        for name in names[1:]:
            (folder / name).unlink()
        assert daemon.tick(sensor).run_keys
        daemon.end(daemon.runs()[0].run_id)
        read(lake, settings)
        assert _state_of(lake) == ("ok", None)
        assert daemon.tick(sensor).skip_reason == "nothing new"

    def test_a_refusal_leaves_with_its_file_though_no_other_is_there(
        self, settings: Settings, daemon: Daemon, lake: Lake
    ) -> None:
        settings.exports_dir.mkdir(parents=True)
        path = settings.exports_dir / "cut.json"
        path.write_text('{"clubs": {"c1"')
        ingest_exports(lake, settings)
        assert _state_of(lake)[0] == "refused"
        assert daemon.tick("exports").skip_reason == "nothing new"
        path.unlink()
        assert daemon.tick("exports").run_keys
        daemon.end(daemon.runs()[0].run_id)
        ingest_exports(lake, settings)
        assert _state_of(lake) == ("ok", None)


def _state_of(lake: Lake) -> tuple[str, str]:
    found = lake.connection.execute(f"SELECT state, message FROM {SOURCE_STATE.qualified}").fetchall()
    assert len(found) == 1
    return found[0]


def test_the_clock_of_a_tick_is_bounded() -> None:
    assert peeks.TICK_SECONDS < 60
