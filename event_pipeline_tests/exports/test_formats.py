"""Every format gives back, to the reader that people have, what went in."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from event_pipeline.exports import excel_file
from event_pipeline.exports.batches import pieces
from event_pipeline.exports.formats import FORMATS, FormatName
from event_pipeline.exports.writer import WriteOptions
from event_pipeline_tests.exports.written import csv_rows, excel_sheets, read, written

NAMES: tuple[FormatName, ...] = get_args(FormatName)
INSTANT = pa.timestamp("us", "UTC")


def naive(*parts: int) -> datetime:
    """An instant as Excel has it, in UTC without saying so."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # pyright: ignore[reportArgumentType]


SCHEMA = pa.schema(
    {
        "registration_id": pa.string(), "team_size": pa.int64(), "rate": pa.float64(), "is_counted": pa.bool_(),
        "registered_at": INSTANT, "registered_date": pa.date32(), "amount": pa.decimal128(12, 2),
    }
)  # fmt: skip
ROWS = [
    {
        "registration_id": 'Ärger, "Zitat"\nउत्सव 🎉', "team_size": 3, "rate": 0.25, "is_counted": True,
        "registered_at": datetime(2026, 6, 5, 12, 30, tzinfo=UTC), "registered_date": date(2026, 6, 5),
        "amount": Decimal("1250.50"),
    },
    {
        "registration_id": "", "team_size": -4, "rate": -1e-9, "is_counted": False,
        "registered_at": datetime(2026, 12, 31, 23, 59, 59, 250_000, tzinfo=UTC), "registered_date": date(1999, 1, 31),
        "amount": Decimal("-0.05"),
    },
    dict.fromkeys(SCHEMA.names),
]  # fmt: skip
TABLE = pa.Table.from_pylist(ROWS, SCHEMA)
AS_TEXT = {
    "csv": [
        {
            "registration_id": 'Ärger, "Zitat"\nउत्सव 🎉', "team_size": "3", "rate": "0.25", "is_counted": "true",
            "registered_at": "2026-06-05T12:30:00Z", "registered_date": "2026-06-05", "amount": "1250.50",
        },
        {
            "registration_id": "", "team_size": "-4", "rate": "-1e-9", "is_counted": "false",
            "registered_at": "2026-12-31T23:59:59.250000Z", "registered_date": "1999-01-31", "amount": "-0.05",
        },
        dict.fromkeys(SCHEMA.names, ""),
    ],
    "json": [
        ROWS[0] | {"registered_at": "2026-06-05T12:30:00Z", "registered_date": "2026-06-05", "amount": 1250.5},
        ROWS[1] | {"registered_at": "2026-12-31T23:59:59.250000Z", "registered_date": "1999-01-31", "amount": -0.05},
        ROWS[2],
    ],
    "xlsx": [
        ROWS[0] | {
            "registered_at": naive(2026, 6, 5, 12, 30), "registered_date": naive(2026, 6, 5), "amount": 1250.5,
        },
        ROWS[1] | {
            "registered_at": naive(2026, 12, 31, 23, 59, 59, 250_000), "registered_date": naive(1999, 1, 31),
            "amount": -0.05,
        },
    ],
}  # fmt: skip
AS_TEXT["ndjson"] = AS_TEXT["json"]


@pytest.mark.parametrize("name", NAMES)
def test_a_format_gives_back_what_went_in(name: FormatName) -> None:
    assert read(name, written(name, TABLE)) == AS_TEXT.get(name, ROWS)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_table_is_a_file_with_its_columns(name: FormatName) -> None:
    data = written(name, SCHEMA.empty_table())
    assert read(name, data) == []
    if name == "csv":
        assert csv_rows(data) == [SCHEMA.names]
    if name == "xlsx":
        assert excel_sheets(data) == {"Rows 1": [SCHEMA.names]}


def test_columns_keep_their_types_in_columnar_files() -> None:
    assert parquet.read_schema(pa.BufferReader(written("parquet", TABLE))).equals(SCHEMA)
    assert pa.ipc.open_stream(written("arrow", TABLE)).schema.equals(SCHEMA)


def test_null_and_empty_text_differ_in_csv() -> None:
    table = pa.table({"a": ["", None], "b": [1, 2]})
    assert written("csv", table) == b'"a","b"\r\n"",1\r\n,2\r\n'


def test_a_mark_lets_excel_read_csv_as_utf8() -> None:
    assert written("csv", TABLE, byte_order_mark=True) == b"\xef\xbb\xbf" + written("csv", TABLE)


