"""Sensors of sources that may refuse, stall or be away: against local servers that speak the real protocols."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from event_pipeline.definitions import peeks
from event_pipeline.definitions.sensors import FOLLOWED_AS
from event_pipeline.settings import Settings, read_settings
from event_pipeline.sources.google_sheets import GoogleSheetsSource
from event_pipeline.stream.build import plan_sources
from event_pipeline.stream.heartbeat import Heartbeat, SourceBeat, Standing, remove_heartbeat, write_heartbeat
from event_pipeline.stream.sources.live_source import LiveState
from event_pipeline.warehouse import ingest
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.ingest import ingest_firebase, ingest_sheets
from event_pipeline.warehouse.lake import Lake
from event_pipeline_tests.definitions.daemon import Daemon
from event_pipeline_tests.realtime_database_server import Fault, RealtimeDatabase, running_realtime_database
from event_pipeline_tests.sheets_server import SheetsServer
from event_pipeline_tests.sources.realtime_organisation import ago, registrations

DENIED = Fault(status=403, body=json.dumps({"error": "Permission denied"}))
SHEET = "quiz-spreadsheet"
HEADER = ["S.No.", "Name", "Email", "Attendance Status"]


@pytest.fixture
def database(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealtimeDatabase]:
    """A served database, which the settings name."""
    with running_realtime_database() as database:
        monkeypatch.setenv("PIPELINE_FIREBASE__BACKEND", "realtime_database")
        monkeypatch.setenv("PIPELINE_FIREBASE__DATABASE_URL", database.url)
        monkeypatch.setenv("PIPELINE_FIREBASE__COLLECTIONS", '["clubs", "registrations"]')
        yield database


@pytest.fixture
def sheets(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[SheetsServer]:
    """A spreadsheet on a local server, which the settings name."""
    with SheetsServer() as server:
        monkeypatch.setenv("PIPELINE_SHEETS__SPREADSHEETS", json.dumps([{"spreadsheet_id": SHEET}]))
        monkeypatch.setattr(ingest, "GoogleSheetsSource", partial(GoogleSheetsSource, endpoint=server.endpoint))
        server.put(SHEET, "2025-06-08T00:00:00.000Z", Registrations=[HEADER, ["1", "Asha", "asha@x.in", ""]])
        yield server


@pytest.fixture
def lake(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Lake]:
    """A lake whose tables are there and empty, under the settings of the test's own source."""
    for name in ("database", "sheets"):
        if name in request.fixturenames:
            request.getfixturevalue(name)
    in_force = read_settings()
    with connect(in_force, ("lake",)) as connection:
        yield Lake.prepared(connection, in_force)


