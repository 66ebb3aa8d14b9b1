"""Inbox files: every line arrives once, whatever it holds, and a file leaves only when all of it is committed."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from event_pipeline.errors import PermanentError
from event_pipeline.sources.change import CHANGE_SCHEMA, ChangeBatch, NothingKnown, version_of
from event_pipeline.sources.documents import wrap_garbled
from event_pipeline.sources.inbox import InboxSource
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.sources.memory_lake import MemoryLake

MODIFIED = datetime(2025, 6, 8, 3, 0, tzinfo=UTC)
SCAN = {
    "type": "scan",
    "qr_code_data": '{"type":"NITS_EVENT_ATTENDANCE","registrationId":"r1"}',
    "scanned_at": "2025-06-08T02:55:00.000Z",
    "scanner_id": "door-1",
    "received_at": "2025-06-08T02:56:00.123Z",
}
EMAIL = {
    "type": "email_event",
    "provider": "sendgrid",
    "provider_event_id": "ev1",
    "message_id": "m1",
    "event": "delivered",
    "email": "a@example.org",
    "occurred_at": "2025-06-08T02:50:00Z",
    "registration_id": "r1",
    "event_id": "e1",
    "mail_type": "qr_code",
}
PAYMENT = {
    "type": "payment_event",
    "provider": "razorpay",
    "provider_event_id": "pe1",
    "payment_id": "pay1",
    "registration_id": "r1",
    "event_id": "e1",
    "status": "captured",
    "amount_minor": 15000,
    "currency": "INR",
    "occurred_at": "2025-06-08T02:50:00Z",
}


@pytest.fixture
def inbox(tmp_path: Path) -> InboxSource:
    return InboxSource(tmp_path, batch_size=1000)


def drop(directory: Path, name: str, *lines: str | bytes | dict[str, Any], end: bytes = b"\n") -> Path:
    texts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    path = directory / name
    path.write_bytes(b"\n".join(text.encode() if isinstance(text, str) else text for text in texts) + end)
    os.utime(path, (MODIFIED.timestamp(), MODIFIED.timestamp()))
    return path


def rows_of(source: InboxSource, path: Path) -> list[dict[str, Any]]:
    return [row for batch in source.read(path, NothingKnown()) for row in batch.changes.to_pylist()]


def commit_all(source: InboxSource, lake: MemoryLake) -> int:
    count = 0
    for path in source.files():
        count += sum(len(lake.commit(batch)) for batch in source.read(path, lake))
        source.mark_done(path)
    return count


def test_each_kind_of_record_goes_to_its_collection(inbox: InboxSource, tmp_path: Path) -> None:
    batches = list(inbox.read(drop(tmp_path, "a.ndjson", SCAN, EMAIL, PAYMENT), NothingKnown()))
    assert sorted(batch.collection for batch in batches) == ["email_events", "payment_events", "scans"]
    for batch in batches:
        assert batch.changes.schema == CHANGE_SCHEMA
        assert batch.source == "inbox"
        assert batch.changes.column("collection").to_pylist() == [batch.collection]
    rows = {row["collection"]: row for batch in batches for row in batch.changes.to_pylist()}
    assert rows["email_events"]["document_id"] == "sendgrid:ev1"
    assert rows["payment_events"]["document_id"] == "razorpay:pe1"
    assert len(rows["scans"]["document_id"]) == 32
    assert json.loads(rows["scans"]["payload"]) == SCAN


def test_observed_at_is_received_at_else_the_modification_time(inbox: InboxSource, tmp_path: Path) -> None:
    times = [None, "not a time", "2025-06-08T02:56:00", "9999-12-31T00:00:00Z", "1900-01-01T00:00:00Z", "2025-06-08", 5]
    good = {"2025-06-08T08:26:00.5+05:30": "02:56:00.500000", "2025-06-08T02:56:00Z": "02:56:00.000000"}
    records = [{**EMAIL, "provider_event_id": f"x{i}", "received_at": time} for i, time in enumerate([*times, *good])]
    rows = rows_of(inbox, drop(tmp_path, "a.ndjson", *records))
    assert [row["observed_at"] for row in rows[: len(times)]] == [MODIFIED] * len(times)
    assert [f"{row['observed_at']:%H:%M:%S.%f}" for row in rows[len(times) :]] == list(good.values())
    for row in rows:
        assert row["version"] == version_of(row["observed_at"], row["payload"])
        assert row["source_updated_at"] is None


def test_lines_that_are_no_record_are_kept_whole_as_unreadable(inbox: InboxSource, tmp_path: Path) -> None:
    odd = ["{broken", "[1,2]", '"text"', "5", "null", '{"type":"refund"}', '{"type":{"a":1}}', "{}", '{"a":"\\ud800"}']
    rows = rows_of(inbox, drop(tmp_path, "a.ndjson", EMAIL, *odd))
    unreadable = [row for row in rows if row["collection"] == "unreadable"]
    assert [row["payload"] for row in unreadable] == [wrap_garbled(line) for line in odd]
    for number, row in enumerate(unreadable, start=2):
        assert row["document_id"].startswith(f"a.ndjson:{number}:")
        assert row["version"] == version_of(MODIFIED, row["payload"])
    assert len(rows) == len(odd) + 1


def test_hostile_text_is_cleaned_and_goes_on(inbox: InboxSource, tmp_path: Path) -> None:
    deep = '{"type":"scan","x":' + "[" * 100_000 + "]" * 100_000 + "}"
    large = {**EMAIL, "provider_event_id": "large", "email": "x" * 1_000_000}
    many = {**EMAIL, "provider_event_id": "many", **{f"k{i}": i for i in range(10_000)}}
    bad_bytes = json.dumps({**EMAIL, "provider_event_id": "bytes", "email": "@"}).encode().replace(b"@", b"\xff\xfe")
    nul = json.dumps({**EMAIL, "provider_event_id": "nul", "email": "a\x00b\\u0000"})
    raw_nul = b'{"type":"email_event","provider":"p","provider_event_id":"raw","email":"\x00"}'
    path = drop(
        tmp_path, "a.ndjson", b"\xef\xbb\xbf" + json.dumps(SCAN).encode(), deep, large, many, bad_bytes, nul, raw_nul
    )
    rows = {row["document_id"].split(":", 1)[-1]: row for row in rows_of(inbox, path)}
    assert len(rows) == 7
    assert len(rows["large"]["payload"]) > 1_000_000
    assert len(json.loads(rows["many"]["payload"])) == len(many)
    assert json.loads(rows["bytes"]["payload"])["email"] == "\ufffd\ufffd"
    assert json.loads(rows["nul"]["payload"])["email"] == "a\ufffdb\\u0000"
    assert json.loads(rows["raw"]["payload"])["email"] == "\ufffd"
    wrapped = [row["payload"] for row in rows.values() if row["collection"] == "unreadable"]
    assert wrapped == [wrap_garbled(deep)]


def test_blank_lines_are_no_records_and_a_last_line_needs_no_end(inbox: InboxSource, tmp_path: Path) -> None:
    path = drop(
        tmp_path, "a.ndjson", "", EMAIL, "  \t", "\r", "", "oops\r", {**EMAIL, "provider_event_id": "2"}, end=b""
    )
    rows = rows_of(inbox, path)
    assert sorted(row["document_id"].split(":")[1] for row in rows) == ["2", "6", "ev1"]
    assert rows_of(inbox, drop(tmp_path, "empty.ndjson", end=b"")) == []


def test_a_record_without_provider_event_id_is_named_by_its_content(inbox: InboxSource, tmp_path: Path) -> None:
    bare = {key: value for key, value in EMAIL.items() if key != "provider_event_id"}
    records = [
        {**bare, "received_at": "2025-06-08T02:56:00Z"},
        {**bare, "received_at": "2025-06-08T02:57:00Z"},
        {**bare, "event": "open"},
        {**bare, "event": "open", "provider_event_id": ""},
        {**EMAIL, "provider_event_id": "x" * 5000},
        {"type": "scan"},
        {"type": "scan", "scanner_id": "door-2"},
    ]
    ids = [row["document_id"] for row in rows_of(inbox, drop(tmp_path, "a.ndjson", *records))]
    named = set(ids)
    assert len(ids) == len(records)
    assert len(named) == len(records) - 1
    assert all(len(document_id) == 32 for document_id in ids)


def test_a_record_delivered_again_in_another_file_is_not_a_change(tmp_path: Path, lake: MemoryLake) -> None:
    source = InboxSource(tmp_path, batch_size=1000)
    drop(tmp_path, "a.ndjson", SCAN, EMAIL, PAYMENT, "garbage")
    assert commit_all(source, lake) == 4
    late = drop(tmp_path, "b.ndjson", PAYMENT, SCAN, EMAIL)
    os.utime(late, (MODIFIED.timestamp() + 60, MODIFIED.timestamp() + 60))
    assert commit_all(source, lake) == 0
    assert source.files() == []


def test_a_crash_before_the_move_reads_again_and_yields_nothing_new(tmp_path: Path, lake: MemoryLake) -> None:
    path = drop(tmp_path, "a.ndjson", SCAN, EMAIL, "garbage")
    assert sum(len(lake.commit(batch)) for batch in InboxSource(tmp_path, 2).read(path, lake)) == 3
    restarted = InboxSource(tmp_path, 2)
    assert list(restarted.read(path, lake)) == []
    assert restarted.mark_done(path) is not None


def test_batches_are_bounded_and_of_one_collection(tmp_path: Path) -> None:
    records = [{**(EMAIL if i % 3 else PAYMENT), "provider_event_id": f"x{i}"} for i in range(25)]
    batches: list[ChangeBatch] = list(
        InboxSource(tmp_path, 4).read(drop(tmp_path, "a.ndjson", *records), NothingKnown())
    )
    assert max(batch.changes.num_rows for batch in batches) == 4
    assert sum(batch.changes.num_rows for batch in batches) == 25
    assert all(set(batch.changes.column("collection").to_pylist()) == {batch.collection} for batch in batches)


def test_only_complete_files_of_the_inbox_itself_are_seen(inbox: InboxSource, tmp_path: Path) -> None:
    for name in ("b.ndjson", "a.ndjson", "c.ndjson.part", "d.tmp", ".e.ndjson", "f.txt"):
        drop(tmp_path, name, SCAN)
    for folder in ("done", "failed", "g.ndjson"):
        (tmp_path / folder).mkdir()
        drop(tmp_path / folder, "x.ndjson", SCAN)
    assert [path.name for path in inbox.files()] == ["a.ndjson", "b.ndjson"]
    assert InboxSource(tmp_path / "missing", 10).files() == []


def test_done_files_go_to_the_folder_of_the_day_under_a_free_name(inbox: InboxSource, tmp_path: Path) -> None:
    day = date(2025, 6, 9)
    places = []
    for _ in range(3):
        path = drop(tmp_path, "a.ndjson", SCAN)
        list(inbox.read(path, NothingKnown()))
        places.append(inbox.mark_done(path, day))
    folder = tmp_path / "done" / "2025-06-09"
    assert places == [folder / "a.ndjson", folder / "a-2.ndjson", folder / "a-3.ndjson"]
    assert inbox.mark_failed(drop(tmp_path, "b.ndjson", "x"), day) == tmp_path / "failed" / "2025-06-09" / "b.ndjson"
    assert inbox.files() == []


def test_a_file_that_was_not_read_whole_or_grew_stays(inbox: InboxSource, tmp_path: Path) -> None:
    path = drop(tmp_path, "a.ndjson", SCAN, EMAIL)
    assert inbox.mark_done(path) is None
    next(inbox.read(path, NothingKnown()))
    assert inbox.mark_done(path) is None
    list(inbox.read(path, NothingKnown()))
    with path.open("a") as file:
        file.write(json.dumps(PAYMENT))
    assert inbox.mark_done(path) is None
    assert len(rows_of(inbox, path)) == 3
    assert inbox.mark_done(path) is not None


def test_purge_deletes_only_days_older_than_asked(inbox: InboxSource, tmp_path: Path) -> None:
    for day in ("2025-05-01", "2025-05-09", "2025-05-10", "keep"):
        (tmp_path / "done" / day).mkdir(parents=True)
        drop(tmp_path / "done" / day, "a.ndjson", SCAN)
    assert inbox.purge_done(30, today=date(2025, 6, 9)) == 2
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["2025-05-10", "keep"]
    assert InboxSource(tmp_path / "missing", 1).purge_done(1) == 0


def test_a_file_that_cannot_be_read_is_a_clear_error(inbox: InboxSource, tmp_path: Path) -> None:
    (tmp_path / "folder.ndjson").mkdir()
    with pytest.raises(PermanentError, match=r"folder\.ndjson cannot be read"):
        list(inbox.read(tmp_path / "folder.ndjson", NothingKnown()))


def test_a_file_that_somebody_else_picks_up_first_is_nothing_to_do(inbox: InboxSource, tmp_path: Path) -> None:
    assert list(inbox.read(tmp_path / "gone.ndjson", NothingKnown())) == []
    assert inbox.mark_done(tmp_path / "gone.ndjson") is None
    path = drop(tmp_path, "a.ndjson", SCAN)
    assert len(rows_of(inbox, path)) == 1
    path.unlink()
    assert inbox.mark_done(path) is None
    assert inbox.mark_failed(path) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
RECORDS = st.fixed_dictionaries(
    {"type": st.sampled_from(["scan", "email_event", "payment_event", "other"]) | VALUES},
    optional=dict.fromkeys(
        ("provider", "provider_event_id", "qr_code_data", "scanned_at", "scanner_id", "received_at"), VALUES
    ),
)
LINES = st.lists(
    RECORDS.map(json.dumps).map(str.encode) | st.binary(max_size=40) | st.text(max_size=20).map(str.encode)
)


@settings(deadline=None, max_examples=scaled(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, st.integers(1, 5))
def test_rows_in_equal_rows_out(tmp_path: Path, lines: list[bytes], batch_size: int) -> None:
    path = drop(tmp_path, "a.ndjson", *lines)
    written = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    records = sum(bool(line.decode("utf-8", "replace").strip(" \t\r\n")) for line in written)
    batches = list(InboxSource(tmp_path, batch_size).read(path, NothingKnown()))
    rows = [row for batch in batches for row in batch.changes.to_pylist()]
    assert len(rows) == records
    for row in rows:
        assert row["document_id"]
        assert "\x00" not in row["payload"]
        assert row["version"] == version_of(row["observed_at"], row["payload"])
        json.loads(row["payload"])
    assert all(batch.changes.num_rows <= batch_size for batch in batches)
