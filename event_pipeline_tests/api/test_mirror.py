"""Answers follow the warehouse, whoever writes it."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from event_pipeline.api.catalog_session import Session
from event_pipeline.api.event_copies import PARTS
from event_pipeline.api.mirror import Mirror
from event_pipeline.api.mirror_copies import COPIES
from event_pipeline.api.problems import Problem
from event_pipeline.api.reader import Reader
from event_pipeline.background_task import BackgroundTask, TaskStates
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline_tests.api.organisation import running_api

_PATIENCE_SECONDS = 30
_RENAME = """
import sys
from pathlib import Path
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
settings = Settings(data_dir=Path(sys.argv[1]))
with connect(settings, ("warehouse",)) as connection, write_transaction(connection, settings):
    connection.execute("UPDATE warehouse.core.dim_events SET title = 'Renamed elsewhere' WHERE event_id <> 'unknown'")
"""


def test_what_another_process_commits_is_answered_soon(copied: Settings) -> None:
    with running_api(copied) as api:
        headers = api.headers("read")
        before = api.http.get("/api/pipeline/events", headers=headers)
        snapshot = api.services.mirror.current.snapshot
        subprocess.run([sys.executable, "-c", _RENAME, str(copied.data_dir)], check=True, timeout=60)
        assert api.services.mirror.wait_beyond(snapshot, _PATIENCE_SECONDS)
        after = api.http.get("/api/pipeline/events", headers=headers | {"If-None-Match": before.headers["etag"]})
        assert after.status_code == 200
        assert {event["title"] for event in after.json()["items"]} == {"Renamed elsewhere"}
        assert {event["registrations"] for event in after.json()["items"]} == {
            event["registrations"] for event in before.json()["items"]
        }


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE warehouse.marts.agg_daily_metrics SET registrations = 9",
        "UPDATE warehouse.marts.agg_registration_pace SET registrations = 9",
        "DELETE FROM warehouse.core.fact_payments",
        "DROP TABLE warehouse.marts.agg_arrivals",
    ],
    ids=["rewritten", "part rewritten", "emptied", "dropped"],
)
def test_only_what_changed_is_copied_and_all_that_did(copied: Settings, change: str) -> None:
    reader = Reader(copied, ("warehouse",))
    mirror = Mirror(reader)
    try:
        before = mirror.refresh()
        with connect(copied, ("warehouse",)) as connection, write_transaction(connection, copied):
            connection.execute(change)
        after = mirror.refresh()
        changed = change.partition("warehouse.")[2].split()[0]
        with reader.session() as session:
            for name, (contract, content) in COPIES.items():
                if contract.name in after.present:
                    _require_same(session, content.format(source=contract.qualified), f"SELECT * FROM mirror.{name}")
            ids = [row["event_id"] for row in session.rows("SELECT event_id FROM mirror.dim_events ORDER BY event_id")]
            for name, (contract, content) in PARTS.items():
                held = [row for event_id in ids for row in after.events.rows(name, event_id)]
                # Where a table was made or dropped, none is known to be the same.
                is_read_again = contract.name == changed or change.startswith("DROP")
                assert (after.events.parts[name] is not before.events.parts[name]) == is_read_again, name
                is_there = contract.name in after.present
                assert held == (session.rows(content.format(source=contract.qualified)) if is_there else []), name
            assert after.events.rows("pace", "nobody has heard of it") == []
    finally:
        reader.close()


def _require_same(session: Session, wanted: str, found: str) -> None:
    assert session.rows(f"({wanted}) EXCEPT ALL ({found})") == [], found
    assert session.rows(f"({found}) EXCEPT ALL ({wanted})") == [], found


def test_one_look_sees_one_state(copied: Settings) -> None:
    reader = Reader(copied, ("warehouse",))
    mirror = Mirror(reader)
    try:
        mirror.refresh()
        with reader.session() as session:
            before = session.row("SELECT sum(registrations) n FROM mirror.agg_daily_metrics")
            with connect(copied, ("warehouse",)) as connection, write_transaction(connection, copied):
                connection.execute("DELETE FROM warehouse.marts.agg_daily_metrics")
                connection.execute("DELETE FROM warehouse.marts.agg_event_metrics")
            refreshed = mirror.refresh()
            assert session.row("SELECT sum(registrations) n FROM mirror.agg_event_metrics") == before
            assert mirror.state_in(session).snapshot < refreshed.snapshot
        with reader.session() as session:
            assert mirror.state_in(session).snapshot == refreshed.snapshot
            assert session.row("SELECT count(*) n FROM mirror.agg_event_metrics") == {"n": 0}
    finally:
        reader.close()


def test_a_connection_that_was_closed_is_opened_again(copied: Settings) -> None:
    with running_api(copied) as api:
        headers = api.headers("read")
        before = api.http.get("/api/pipeline/events", headers=headers)
        api.services.reader.close()
        api.services.cache = type(api.services.cache)()
        after = api.http.get("/api/pipeline/events", headers=headers)
        assert (after.status_code, after.json()) == (200, before.json())


def test_a_warehouse_that_comes_later_is_found(tmp_path, folder) -> None:
    import shutil

    from event_pipeline_tests.api.organisation import settings_for

    settings = settings_for(tmp_path, refresh_seconds=0.05)
    mirror = Mirror(Reader(settings, ("warehouse",)))
    with pytest.raises(Problem):
        mirror.refresh()
    stop = threading.Event()
    follower = BackgroundTask("follower", lambda: mirror.turn(0.05), TaskStates(), stop, expected=(Problem,))
    follower.start()
    try:
        shutil.copytree(folder, tmp_path, ignore=shutil.ignore_patterns("api"), dirs_exist_ok=True)
        assert mirror.wait_beyond(-1, _PATIENCE_SECONDS)
    finally:
        stop.set()
        follower.join()
