"""Maintenance keeps rows and forgets only what retention allows."""

from __future__ import annotations

from pathlib import Path

from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.settings import Retention, Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.maintenance import maintain
from event_pipeline.warehouse.tables import create_tables

ROW = "('registrations', '{}', 'export', 'v', 'f', 'f.r', 'rejected', NULL, 'correct it')"


def test_merging_keeps_every_row_and_recent_snapshots(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, retention=Retention(snapshot_days=1))
    with connect(settings) as connection:
        with write_transaction(connection, settings):
            create_tables(connection, [QUARANTINE])
        for number in range(5):
            with write_transaction(connection, settings):
                values = ", ".join(ROW.format(number * 1_000 + row) for row in range(50))
                connection.execute(f"INSERT INTO {QUARANTINE.qualified} VALUES {values}")
        done = maintain(connection, settings)
        rows = connection.execute(
            f"SELECT count(*), count(DISTINCT document_id) FROM {QUARANTINE.qualified}"
        ).fetchone()
        files = connection.execute("FROM ducklake_list_files('lake', 'rows', schema => 'quarantine')").fetchall()
    assert rows == (250, 250)
    assert [(each.catalog, each.snapshots_expired) for each in done] == [("lake", 0), ("warehouse", 0)]
    assert len(files) == 1


def test_snapshots_beyond_retention_are_forgotten_and_the_latest_is_kept(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with connect(settings) as connection, write_transaction(connection, settings):
        create_tables(connection, [QUARANTINE])
        connection.execute(f"INSERT INTO {QUARANTINE.qualified} VALUES {ROW.format(1)}")
    import sqlite3

    with sqlite3.connect(settings.catalog_dir / "lake.sqlite") as catalog:
        catalog.execute("UPDATE ducklake_snapshot SET snapshot_time = '2020-01-01 00:00:00+00'")
    with connect(settings) as connection:
        done = maintain(connection, settings)
        rows = connection.execute(f"SELECT count(*) FROM {QUARANTINE.qualified}").fetchone()
    assert done[0].snapshots_expired > 0
    assert rows == (1,)
