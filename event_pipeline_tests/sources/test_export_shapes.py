"""Exports of the tools that people use: each kind of file gives the documents it holds, or the true reason why not."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.settings import COLLECTIONS
from event_pipeline.sources.export_folder import ExportFolder
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.sources.test_export_files import (
    DAY_1,
    lines,
    load,
    load_until_error,
    places,
    put,
    source_of,
)

ROOT = "projects/p/databases/(default)/documents"
AT = datetime(2025, 6, 1, 10, tzinfo=UTC)
REST = {
    "name": f"{ROOT}/registrations/r1",
    "fields": {
        "event_id": {"stringValue": "e1"},
        "team": {
            "arrayValue": {"values": [{"mapValue": {"fields": {"name": {"stringValue": "Asha"}}}}, {"nullValue": None}]}
        },
        "none": {"arrayValue": {}},
        "amount": {"integerValue": "9007199254740993"},
        "share": {"doubleValue": 0.5},
        "paid": {"booleanValue": True},
        "created_at": {"timestampValue": "2025-06-01T09:00:00.123456Z"},
        "photo": {"bytesValue": "aGk="},
        "club": {"referenceValue": f"{ROOT}/clubs/c1"},
        "at": {"geoPointValue": {"latitude": 24.75, "longitude": 92.79}},
    },
    "createTime": "2025-06-01T09:00:00Z",
    "updateTime": "2025-06-01T10:00:00.000000Z",
}
PLAIN = {
    "event_id": "e1",
    "team": [{"name": "Asha"}, None],
    "none": [],
    "amount": 9007199254740993,
    "share": 0.5,
    "paid": True,
    "created_at": "2025-06-01T09:00:00.123456Z",
    "photo": "aGk=",
    "club": "clubs/c1",
    "at": {"latitude": 24.75, "longitude": 92.79},
}
CHAT = {"name": f"{ROOT}/event_chat/e1/messages/m1", "fields": {}, "updateTime": "2025-06-01T10:00:00Z"}
MISSING = {"name": f"{ROOT}/event_chat/e1"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.json", json.dumps({"documents": [REST, CHAT, MISSING], "nextPageToken": "x"}, indent=2)),
        ("page.json.gz", json.dumps({"nextPageToken": "x", "documents": [REST, CHAT]})),
        (
            "query.json",
            json.dumps([{"document": REST, "readTime": "2025-06-02T00:00:00Z"}, {"document": CHAT}], indent=1),
        ),
        ("query.json", json.dumps([{"document": REST}, {"document": CHAT}, {"readTime": "2025-06-02T00:00:00Z"}])),
        ("batch.json", json.dumps([{"found": REST}, {"found": CHAT, "readTime": "2025-06-02T00:00:00Z"}])),
        ("list.json", "\ufeff" + json.dumps([REST, CHAT], indent=4)),
        ("lines.ndjson", lines(REST, CHAT)),
        ("lines.json", lines(REST, CHAT)),
        ("pages.ndjson", lines({"documents": [REST]}, {"documents": [CHAT]}, {})),
        ("results.ndjson", lines({"document": REST, "readTime": "2025-06-02T00:00:00Z"}, {"document": CHAT})),
        (
            "listen.ndjson",
            lines({"documentChange": {"document": REST, "targetIds": [1]}}, {"documentChange": {"document": CHAT}}),
        ),
    ],
)
def test_documents_of_the_rest_interface_are_read(tmp_path: Path, lake: MemoryLake, name: str, content: str) -> None:
    put(tmp_path / name, content)
    rows = [row for row in load(source_of(tmp_path), lake) if row["collection"] != "unreadable"]
    assert places(rows) == {("registrations", "r1"), ("event_chat", "e1/m1")}
    assert {row["source_updated_at"] for row in rows} == {AT}
    assert json.loads(lake.payload("registrations", "r1")) == PLAIN


@pytest.mark.parametrize("indent", [None, 2])
def test_a_single_rest_document_is_read(tmp_path: Path, lake: MemoryLake, indent: int | None) -> None:
    put(tmp_path / "one.json", json.dumps(REST, indent=indent))
    assert places(load(source_of(tmp_path), lake)) == {("registrations", "r1")}
    assert json.loads(lake.payload("registrations", "r1")) == PLAIN


def change(operation: str, at: Any, data: Any, key: str = "r1", **more: Any) -> dict[str, Any]:
    return {
        "timestamp": at,
        "event_id": "b2f1",
        "document_name": f"{ROOT}/registrations/{key}",
        "document_id": key,
        "operation": operation,
        "data": None if data is None else json.dumps(data),
        "old_data": None,
        **more,
    }


@pytest.mark.parametrize("name", ["rows.ndjson", "registrations_raw_changelog.json", "rows.json.gz", "array.json"])
def test_the_bigquery_changelog_ends_at_the_newest_state(tmp_path: Path, lake: MemoryLake, name: str) -> None:
    rows = [
        change("DELETE", "2025-06-03 10:00:00 UTC", None, "r2", path_params='{"documentId": "r2"}'),
        change("UPDATE", "2025-06-02 10:00:00.5 UTC", {"status": "cancelled"}),
        change(
            "CREATE",
            "2025-06-01 10:00:00",
            {"status": "registered", "at": {"_seconds": 1749351300, "_nanoseconds": 5000}},
        ),
        change("CREATE", "2025-06-01T10:00:00Z", {"status": "registered"}, "r2"),
        change("IMPORT", "1970-01-01 00:00:00 UTC", {"status": "imported"}),
        change("IMPORT", "0", {"status": "imported"}, "r3"),
        change("CREATE", "2025-06-01 11:00:00", {"at": {"_seconds": 1749351300, "_nanoseconds": 5000}}, "r4"),
    ]
    put(tmp_path / name, json.dumps(rows) if name.startswith("array") else lines(*rows))
    taken = load(source_of(tmp_path), lake)
    assert {row["collection"] for row in taken} == {"registrations"}
    assert lake.ids("registrations") == ["r1", "r3", "r4"]
    assert json.loads(lake.payload("registrations", "r1")) == {"status": "cancelled"}
    assert json.loads(lake.payload("registrations", "r4")) == {"at": "2025-06-08T02:55:00.000005Z"}


def test_a_changelog_row_that_cannot_be_read_is_kept_and_says_why(tmp_path: Path, lake: MemoryLake) -> None:
    rows = [
        change("CREATE", "2025-06-01 10:00:00", {}),
        change("TRUNCATE", "2025-06-01 10:00:00", {}),
        change("UPDATE", "2025-06-01 10:00:00", None),
        change("UPDATE", "2025-06-01 10:00:00", {}) | {"data": "{broken"},
        change("UPDATE", "2025-06-01 10:00:00", {}) | {"document_name": "nowhere"},
    ]
    source = source_of(tmp_path)
    put(tmp_path / "rows.ndjson", lines(*rows))
    taken = load(source, lake)
    assert [row["collection"] for row in taken].count("unreadable") == 4
    (note,) = source.notes["rows.ndjson"]
    assert note == (
        "in quarantine: line 2 was not read: operation is 'TRUNCATE', not one of CREATE, UPDATE, IMPORT, DELETE; "
        "line 3 was not read: data is missing; line 4 was not read: data is no JSON text; "
        "line 5 was not read: 'nowhere' is no name of a document"
    )


NODE_DOCUMENT = {
    "event_id": "e1",
    "at": {"__datatype__": "timestamp", "value": {"_seconds": 1749351300, "_nanoseconds": 123456789}},
    "where": [{"__datatype__": "geopoint", "value": {"_latitude": 24.75, "_longitude": 92.79}}],
    "club": {"deep": {"__datatype__": "documentReference", "value": "clubs/c1"}},
    "__collections__": {},
}
NODE_PLAIN = {
    "event_id": "e1",
    "at": "2025-06-08T02:55:00.123456Z",
    "where": [{"latitude": 24.75, "longitude": 92.79}],
    "club": {"deep": "clubs/c1"},
}
NODE_CHAT = {"e1": {"__collections__": {"messages": {"m1": {"message": "hi", "__collections__": {}}}}}}
NODE_ROOT = {
    "__collections__": {
        "registrations": {"r1": {**NODE_DOCUMENT, "__collections__": {"notes": {"n1": {"__collections__": {}}}}}},
        "event_chat": NODE_CHAT,
        "users": {"u1": {"__collections__": {}}},
    }
}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_node_firestore_export_is_read_with_its_subcollections(
    tmp_path: Path, lake: MemoryLake, indent: int | None
) -> None:
    put(tmp_path / "backup.json", json.dumps(NODE_ROOT, indent=indent))
    source = source_of(tmp_path)
    assert places(load(source, lake)) == {("registrations", "r1"), ("event_chat", "e1/m1")}
    assert json.loads(lake.payload("registrations", "r1")) == NODE_PLAIN
    assert json.loads(lake.payload("event_chat", "e1/m1")) == {"message": "hi"}
    assert source.not_followed == {"registrations/notes": 1, "users": 1}
    assert lake.latest[("registrations", "r1")]["observed_at"] == DAY_1


@pytest.mark.parametrize(
    ("name", "path", "content", "found"),
    [
        (
            "registrations.json",
            None,
            {"r1": {"event_id": "e1"}, "r2": {}},
            {("registrations", "r1"), ("registrations", "r2")},
        ),
        ("registrations-2024.json.gz", None, {"r1": {}}, {("registrations", "r1")}),
        ("my-project-default-rtdb-registrations-export.json", None, {"r1": {}}, {("registrations", "r1")}),
        ("event_chat.json", None, {"e1": {"m1": {}}}, {("event_chat", "e1/m1")}),
        ("event_chat%2Fe1.json", None, {"m1": {}, "m2": {}}, {("event_chat", "e1/m1"), ("event_chat", "e1/m2")}),
        ("x.json", "registrations", {"r1": {}}, {("registrations", "r1")}),
        ("x.json", "registrations", [{"n": 1}, None, {"n": 2}], None),
        ("x.json", "event_chat/e1", {"m1": {}}, {("event_chat", "e1/m1")}),
        ("x.json", "registrations/r1", {"event_id": "e1"}, {("registrations", "r1")}),
        ("x.json", "registrations", {"r1": NODE_DOCUMENT}, {("registrations", "r1")}),
        ("x.json", "event_chat", NODE_CHAT, {("event_chat", "e1/m1")}),
        ("x.json", "event_chat/e1", NODE_CHAT["e1"], {("event_chat", "e1/m1")}),
        ("x.json", "event_chat/e1/messages", {"m1": {"__collections__": {}}}, {("event_chat", "e1/m1")}),
        ("registrations.json", None, {"clubs": {"c1": {}}}, {("clubs", "c1")}),
    ],
)
def test_a_part_of_the_database_is_read_at_its_path(
    tmp_path: Path, lake: MemoryLake, name: str, path: str | None, content: Any, found: set[tuple[str, str]] | None
) -> None:
    put(tmp_path / name, json.dumps(content, indent=1))
    rows, error = load_until_error(source_of(tmp_path, path=path), lake)
    if found is None:
        assert "is a list whose entries are no documents" in error
    else:
        assert (places(rows), error) == (found, "")


def test_a_part_that_breaks_off_is_no_whole_part(tmp_path: Path, lake: MemoryLake) -> None:
    text = json.dumps({"r1": {"event_id": "e1"}, "r2": {}})
    put(tmp_path / "registrations.json", text[:-1])
    rows, error = load_until_error(source_of(tmp_path), lake)
    assert places(rows) == {("registrations", "r1"), ("registrations", "r2")}
    assert "registrations.json breaks off before its JSON tree is complete; the last whole entry ends at byte " in error


def test_a_list_that_breaks_off_says_so(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "page.json", json.dumps([{"document": REST}, {"document": CHAT}])[:-1])
    rows, error = load_until_error(source_of(tmp_path), lake)
    assert places(rows) == {("registrations", "r1"), ("event_chat", "e1/m1")}
    assert "page.json is no whole JSON tree" in error


@pytest.mark.parametrize("name", ["page.json", "page.json.gz", "lines.ndjson"])
def test_many_records_are_read_in_bounded_blocks(tmp_path: Path, lake: MemoryLake, name: str) -> None:
    records = [{**REST, "name": f"{ROOT}/registrations/r{number}"} for number in range(3_000)]
    put(tmp_path / name, lines(*records) if name.endswith("ndjson") else json.dumps({"documents": records}, indent=1))
    assert len(load(source_of(tmp_path), lake)) == 3_000
    assert len(lake.ids("registrations")) == 3_000


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.json", b"name,email\nAsha,a@example.org\n", "x.json is no JSON of documents, it begins with 'name,email"),
        ("x.json", b'"a text"', "x.json is no JSON of documents, it begins with"),
        (
            "x.json",
            b"[1, 2, 3]",
            "x.json is a list whose entries are no documents: expected documents of Firestore's REST",
        ),
        ("x.json", "{}".encode("utf-16"), "x.json is text in UTF-16: save it as UTF-8"),
        ("x.json", gzip.compress(b"{}", mtime=0), "x.json is gzipped: give it a name that ends with .gz"),
        ("x.ndjson", b"PK\x03\x04rest", "x.ndjson is a zip archive or a workbook: unpack it, or save it as JSON"),
        ("x.ndjson", b"Obj\x01rest", "x.ndjson is an Avro file: export the table as JSON, newline delimited"),
    ],
)
def test_what_is_no_export_is_refused_with_what_it_is(
    tmp_path: Path, lake: MemoryLake, name: str, content: bytes, reason: str
) -> None:
    put(tmp_path / name, content)
    rows, error = load_until_error(source_of(tmp_path), lake)
    assert rows == []
    assert error.startswith(reason)


def test_a_whole_database_is_not_loaded_at_a_path(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "x.json", {"clubs": {"c1": {}}, "registrations": {"r1": {}}})
    rows, error = load_until_error(source_of(tmp_path, path="registrations"), lake)
    assert (rows, error) == ([], "x.json holds clubs, registrations at its top: load it without a path")


def test_a_part_of_a_collection_is_no_snapshot_of_it(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "1.json", {"event_chat": {"e1": {"m1": {}}, "e2": {"m1": {}}}})
    load(source_of(tmp_path), lake)
    put(tmp_path / "1.json", {"m1": {}})
    _, error = load_until_error(source_of(tmp_path, path="event_chat/e1", is_snapshot=True), lake)
    assert "1.json is a part of a collection at event_chat/e1: load it without --snapshot" in error
    assert lake.ids("event_chat") == ["e1/m1", "e2/m1"]


@pytest.mark.parametrize("name", ["x.json", "x.ndjson", "x.ndjson.gz"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_wide_text_is_refused_by_the_name_of_its_encoding(
    tmp_path: Path, lake: MemoryLake, name: str, encoding: str
) -> None:
    put(tmp_path / name, lines({"collection": "clubs", "id": "a", "data": {}}).encode(encoding))
    rows, error = load_until_error(source_of(tmp_path), lake)
    assert rows == []
    assert error == f"{name} is text in {encoding[:6].upper()}: save it as UTF-8"


@pytest.mark.parametrize("name", ["x.json", "x.ndjson"])
def test_zero_bytes_are_said_to_be_such(tmp_path: Path, lake: MemoryLake, name: str) -> None:
    put(tmp_path / name, b"\0" * 5000)
    rows, error = load_until_error(source_of(tmp_path), lake)
    assert rows == []
    assert error == f"{name} begins with zero bytes, as files do after a full disk or a crash: export it again"


def test_a_file_of_the_folder_of_which_nothing_is_taken_is_noted(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "denied.json", {"error": "Permission denied"})
    put(tmp_path / "part.json", {"secrets": {"a": {}}, "clubs": {"c": {}}})
    folder = ExportFolder(tmp_path, COLLECTIONS, 1000)
    for _ in range(2):
        assert places(load(folder, lake)) <= {("clubs", "c")}
        assert list(folder.notes) == ["denied.json"]
        assert folder.notes["denied.json"][0].startswith(
            "holds no collection that is followed: found 'error', expected"
        )
