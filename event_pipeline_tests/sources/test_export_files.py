"""Export files: each is loaded once, whole or with an error that says where it broke; nothing is versioned twice."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from event_pipeline.errors import PermanentError
from event_pipeline.settings import COLLECTIONS
from event_pipeline.sources.change import CHANGE_SCHEMA, ChangeBatch, NothingKnown, version_of
from event_pipeline.sources.documents import wrap_garbled
from event_pipeline.sources.export_files import ExportFilesSource
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.sources.memory_lake import MemoryLake, ids_of

DAY_1 = datetime(2025, 6, 8, 3, 0, 0, 250_000, tzinfo=UTC)
DAY_2 = DAY_1 + timedelta(days=1)
TREE = {
    "clubs": {"c1": {"name": "Robotics"}, "c2": {"name": "Drama"}},
    "registrations": {"r1": {"event_id": "e1"}, "r2": "garbled"},
    "event_chat": {"e1": {"m1": {"message": "hi"}}},
}


def put(path: Path, content: Any, modified: datetime = DAY_1) -> Path:
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    nanoseconds = round(modified.timestamp() * 1_000_000) * 1000
    os.utime(path, ns=(nanoseconds, nanoseconds))
    return path


def lines(*records: Any) -> str:
    return "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)


def source_of(directory: Path, batch_size: int = 1000, **options: Any) -> ExportFilesSource:
    return ExportFilesSource(directory, options.pop("collections", COLLECTIONS), batch_size, **options)


def load(source: ExportFilesSource, lake: MemoryLake) -> list[dict[str, Any]]:
    return [row for batch in source.poll(lake.cursors, lake) for row in lake.commit(batch)]


def load_until_error(source: ExportFilesSource, lake: MemoryLake) -> tuple[list[dict[str, Any]], str]:
    rows: list[dict[str, Any]] = []
    try:
        for batch in source.poll(lake.cursors, lake):
            rows += lake.commit(batch)
    except PermanentError as error:
        return rows, str(error)
    return rows, ""


def places(rows: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(row["collection"], row["document_id"]) for row in rows}


@pytest.mark.parametrize("name", ["export.json", "export.json.gz"])
def test_every_document_of_a_tree_is_a_change(tmp_path: Path, lake: MemoryLake, name: str) -> None:
    path = put(tmp_path / name, TREE)
    rows = load(source_of(tmp_path), lake)
    assert places(rows) == {
        ("clubs", "c1"), ("clubs", "c2"), ("registrations", "r1"), ("registrations", "r2"), ("event_chat", "e1/m1"),
    }  # fmt: skip
    for row in rows:
        assert row["source"] == "export"
        assert row["operation"] == "upsert"
        assert row["observed_at"] == DAY_1
        assert row["source_updated_at"] is None
        assert row["version"] == version_of(DAY_1, row["payload"])
    assert lake.cursors == {
        name: {
            "size": path.stat().st_size,
            "modified_us": 1749351600250000,
            "content_hash": hashlib.sha256(path.read_bytes()).hexdigest(),
            "is_done": True,
        }
    }


def test_batches_are_bounded_and_the_last_carries_the_cursor(tmp_path: Path) -> None:
    put(tmp_path / "export.json", {"clubs": {f"c{i}": {"n": i} for i in range(7)}, "tags": {"t": {}}})
    batches: list[ChangeBatch] = list(source_of(tmp_path, 3).poll({}, NothingKnown()))
    assert [(batch.collection, batch.changes.num_rows) for batch in batches] == [
        ("clubs", 3), ("clubs", 3), ("clubs", 1), ("tags", 1),
    ]  # fmt: skip
    assert [bool(batch.cursors) for batch in batches] == [False, False, False, True]
    assert all(batch.changes.schema == CHANGE_SCHEMA for batch in batches)


def test_a_loaded_file_is_not_read_again(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "export.json", TREE)
    assert len(load(source_of(tmp_path), lake)) == 5
    assert list(source_of(tmp_path).poll(lake.cursors, lake)) == []


def test_a_load_that_was_interrupted_ends_the_same(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "export.json", {"clubs": {f"c{i}": {"n": i} for i in range(10)}})
    for batch in source_of(tmp_path, 3).poll({}, lake):
        lake.commit(batch)
        break
    rest = load(source_of(tmp_path, 3), lake)
    assert len(rest) == 7
    assert len(lake.ids("clubs")) == 10
    assert lake.cursors["export.json"]["is_done"] is True


def test_only_what_changed_since_the_last_export_is_a_version(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "1.json", TREE)
    load(source_of(tmp_path), lake)
    put(tmp_path / "2.json", {**TREE, "clubs": {"c1": {"name": "Robotics"}, "c2": {"name": "Theatre"}}}, DAY_2)
    assert ids_of(load(source_of(tmp_path), lake)) == ["c2"]
    put(tmp_path / "3.json", {**TREE, "clubs": {"c2": {"name": "Theatre"}}}, DAY_2)
    assert load(source_of(tmp_path), lake) == []
    assert lake.cursors["3.json"]["is_done"] is True


def test_a_touched_file_does_not_bring_an_old_state_back(tmp_path: Path, lake: MemoryLake) -> None:
    old = put(tmp_path / "1.json", {"clubs": {"c1": {"name": "old"}}})
    put(tmp_path / "2.json", {"clubs": {"c1": {"name": "new"}}}, DAY_2)
    load(source_of(tmp_path), lake)
    os.utime(old)
    assert load(source_of(tmp_path), lake) == []
    assert lake.cursors["1.json"]["modified_us"] == old.stat().st_mtime_ns // 1000
    assert lake.payload("clubs", "c1") == '{"name": "new"}'


def test_a_replaced_file_of_the_same_size_is_loaded_again(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "1.json", {"clubs": {"c1": {"name": "a"}}})
    load(source_of(tmp_path), lake)
    put(tmp_path / "1.json", {"clubs": {"c1": {"name": "b"}}}, DAY_2)
    assert len(load(source_of(tmp_path), lake)) == 1
    assert lake.payload("clubs", "c1") == '{"name": "b"}'


def test_unfinished_and_foreign_files_are_ignored(tmp_path: Path) -> None:
    for name in ("a.json.part", "a.json.tmp", ".a.json", "notes.txt", "a.ndjson.part"):
        put(tmp_path / name, TREE)
    (tmp_path / "folder.json").mkdir()
    assert source_of(tmp_path).files() == source_of(tmp_path / "missing").files() == []
    assert list(source_of(tmp_path).poll({}, NothingKnown())) == []


def test_documents_of_collections_that_are_not_followed_are_counted(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "1.json", {**TREE, "secrets": {"a": 1, "b": 2}, "flag": True})
    put(tmp_path / "2.ndjson", lines({"collection": "secrets", "id": "c", "data": {}}))
    source = source_of(tmp_path, collections=["clubs"])
    assert places(load(source, lake)) == {("clubs", "c1"), ("clubs", "c2")}
    assert source.not_followed == {"registrations": 2, "event_chat": 1, "secrets": 3, "flag": 1}
    assert set(lake.cursors) == {"1.json", "2.ndjson"}


def test_garbled_documents_are_wrapped_and_versioned_as_wrapped(tmp_path: Path, lake: MemoryLake) -> None:
    bad = [r'{"a":"\ud800"}', r'{"a":"\q"}', '{"a":"\x01"}', "{'a':1}", "tru", "[" * 300 + "]" * 300]
    good = ['{"a": 1.50}', '"text"', "null", "[1,2]", "12345678901234567890123", "[" * 200 + "]" * 200]
    documents = ",".join(f'"d{i}":{text}' for i, text in enumerate([*bad, *good]))
    put(tmp_path / "export.json", '{"clubs":{' + documents + "}}")
    rows, error = load_until_error(source_of(tmp_path), lake)
    assert "{'a'" not in error
    assert [row["payload"] for row in rows] == [*map(wrap_garbled, bad), *good]
    for row in rows:
        assert row["version"] == version_of(DAY_1, row["payload"])


def test_invalid_bytes_are_replaced_and_counted(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "1.json", b'{"clubs":{"a":{"x":"\xff"},"b":{}}}')
    put(tmp_path / "2.ndjson", b'{"collection":"tags","id":"t","data":{"x":"\xff\\u0000\x00"}}\n')
    source = source_of(tmp_path)
    load(source, lake)
    assert source.replaced == 2
    assert json.loads(lake.payload("clubs", "a")) == {"x": "\ufffd"}
    assert json.loads(lake.payload("tags", "t")) == {"x": "\ufffd\ufffd\ufffd"}


def test_a_broken_file_yields_what_is_whole_and_leaves_others_running(tmp_path: Path, lake: MemoryLake) -> None:
    path = put(tmp_path / "1.json", json.dumps(TREE)[:-40])
    put(tmp_path / "2.json", {"tags": {"t": {}}})
    put(tmp_path / "3.json.gz", TREE).write_bytes(gzip.compress(os.urandom(10_000))[:5000])
    rows, error = load_until_error(source_of(tmp_path, 1), lake)
    assert places(rows) == {
        ("clubs", "c1"),
        ("clubs", "c2"),
        ("registrations", "r1"),
        ("registrations", "r2"),
        ("tags", "t"),
    }
    assert "1.json breaks off" in error
    assert "last complete document: registrations/r2" in error
    assert "3.json.gz is" in error
    assert [lake.cursors[name]["is_done"] for name in ("1.json", "2.json", "3.json.gz")] == [False, True, False]
    again, same_error = load_until_error(source_of(tmp_path), lake)
    assert (again, same_error) == ([], error)
    put(path, TREE, DAY_2)
    assert ids_of(load_until_error(source_of(tmp_path), lake)[0]) == ["e1/m1"]
    assert lake.cursors["1.json"]["is_done"] is True


def test_a_file_that_grows_while_it_is_read_is_not_done(tmp_path: Path, lake: MemoryLake) -> None:
    path = put(tmp_path / "1.ndjson", lines(*({"collection": "tags", "id": f"t{i}", "data": {}} for i in range(5))))
    polling = source_of(tmp_path, 2).poll({}, lake)
    lake.commit(next(polling))
    with path.open("a") as file:
        file.write(lines({"collection": "tags", "id": "late", "data": {}}))
    for batch in polling:
        lake.commit(batch)
    assert lake.cursors == {}
    load(source_of(tmp_path), lake)
    assert len(lake.ids("tags")) == 6
    assert lake.cursors["1.ndjson"]["is_done"] is True


@pytest.mark.parametrize("name", ["x.ndjson", "x.jsonl", "x.ndjson.gz"])
def test_lines_of_every_shape_are_documents(tmp_path: Path, lake: MemoryLake, name: str) -> None:
    records = [
        {"collection": "clubs", "id": "a", "data": {"n": 1}},
        {"collection": "clubs", "document_id": "b", "payload": {"n": 2}, "update_time": "2025-06-01T00:00:00.123456Z"},
        {"collection": "tags", "id": 7, "document": {"n": 3}, "updated_at": 1748736000000},
        {"collection": "clubs", "id": "d", "operation": "delete"},
        {"collection": "clubs", "id": "e", "data": None, "operation": "upsert"},
        {"collection": "clubs", "id": "f", "data": "odd"},
    ]
    put(tmp_path / name, lines(*records))
    rows = {row["document_id"]: row for row in load(source_of(tmp_path), lake)}
    payloads = {key: row["payload"] for key, row in rows.items()}
    assert payloads == {"a": '{"n":1}', "b": '{"n":2}', "7": '{"n":3}', "d": None, "e": "null", "f": '"odd"'}
    assert rows["7"]["collection"] == "tags"
    assert rows["d"]["operation"] == "delete"
    assert rows["b"]["source_updated_at"] == datetime(2025, 6, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert rows["7"]["source_updated_at"] == datetime(2025, 6, 1, tzinfo=UTC)
    for row in rows.values():
        assert row["observed_at"] == DAY_1
        assert row["version"] == version_of(row["source_updated_at"] or DAY_1, row["payload"])


def test_update_times_that_no_clock_wrote_are_not_believed(tmp_path: Path, lake: MemoryLake) -> None:
    odd = [
        "9999-12-31T00:00:00Z",
        "1969-12-31T00:00:00Z",
        "2025-06-01",
        "2025-06-01T00:00:00",
        "soon",
        True,
        [1],
        12,
        -5,
    ]
    put(tmp_path / "tags.ndjson", lines(*({"id": f"{i}", "data": {}, "updated_at": at} for i, at in enumerate(odd))))
    rows = load(source_of(tmp_path), lake)
    assert len(rows) == len(odd)
    assert {row["source_updated_at"] for row in rows} == {None}


def test_history_with_update_times_ends_at_the_latest_state(tmp_path: Path, lake: MemoryLake) -> None:
    def state(name: str, at: str, **more: Any) -> dict[str, Any]:
        return {"collection": "clubs", "id": "c", "data": {"name": name}, "updated_at": at, **more}

    put(tmp_path / "1.ndjson", lines(state("A", "2025-01-01T00:00:00Z")))
    load(source_of(tmp_path), lake)
    put(tmp_path / "2.ndjson", lines(state("A", "2025-03-01T00:00:00Z"), state("B", "2025-02-01T00:00:00Z")))
    load(source_of(tmp_path), lake)
    assert lake.payload("clubs", "c") == '{"name":"A"}'
    put(
        tmp_path / "3.ndjson",
        lines(state("C", "2025-04-01T00:00:00Z"), state("C", "2025-05-01T00:00:00Z", operation="delete")),
    )
    load(source_of(tmp_path), lake)
    assert lake.ids("clubs") == []


def test_a_line_may_leave_its_collection_to_the_file_name(tmp_path: Path, lake: MemoryLake) -> None:
    put(
        tmp_path / "registrations-2025.ndjson",
        lines({"id": "r", "data": {}}, {"collection": "tags", "id": "t", "data": {}}),
    )
    put(tmp_path / "event_chat.jsonl", lines({"id": "e1/m1", "data": {}}))
    put(tmp_path / "other.ndjson", lines({"id": "lost", "data": {}}))
    rows = load(source_of(tmp_path), lake)
    assert {row["collection"] for row in rows} == {"registrations", "tags", "event_chat", "unreadable"}
    assert lake.ids("registrations") == ["r"]


def test_lines_that_cannot_be_read_are_kept_whole(tmp_path: Path, lake: MemoryLake) -> None:
    odd = [
        "{broken", "[]", "5", "{}", '{"collection":"clubs","data":{}}', '{"collection":"clubs","id":"x"}',
        '{"collection":"clubs","id":{"a":1},"data":{}}', '{"collection":"clubs","id":"","data":{}}',
        '{"collection":"clubs","id":"x","data":{},"operation":"replace"}', '{"collection":5,"id":"x","data":{}}',
        '{"collection":"clubs","id":"x","data":%s}' % ("[" * 300 + "]" * 300),
    ]  # fmt: skip
    put(tmp_path / "x.ndjson", lines({"collection": "clubs", "id": "ok", "data": {}}, "", *odd))
    rows = load(source_of(tmp_path), lake)
    unreadable = [row for row in rows if row["collection"] == "unreadable"]
    assert [row["payload"] for row in unreadable] == [wrap_garbled(line) for line in odd]
    hashes = [hashlib.md5(line.encode()).hexdigest()[:16] for line in odd]
    assert [row["document_id"] for row in unreadable] == [f"x.ndjson:{n}:{h}" for n, h in enumerate(hashes, start=3)]
    assert lake.ids("clubs") == ["ok"]


def test_lines_that_were_mended_are_taken_back_and_no_others(tmp_path: Path, lake: MemoryLake) -> None:
    good = {"collection": "clubs", "id": "ok", "data": {}}
    for name in ("x.ndjson", "x.ndjson:2.ndjson"):
        put(tmp_path / name, lines(good, "{broken", "{still"), DAY_2)
    load(source_of(tmp_path), lake)
    assert len(lake.ids("unreadable")) == 4
    put(tmp_path / "x.ndjson", lines(good, good | {"id": "mended"}, "{still"), DAY_1)
    load(source_of(tmp_path), lake)
    held = [key.rpartition(":")[0] for key in lake.ids("unreadable")]
    assert held == ["x.ndjson:2.ndjson:2", "x.ndjson:2.ndjson:3", "x.ndjson:3"]
    assert lake.ids("clubs") == ["mended", "ok"]
    put(tmp_path / "x.ndjson", lines(good), DAY_2 + timedelta(days=1))
    load(source_of(tmp_path), lake)
    assert len(lake.ids("unreadable")) == 2


def test_a_snapshot_deletes_what_it_lacks_in_the_collections_it_holds(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "1.json", TREE)
    load(source_of(tmp_path), lake)
    put(tmp_path / "2.json", {"clubs": {"c2": {"name": "Drama"}}, "event_chat": {"e1": {"m2": {}}}}, DAY_2)
    rows = load(source_of(tmp_path, 1, is_snapshot=True), lake)
    assert {(row["document_id"], row["operation"]) for row in rows} == {
        ("c1", "delete"), ("e1/m1", "delete"), ("e1/m2", "upsert"),
    }  # fmt: skip
    assert {row["version"] for row in rows if row["operation"] == "delete"} == {version_of(DAY_2, None)}
    assert lake.ids("clubs") == ["c2"]
    assert lake.ids("registrations") == ["r1", "r2"]


def test_an_export_that_is_no_snapshot_deletes_nothing(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "1.json", TREE)
    put(tmp_path / "2.json", {"clubs": {"c9": {}}}, DAY_2)
    load(source_of(tmp_path), lake)
    assert lake.ids("clubs") == ["c1", "c2", "c9"]


@pytest.mark.parametrize(
    ("name", "content", "modified"),
    [
        ("2.json", '{"clubs":{"c2":{}},"registrations":{"r1"', DAY_2),
        ("2.ndjson", '{"collection":"clubs","id":"c2","data":{}}\n{broken\n', DAY_2),
        ("2.json", '{"clubs":{"c2":{}}}', DAY_1 - timedelta(days=1)),
    ],
    ids=["broken", "with unreadable lines", "older than what is known"],
)
def test_a_snapshot_that_does_not_know_deletes_nothing(
    tmp_path: Path, lake: MemoryLake, name: str, content: str, modified: datetime
) -> None:
    put(tmp_path / "1.json", TREE)
    load(source_of(tmp_path), lake)
    put(tmp_path / name, content, modified)
    load_until_error(source_of(tmp_path, is_snapshot=True), lake)
    assert lake.ids("clubs") == ["c1", "c2"]


def test_an_unreadable_file_says_what_to_do(tmp_path: Path, lake: MemoryLake, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "1.json", TREE)
    put(tmp_path / "2.json", {"tags": {"t": {}}})
    opened = Path.open

    def refuse(self: Path, *arguments: Any, **options: Any) -> Any:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return opened(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    rows, error = load_until_error(source_of(tmp_path), lake)
    assert ids_of(rows) == ["t"]
    assert "1.json cannot be read (Permission denied): make it readable" in error


DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text('ab"\\{', max_size=3), inner, max_size=3),
    max_leaves=5,
)
TREES = st.dictionaries(
    st.sampled_from(COLLECTIONS[:7]), st.dictionaries(st.text("abc-_", min_size=1, max_size=3), DOCUMENTS), max_size=3
)


@settings(deadline=None, max_examples=scaled(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES, st.integers(1, 4))
def test_rows_in_equal_rows_out_as_a_tree_and_as_lines(tmp_path: Path, tree: dict[str, Any], batch_size: int) -> None:
    flat = [(collection, key, value) for collection, held in tree.items() for key, value in held.items()]
    records = lines(*({"collection": collection, "id": key, "data": value} for collection, key, value in flat))
    for name, content in (("x.json", json.dumps(tree)), ("x.ndjson", records)):
        path = put(tmp_path / name, content)
        batches = list(source_of(tmp_path, batch_size).poll({}, NothingKnown()))
        path.unlink()
        rows = [row for batch in batches for row in batch.changes.to_pylist()]
        cleaned = [(c, key, json.loads(json.dumps(value).replace("\\u0000", "\\ufffd"))) for c, key, value in flat]
        got = [(row["collection"], row["document_id"], json.loads(row["payload"])) for row in rows]
        assert sorted(got, key=repr) == sorted(cleaned, key=repr)
        assert all(row["version"] == version_of(DAY_1, row["payload"]) for row in rows)
        cursor = batches[-1].cursors[name]
        assert isinstance(cursor, dict)
        assert cursor["is_done"] is True
