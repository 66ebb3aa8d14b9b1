"""load: history from files anywhere on disk, each once, and the figures that come of it."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.models.registry import MODELS
from event_pipeline.settings import load_settings, read_settings
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.control.live import LiveDagster
from event_pipeline_tests.warehouse.documents import event, registration

DAY_1 = datetime(2025, 6, 20, tzinfo=UTC)
REFRESH = "tables are as they were; bring them up to date with `event-pipeline trigger refresh`"
TREE = {
    "events": {"e1": event()},
    "registrations": {"r1": registration(), "r2": registration("ravi"), "r3": "garbled"},
}


def _put(path: Path, content: Any, days: int = 0) -> Path:
    """The file as it was written so many days after the first."""
    data = (content if isinstance(content, str) else json.dumps(content)).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    at = (DAY_1 + timedelta(days=days)).timestamp()
    os.utime(path, (at, at))
    return path


def _lines(*documents: tuple[str, str, Any]) -> str:
    return "".join(json.dumps({"collection": c, "id": i, "data": d}) + "\n" for c, i, d in documents)


def _raw(query: str) -> list[tuple[Any, ...]]:
    with connect(read_settings(), ("lake",), read_only=True) as connection:
        return connection.execute(query).fetchall()


def _registrations() -> list[tuple[Any, ...]]:
    return _raw("SELECT document_id, operation FROM lake.raw.firebase_registrations ORDER BY document_id, version")


@pytest.fixture
def load(run: Callable[..., Any]) -> Callable[..., Any]:
    """Loads without refreshing, which has a test of its own."""
    return lambda *arguments: run("load", "--no-refresh", *map(str, arguments))


def test_load_ends_with_tables_and_figures(run, tmp_path: Path) -> None:
    ended = run("load", str(_put(tmp_path / "history" / "2025.json", TREE)))
    assert ended.code == 0, ended.err
    first, second, third = ended.out.splitlines()
    assert first == f"{tmp_path}/history/2025.json: 4 documents read, 4 new or changed"
    assert second.startswith(f"refreshed {len(MODELS)} ")
    assert third == "in quarantine: 1 document of exports; see `event-pipeline quarantine list`"
    with connect(read_settings(), ("warehouse",), read_only=True) as connection:
        counted = connection.execute("SELECT event_id, registrations FROM warehouse.marts.agg_event_metrics").fetchall()
    assert ("e1", 2) in counted


@pytest.mark.parametrize("name", ["tree.json", "tree.json.gz", "lines.ndjson", "lines.jsonl.gz"])
def test_loading_a_file_again_changes_nothing(load, tmp_path: Path, name: str) -> None:
    documents = [(c, i, d) for c, entries in TREE.items() for i, d in entries.items()]
    path = _put(tmp_path / name, TREE if name.startswith("tree") else _lines(*documents))
    assert load(path).out.splitlines() == [f"{path}: 4 documents read, 4 new or changed", REFRESH]
    before = _registrations()
    assert load(path).out.splitlines() == [f"{path}: loaded before, nothing new", REFRESH]
    copy = tmp_path / f"copied-{name}"
    copy.write_bytes(path.read_bytes())
    assert load(copy).out.splitlines()[0] == f"{copy}: 4 documents read, 0 new or changed"
    assert _registrations() == before
    assert len(before) == 3


def test_file_that_changed_is_loaded_again(load, tmp_path: Path) -> None:
    path = _put(tmp_path / "h.json", TREE)
    load(path)
    _put(path, {"registrations": {"r1": registration(status="cancelled"), "r2": registration("ravi")}}, days=1)
    assert load(path).out.splitlines()[0] == f"{path}: 2 documents read, 1 new or changed"


def test_what_is_absent_is_deleted_only_by_a_snapshot(load, tmp_path: Path) -> None:
    load(_put(tmp_path / "1.json", TREE))
    later = _put(tmp_path / "2.json", {"registrations": {"r1": TREE["registrations"]["r1"]}}, days=1)
    assert load(later).out.splitlines()[0] == f"{later}: 1 document read, 0 new or changed"
    assert {operation for _, operation in _registrations()} == {"upsert"}

    ended = load("--snapshot", later)
    assert ended.out.splitlines()[0] == f"{later}: 1 document read, 0 new or changed, 2 deleted"
    assert [item for item in _registrations() if item[1] == "delete"] == [("r2", "delete"), ("r3", "delete")]
    assert _raw("SELECT DISTINCT operation FROM lake.raw.firebase_events") == [("upsert",)]
    assert load("--snapshot", later).out.splitlines()[0] == f"{later}: loaded before, nothing new"


def test_snapshots_named_in_any_order_are_loaded_the_oldest_first(load, tmp_path: Path) -> None:
    old = _put(tmp_path / "old.json", TREE)
    new = _put(tmp_path / "new.json", {"registrations": {"r1": TREE["registrations"]["r1"]}}, days=1)
    first, second, _ = load("--snapshot", new, old).out.splitlines()
    assert first == f"{old}: 4 documents read, 4 new or changed"
    assert second == f"{new}: 1 document read, 0 new or changed, 2 deleted"


def test_file_of_the_exports_folder_is_known_to_its_sensor_too(load, tmp_path: Path) -> None:
    load(_put(tmp_path / "data" / "exports" / "h.json", TREE))
    assert _raw("SELECT cursor_name FROM lake.ops.cursors WHERE source = 'export'") == [("h.json",)]


def test_wrong_files_are_all_named_and_nothing_is_loaded(load, tmp_path: Path) -> None:
    _put(tmp_path / "good.json", TREE)
    _put(tmp_path / "guests.csv", "a,b")
    ended = load("good.json", "missing.json", "guests.csv", tmp_path)
    assert (ended.code, ended.out) == (2, "")
    missing, unknown, folder = ended.err.splitlines()
    assert missing == "error: missing.json is not there"
    assert unknown.startswith("error: guests.csv is of no known format: name a Realtime Database export .json")
    assert folder == f"error: {tmp_path} is a folder: name the files in it"
    assert not (tmp_path / "data").exists()


def test_unreadable_file_exits_with_2(load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(tmp_path / "h.json", TREE)

    def refuse(*_: object) -> None:
        # Taking the permission away would not keep root, whom tests may run as, from reading.
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    ended = load("h.json")
    monkeypatch.undo()
    assert ended.code == 2
    assert "h.json cannot be read (Permission denied): make it readable for this user" in ended.err


def test_cut_off_file_keeps_what_is_whole_and_exits_with_1(load, tmp_path: Path) -> None:
    whole = json.dumps(TREE)
    path = _put(tmp_path / "h.json", whole[: whole.index('"r3"')])
    ended = load(path)
    assert ended.code == 1
    assert ended.out.splitlines()[0] == f"{path}: 3 documents read, 3 new or changed"
    assert "h.json breaks off before its JSON tree is complete" in ended.err
    _put(path, whole, days=1)
    assert load(path).out.splitlines()[0] == f"{path}: 4 documents read, 1 new or changed"


@pytest.mark.parametrize("packed", [b"\xff" * 50, b"", b"no deflate"])
def test_packed_file_of_which_nothing_can_be_unpacked_says_so(load, tmp_path: Path, packed: bytes) -> None:
    path = _put(tmp_path / "h.json.gz", TREE)
    path.write_bytes(path.read_bytes()[:10] + packed)
    ended = load(path)
    assert ended.code == 1
    assert "h.json.gz is damaged" in ended.err
    assert "put the whole file in its place" in ended.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"-Nx1": registration()}, "holds no collection that is followed: found '-Nx1', expected clubs, categories"),
        (_lines(("clubs", "c1", {})), "holds a document a line: give it a name that ends with .ndjson"),
        (_lines(("clubs", "c1", {}), ("clubs", "c2", {})), "holds a document a line: give it a name that ends"),
    ],
)
def test_file_of_another_shape_says_what_to_do_each_time(load, tmp_path: Path, content: Any, message: str) -> None:
    path = _put(tmp_path / "h.json", content)
    for _ in range(2):
        ended = load(path)
        assert (ended.code, ended.out) == (1, REFRESH + "\n")
        assert f"error: {path} {message}" in ended.err


def test_collection_that_is_followed_later_is_loaded_then(
    load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _put(tmp_path / "h.json", TREE)
    monkeypatch.setenv("PIPELINE_FIREBASE__COLLECTIONS", '["events"]')
    ended = load(path)
    assert ended.code == 0
    assert ended.out.splitlines()[:2] == [
        f"{path}: 1 document read, 1 new or changed",
        "  left out: 3 documents of registrations, which firebase.collections does not list",
    ]
    monkeypatch.delenv("PIPELINE_FIREBASE__COLLECTIONS")
    load_settings.cache_clear()
    assert load(path).out.splitlines()[0] == f"{path}: 4 documents read, 3 new or changed"


def test_history_is_not_mixed_with_the_demo_organisation(load, tmp_path: Path) -> None:
    demo = _put(tmp_path / "data" / "exports" / "demo.json", TREE)
    ended = load(_put(tmp_path / "h.json", TREE))
    assert (ended.code, ended.out) == (2, "")
    assert "holds the demo organisation" in ended.err
    assert "PIPELINE_DATA_DIR" in ended.err
    assert load(demo).code == 0


def test_where_dagster_serves_the_folder_it_does_the_refresh(run, dagster: LiveDagster, tmp_path: Path) -> None:
    path = _put(tmp_path / "h.json", TREE)
    note = {"pid": os.getpid(), "url": dagster.url, "children": []}
    _put(tmp_path / "data" / "up.json", note)
    ended = run("load", str(path))
    assert ended.code == 0, ended.err
    assert f"refresh runs in Dagster: {dagster.url}/runs/" in ended.err
    assert ended.out.splitlines()[1].startswith("refreshed 2 tables in ")
