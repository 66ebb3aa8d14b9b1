"""Opening the catalogs: in a moved folder, with a write-ahead log."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect


def settings_in(folder: Path) -> Settings:
    return Settings(data_dir=folder)


def test_a_data_folder_works_where_it_was_moved_to(tmp_path: Path) -> None:
    old, new = settings_in(tmp_path / "old"), settings_in(tmp_path / "new")
    with connect(old) as connection:
        connection.execute("CREATE TABLE warehouse.core.dim_clubs AS SELECT range AS club_id FROM range(5000)")

    shutil.move(old.data_dir, new.data_dir)
    with connect(new) as connection:
        connection.execute("INSERT INTO warehouse.core.dim_clubs SELECT 5000")
    with connect(new, read_only=True) as connection:
        rows = connection.execute("SELECT count(*), max(club_id) FROM warehouse.core.dim_clubs").fetchall()

    assert rows == [(5001, 5000)]


def test_a_reader_sees_the_last_commit_while_a_writer_is_in_a_transaction(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with connect(settings) as writer:
        writer.execute("CREATE TABLE warehouse.core.dim_clubs AS SELECT 1 AS club_id")
        writer.execute("BEGIN")
        writer.execute("INSERT INTO warehouse.core.dim_clubs SELECT 2")
        with connect(settings, read_only=True) as reader:
            assert reader.execute("SELECT club_id FROM warehouse.core.dim_clubs").fetchall() == [(1,)]
        writer.execute("COMMIT")
        with sqlite3.connect(settings.catalog_dir / "warehouse.sqlite") as catalog:
            assert catalog.execute("PRAGMA journal_mode").fetchall() == [("wal",)]


def test_wrong_least_and_greatest_values_in_the_catalog_hide_no_row(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with connect(settings, ("warehouse",)) as connection:
        connection.execute("CREATE TABLE warehouse.core.days (day DATE)")
        connection.execute(
            "INSERT INTO warehouse.core.days SELECT DATE '2022-01-01' + i::INTEGER FROM range(1000) t(i)"
        )
    with sqlite3.connect(settings.catalog_dir / "warehouse.sqlite") as catalog:
        catalog.execute("UPDATE ducklake_table_column_stats SET min_value = '2024-01-01'")
        catalog.execute("UPDATE ducklake_file_column_stats SET min_value = NULL, max_value = NULL")
    with connect(settings, ("warehouse",), read_only=True) as connection:
        found = connection.execute("SELECT count(*) FROM warehouse.core.days WHERE day < DATE '2023-01-01'").fetchall()
        grouped = connection.execute(
            "SELECT count(*) FROM (SELECT day FROM warehouse.core.days GROUP BY day)"
        ).fetchall()
    assert found == [(365,)]
    assert grouped == [(1000,)]
