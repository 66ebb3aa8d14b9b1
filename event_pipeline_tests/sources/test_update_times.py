"""Update times of exports: one instant in every spelling, what names none is noted, and states a nanosecond apart."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.sources.change_columns import ColumnEngine
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.sources.test_export_files import DAY_1, lines, load, put, source_of

AT = datetime(2025, 6, 8, 2, 55, tzinfo=UTC)
SECONDS = 1_749_351_300
SPELLINGS = [
    "2025-06-08T02:55:00Z", "2025-06-08T02:55Z", "2025-06-08 02:55:00 UTC", "2025-06-08 02:55:00.000 UTC",
    "2025-06-08 02:55:00 +00:00", "2025-06-08T08:25:00+05:30", "2025-06-08T08:25:00+0530", "2025-06-07T19:55:00-07",
    "20250608T025500Z", "Sun, 08 Jun 2025 02:55:00 GMT", "08 Jun 2025 08:25:00 +0530",
    "Sun Jun 08 2025 08:25:00 GMT+0530 (India Standard Time)", "June 8, 2025 at 8:25:00\u202fAM UTC+5:30",
    "2025-06-08 08:25:00 Asia/Kolkata", SECONDS, str(SECONDS), f"{SECONDS}.0", SECONDS * 1_000, str(SECONDS * 1_000),
    SECONDS * 1_000_000, SECONDS * 1_000_000_000, 1.7493513e9, "1.7493513E9",
    {"_seconds": SECONDS, "_nanoseconds": 0}, {"seconds": SECONDS, "nanoseconds": 0}, {"seconds": str(SECONDS)},
    {"seconds": SECONDS, "nanos": 0}, {"__datatype__": "timestamp", "value": {"_seconds": SECONDS, "_nanoseconds": 0}},
    {"timestampValue": "2025-06-08T02:55:00Z"}, {"value": "2025-06-08T02:55:00.000Z"}, {"$date": SECONDS * 1_000},
    {"__time__": "2025-06-08T02:55:00.000000Z"},
]  # fmt: skip


def state(name: str, at: Any, key: str = "c") -> dict[str, Any]:
    return {"collection": "clubs", "id": key, "data": {"name": name}, "updated_at": at}


def test_every_spelling_names_the_same_instant(tmp_path: Path, lake: MemoryLake) -> None:
    source = source_of(tmp_path)
    put(tmp_path / "1.ndjson", lines(*(state("x", at, f"{number}") for number, at in enumerate(SPELLINGS))))
    found = {int(row["document_id"]): row["source_updated_at"] for row in load(source, lake)}
    assert [SPELLINGS[number] for number, at in found.items() if at != AT] == []
    assert len(found) == len(SPELLINGS)
    assert source.notes == {}


@pytest.mark.parametrize("key", ["updated_at", "update_time", "updatedAt", "updateTime"])
def test_the_time_may_have_any_of_its_names(tmp_path: Path, lake: MemoryLake, key: str) -> None:
    put(tmp_path / "1.ndjson", lines({"collection": "clubs", "id": "c", "data": {}, key: SECONDS}))
    assert [row["source_updated_at"] for row in load(source_of(tmp_path), lake)] == [AT]


def test_a_time_that_cannot_be_read_is_noted_and_its_document_loaded(tmp_path: Path, lake: MemoryLake) -> None:
    odd = ["soon", "2025-06-08", "2025-06-08T02:55:00", "2025-06-08 02:55:00 IST", True, [1], 12, -5, {"_seconds": "x"},
           "9999-12-31T00:00:00Z", "1969-12-31T00:00:00Z", "{", '{"_seconds":', "2025-13-45T99:99:99Z"]  # fmt: skip
    source = source_of(tmp_path)
    put(tmp_path / "1.ndjson", lines(state("A", SECONDS), *(state("x", at, f"{n}") for n, at in enumerate(odd))))
    rows = load(source, lake)
    assert len(rows) == len(odd) + 1
    assert {row["source_updated_at"] for row in rows if row["document_id"] != "c"} == {None}
    assert {row["observed_at"] for row in rows} == {DAY_1}
    (note,) = source.notes["1.ndjson"]
    assert note == (
        "14 update times could not be read (line 2: 'soon'; line 3: '2025-06-08'; line 4: '2025-06-08T02:55:00'; "
        "line 5: '2025-06-08 02:55:00 IST'; line 6: 'true'; and 9 more): the documents are loaded as of the file's own "
        "time; write times like 2025-06-08T02:55:00Z, not before 1970 nor after the file, and load it again"
    )
    assert load(source, lake) == []
    assert source.notes["1.ndjson"] == [note]
    put(tmp_path / "1.ndjson", lines(state("B", SECONDS + 1)))
    load(source, lake)
    assert source.notes == {}


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_states_within_a_microsecond_are_ordered_by_their_nanoseconds(tmp_path: Path, is_newest_first: bool) -> None:
    for number in range(8):
        lake = MemoryLake()
        states = [
            state(f"new {number}", "2025-06-08T02:55:00.123456789Z"),
            state(f"middle {number}", {"seconds": SECONDS, "nanos": 123_456_002}),
            state(f"old {number}", SECONDS * 1_000_000_000 + 123_456_001),
            state(f"oldest {number}", "2025-06-08T02:55:00.123456Z"),
        ]
        put(tmp_path / "1.ndjson", lines(*(states if is_newest_first else reversed(states))))
        rows = load(source_of(tmp_path), lake)
        assert len({row["version"] for row in rows}) == 4
        assert {len(row["version"]) for row in rows} == {34}
        assert json.loads(lake.payload("clubs", "c")) == {"name": f"new {number}"}


def test_what_the_lake_holds_to_the_nanosecond_is_not_a_version_again(tmp_path: Path, lake: MemoryLake) -> None:
    put(tmp_path / "1.ndjson", lines(state("A", "2025-06-08T02:55:00.123456789Z")))
    assert len(load(source_of(tmp_path), lake)) == 1
    again = state("A", "2025-06-08T02:55:00.123456789Z")
    put(tmp_path / "2.ndjson", lines(again, {"collection": "tags", "id": "t", "data": {}}))
    assert [row["collection"] for row in load(source_of(tmp_path), lake)] == ["tags"]


def test_hostile_texts_are_read_in_bulk_without_an_error() -> None:
    import pyarrow as pa

    texts = [
        "", "0", "9" * 40, "1e99", "infinity", "{", "[", "{}", '{"seconds":1e400}', '{"_nanoseconds":-5,"_seconds":1}',
        "2025-06-08T25:00:00+99:99", "+05:30", ":00Z", "99:99 UTC", "x" * 10_000 + "Z", "-" * 99, "\u202f",
    ]  # fmt: skip
    found = ColumnEngine().run("SELECT written_us(t) AS us, written_part(t) AS part FROM block", pa.table({"t": texts}))
    assert found.column("us").to_pylist() == [None] * 9 + [1_000_000] + [None] * 7
    assert set(found.column("part").to_pylist()) == {0}