@pytest.mark.parametrize("name", NAMES)
def test_instants_are_told_in_utc_wherever_they_were(name: FormatName) -> None:
    there = pa.timestamp("ms", "Asia/Kolkata")
    at = datetime(2026, 6, 5, 18, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    (row,) = read(name, written(name, pa.table({"at": pa.array([at], there)})))
    expected: dict[str, Any] = {"csv": "2026-06-05T12:30:00Z", "xlsx": naive(2026, 6, 5, 12, 30)}
    expected["json"] = expected["ndjson"] = expected["csv"]
    assert row["at"] == expected.get(name, at)


ODD = {
    "nothing": pa.nulls(1),
    "word": pa.array(["a"]).dictionary_encode(),
    "long": pa.array(["b"], pa.large_string()),
    "view": pa.array(["c"], pa.string_view()),
    "clock": pa.array([time(9, 30)], pa.time64("us")),
    "wait": pa.array([timedelta(seconds=90)], pa.duration("us")),
    "span": pa.array([pa.MonthDayNano([1, 2, 3_000_000_000])], pa.month_day_nano_interval()),
    "bytes": pa.array([b"\x00\xff"], pa.binary()),
    "list": pa.array([[1, None]], pa.list_(pa.int64())),
    "struct": pa.array([{"x": Decimal("1.5"), "at": naive(2026, 1, 1)}]),
    "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
    "whole": pa.array([Decimal(2**100)], pa.decimal128(38, 0)),
    "nanos": pa.array([1_700_000_000_000_000_001], pa.timestamp("ns")),
    "small": pa.array([1.5], pa.float16()),
    "unsigned": pa.array([2**64 - 1], pa.uint64()),
}


@pytest.mark.parametrize("name", NAMES)
def test_columns_of_a_query_may_be_of_any_type(name: FormatName) -> None:
    (row,) = read(name, written(name, pa.table(ODD)))
    assert list(row) == list(ODD)
    if name in ("csv", "xlsx"):
        assert (row["list"], row["struct"]) == ("[1,null]", '{"x":1.5,"at":"2026-01-01T00:00:00"}')
    if name in ("csv", "xlsx", "json", "ndjson"):
        assert (row["word"], row["clock"], row["wait"], row["bytes"]) == ("a", "09:30:00", "90 s", "AP8=")
        assert (row["span"], row["whole"]) == ("1 months 2 days 3 s", str(2**100))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53, 2**53),
        (2**53 + 1, str(2**53 + 1)),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (datetime(1899, 12, 31, tzinfo=UTC), "1899-12-31T00:00:00Z"),
        (datetime(9999, 12, 31, 23, 59, tzinfo=UTC), naive(9999, 12, 31, 23, 59)),
        (date(1, 1, 1), "0001-01-01"),
        ("a\x00b\x1b\ufffe\tc", "a\ufffdb\ufffd\ufffd\tc"),
        ("x" * 40_000, "x" * 32_767),
    ],
)
def test_excel_holds_what_it_can_and_text_of_the_rest(value: object, expected: object) -> None:
    (row,) = read("xlsx", written("xlsx", pa.table({"v": [value]})))
    assert row["v"] == expected


def test_an_excel_sheet_that_is_full_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel_file, "SHEET_ROWS", 5)
    sheets = excel_sheets(written("xlsx", pa.table({"n": range(10)})))
    assert {title: len(rows) for title, rows in sheets.items()} == {"Rows 1": 5, "Rows 2": 5, "Rows 3": 3}
    assert [row[0] for rows in sheets.values() for row in rows[1:]] == list(range(10))
    assert all(rows[0] == ["n"] for rows in sheets.values())


def test_more_columns_than_a_sheet_has_are_refused() -> None:
    with pytest.raises(ValueError, match="choose fewer"):
        written("xlsx", pa.table({str(at): [1] for at in range(16_385)}))


def test_batches_of_whatever_size_are_written_in_small_pieces() -> None:
    words = random.Random(5).choices(["a" * 10_000, "b"], k=3_000)
    batches = pa.table({"w": words}).to_batches()
    cut = list(pieces(batches, most_rows=500, most_bytes=200_000))
    assert [word for piece in cut for word in piece.column(0).to_pylist()] == words
    assert max(piece.num_rows for piece in cut) <= 500
    assert max(piece.nbytes for piece in cut) <= 200_000


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"xlsx"}))
def test_bytes_come_before_the_last_batch_is_read(name: FormatName) -> None:
    read_so_far = 0

    def batches() -> Any:
        nonlocal read_so_far
        for _ in range(30):
            read_so_far += 1
            yield pa.record_batch({"n": pa.array(range(20_000))})

    schema = pa.schema({"n": pa.int64()})
    chunks = FORMATS[name].write(schema, batches(), WriteOptions())
    size, first_after = 0, None
    for chunk in chunks:
        size += len(chunk)
        if first_after is None and size > 1_000:
            first_after = read_so_far
    assert first_after is not None
    assert first_after < 10