class TestRealtimeDatabase:
    @pytest.fixture
    def daemon(self, database: RealtimeDatabase, lake: Lake, daemon: Daemon) -> Daemon:
        """Started once the database is in the settings."""
        return daemon

    def test_new_document_starts_a_run_and_a_known_one_none(
        self, database: RealtimeDatabase, lake: Lake, daemon: Daemon
    ) -> None:
        database.data["registrations"] = registrations(2, minutes=1)
        (key,) = daemon.tick("realtime_database").run_keys
        daemon.end(daemon.runs()[0].run_id)
        source = ingest.firebase_source(lake.settings)
        assert source is not None
        ingest_firebase(lake, source, ["clubs", "registrations"])
        source.close()

        assert key.startswith("realtime_database:registrations:")
        assert daemon.tick("realtime_database").skip_reason == "nothing new"

    def test_a_change_keeps_its_name_however_often_it_is_seen(
        self, database: RealtimeDatabase, lake: Lake, daemon: Daemon
    ) -> None:
        database.data["registrations"] = registrations(2, minutes=1)
        (first,) = daemon.tick("realtime_database").run_keys
        daemon.end(daemon.runs()[0].run_id, failed=True)
        (second,) = daemon.tick("realtime_database").run_keys
        daemon.end(daemon.runs()[0].run_id, failed=True)
        database.data["registrations"]["-r00"]["status"] = "cancelled"
        (other,) = daemon.tick("realtime_database").run_keys

        assert (first[-2:], second[-2:], other[-2:]) == (":0", ":1", ":0")
        assert first[:-2] == second[:-2] != other[:-2]

    def test_a_collection_that_refuses_is_shown_and_left_alone_and_the_others_are_followed(
        self, database: RealtimeDatabase, daemon: Daemon
    ) -> None:
        database.data["clubs"] = {"c1": {"name": "Robotics", "updated_at": ago(minutes=1)}}
        database.faults.append(DENIED)
        refused = daemon.tick("realtime_database")
        database.requests.clear()
        quiet = daemon.tick("realtime_database")
        database.data["registrations"] = registrations(1, minutes=1)
        followed = daemon.tick("realtime_database")

        assert "Permission denied" in str(refused.skip_reason)
        assert "roles/firebasedatabase.viewer" in str(refused.skip_reason)
        assert "Permission denied" in str(quiet.skip_reason)
        assert not any("clubs" in address for address in database.requests)
        assert followed.run_keys[0].startswith("realtime_database:registrations:")

    def test_a_refusal_is_tried_again_after_a_while(self, database: RealtimeDatabase, daemon: Daemon) -> None:
        database.data["clubs"] = {"c1": {"name": "Robotics", "updated_at": ago(minutes=1)}}
        database.faults.append(DENIED)
        daemon.tick("realtime_database")
        daemon.wait(minutes=5)

        assert daemon.tick("realtime_database").run_keys[0].startswith("realtime_database:clubs:")

    def test_an_outage_ends_the_tick_and_the_next_starts_behind_it(
        self, database: RealtimeDatabase, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database.data["registrations"] = registrations(1, minutes=1)
        monkeypatch.setattr(peeks, "TICK_SECONDS", 0.0)
        database.faults.append(Fault(status=503, body="{}"))

        away = daemon.tick("realtime_database")
        back = daemon.tick("realtime_database")

        assert "could not be reached" in str(away.skip_reason)
        assert "longer than a tick may take" in str(away.skip_reason)
        assert back.run_keys[0].startswith("realtime_database:registrations:")

    def test_a_slow_collection_does_not_keep_the_sensor_from_the_next(
        self, database: RealtimeDatabase, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        database.data["registrations"] = registrations(1, minutes=1)
        monkeypatch.setattr(peeks, "TICK_SECONDS", -1.0)

        assert daemon.tick("realtime_database").skip_reason == "nothing new"
        assert daemon.tick("realtime_database").run_keys[0].startswith("realtime_database:registrations:")


class TestSheets:
    @pytest.fixture
    def daemon(self, sheets: SheetsServer, lake: Lake, daemon: Daemon) -> Daemon:
        """Started once the spreadsheet is in the settings."""
        return daemon

    def test_an_edited_sheet_starts_a_run_and_an_unchanged_one_none(
        self, sheets: SheetsServer, lake: Lake, daemon: Daemon
    ) -> None:
        (first,) = daemon.tick("sheets").run_keys
        daemon.end(daemon.runs()[0].run_id)
        assert ingest_sheets(lake, lake.settings).changes == {"sheet_rows": 1}
        unchanged = daemon.tick("sheets")
        edited = [HEADER, ["1", "Asha", "asha@x.in", "Attended"]]
        sheets.put(SHEET, "2025-06-08T01:00:00.000Z", Registrations=edited)

        assert unchanged.skip_reason == "nothing new"
        assert daemon.tick("sheets").run_keys[0][:-2] != first[:-2]

    def test_a_spreadsheet_nobody_shared_is_refused_visibly_and_left_alone(
        self, sheets: SheetsServer, daemon: Daemon
    ) -> None:
        body = {"error": {"code": 403, "message": "The caller does not have permission", "status": "PERMISSION_DENIED"}}
        sheets.drive_is_permitted = False
        sheets.fail(f"/v4/spreadsheets/{SHEET}", status=403, body=body, times=1)

        refused = daemon.tick("sheets")
        asked = len(sheets.requests)
        quiet = daemon.tick("sheets")

        assert "the source refuses; refused until" in str(refused.skip_reason)
        assert SHEET in str(refused.skip_reason)
        assert "refused until" in str(quiet.skip_reason)
        assert len(sheets.requests) == asked
        daemon.wait(minutes=5)
        assert daemon.tick("sheets").run_keys[0].startswith("sheets:")

    def test_a_quota_used_up_ends_the_tick(
        self, sheets: SheetsServer, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sheets.fail(f"/v4/spreadsheets/{SHEET}", status=429, headers={"Retry-After": "55"}, body={}, times=1)

        waiting = daemon.tick("sheets")

        assert "it asks to wait 55 s" in str(waiting.skip_reason)
        assert daemon.tick("sheets").run_keys[0].startswith("sheets:")


def follow(settings: Settings, source: str, *, silent_seconds: float = 0, **states: LiveState) -> None:
    """A stream worker says, now or some time ago, that it follows the source's collections so."""
    at = datetime.now(UTC) - timedelta(seconds=silent_seconds)
    standings = {collection: Standing(state, at) for collection, state in states.items()}
    write_heartbeat(settings, Heartbeat(1, at, at, "following", {source: SourceBeat(source, standings)}))


class TestBesideAStreamWorker:
    @pytest.fixture
    def daemon(self, database: RealtimeDatabase, lake: Lake, daemon: Daemon) -> Daemon:
        """Started once the database, which holds a new registration, is in the settings."""
        database.data["registrations"] = registrations(1, minutes=1)
        return daemon

    def test_the_sensor_stands_aside_without_asking_the_source_and_takes_over_when_the_worker_is_gone(
        self, database: RealtimeDatabase, settings: Settings, daemon: Daemon
    ) -> None:
        follow(settings, "realtime_database", clubs="live", registrations="live")
        aside = daemon.tick("realtime_database")
        asked = list(database.requests)
        remove_heartbeat(settings)

        assert (aside.run_keys, aside.skip_reason) == ([], "the stream worker follows this source live")
        assert asked == []
        assert daemon.tick("realtime_database").run_keys[0].startswith("realtime_database:registrations:")

    def test_the_sensor_takes_over_when_the_worker_has_said_nothing_for_a_while(
        self, settings: Settings, daemon: Daemon
    ) -> None:
        follow(settings, "realtime_database", clubs="live", registrations="live", silent_seconds=16)

        assert daemon.tick("realtime_database").run_keys[0].startswith("realtime_database:registrations:")

    def test_the_sensor_looks_at_the_collection_that_the_worker_cannot_follow(
        self, database: RealtimeDatabase, settings: Settings, daemon: Daemon
    ) -> None:
        database.data["clubs"] = {"c1": {"name": "Robotics", "updated_at": ago(minutes=1)}}
        follow(settings, "realtime_database", clubs="live", registrations="unavailable")

        assert daemon.tick("realtime_database").run_keys[0].startswith("realtime_database:registrations:")
        assert not any("clubs" in address for address in database.requests)

    def test_each_sensor_knows_what_the_worker_calls_its_source(
        self, database: RealtimeDatabase, sheets: SheetsServer
    ) -> None:
        followed = {source.name for source in plan_sources(read_settings())}
        assert followed == {FOLLOWED_AS.get(name, name) for name in ("inbox", "realtime_database", "sheets")}
