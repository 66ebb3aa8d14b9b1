"""The Python and TOML of the pages run as they are written."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from event_pipeline.contracts.marts import AGG_CLUB_METRICS
from event_pipeline.contracts.raw import CURSORS, RAW_TABLES
from event_pipeline.settings import Settings
from event_pipeline.sources.change import Change, ChangeBatch
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lake import Lake
from event_pipeline.warehouse.tables import create_tables
from event_pipeline_tests.docs.pages import blocks, read

_SEEN = datetime(2026, 6, 1, tzinfo=UTC)


def _run(snippet: str, data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIPELINE_")}
    return subprocess.run(
        [sys.executable, "-c", snippet, *arguments], env=clean | {"PIPELINE_DATA_DIR": str(data)}, cwd=data.parent,
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


def _load(data: Path) -> None:
    settings = Settings(data_dir=data)
    changes = [Change.upsert("export", "clubs", f"club{number}", '{"name": "x"}', _SEEN) for number in range(3)]
    with connect(settings, ("lake",)) as connection:
        create_tables(connection, [*RAW_TABLES.values(), CURSORS])
        Lake(connection, settings).commit(ChangeBatch.of("export", "clubs", changes, {"demo.json": {"is_done": True}}))


def test_moving_the_raw_tables_takes_documents_and_cursors_along(tmp_path: Path) -> None:
    (move,) = [block for block in blocks(read("operations.md"), "python") if "RAW_TABLES" in block]
    old, new, folder = tmp_path / "old", tmp_path / "new", tmp_path / "moved"
    folder.mkdir()
    _load(old)
    _run(move, old, "out", str(folder))
    _run(move, new, "in", str(folder))
    settings = Settings(data_dir=new)
    with connect(settings, ("lake",)) as connection:
        lake = Lake(connection, settings)
        assert {name: lake.row_count(name) for name in RAW_TABLES if lake.row_count(name)} == {"clubs": 3}
        assert lake.cursors("export") == {"demo.json": {"is_done": True}}


def test_reading_the_warehouse_works_as_written(tmp_path: Path) -> None:
    (reading,) = [block for block in blocks(read("operations.md"), "python") if "agg_club_metrics" in block]
    data = tmp_path / "data"
    with connect(Settings(data_dir=data), ("warehouse",)) as connection:
        create_tables(connection, [AGG_CLUB_METRICS])
    assert "attendance_rate" in _run(reading, data).stdout


@pytest.mark.parametrize("block", blocks(read("getting-started-firebase.md"), "toml"), ids=["firestore", "realtime"])
def test_the_settings_of_the_getting_started_page_are_valid(block: str) -> None:
    assert Settings(**tomllib.loads(block)).firebase.backend != "none"
