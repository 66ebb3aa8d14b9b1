"""Rows as text or as Arrow, cut off at the caps; done in the worker, so that the API's own process stays quick."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from event_pipeline.exports.formulas import neutralised
from event_pipeline.sql.errors import InvalidQueryError
from event_pipeline.sql.query import Shape

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK_BYTES = 64_000
_BATCH_BYTES = 16_000_000
"""Larger Arrow batches are sent in parts, so that nobody has to hold more at once."""

_MOST_INTEGER = 2**53
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS

Row = tuple[Any, ...]


@dataclass
class Cut:
    """What was let through so far, and whether anything was held back. None is without end."""

    most_rows: int | None
    most_bytes: int | None
    rows: int = 0
    bytes: int = 0
    truncated: bool = False

    def take(self, rows: int, row_bytes: int) -> int:
        """How many of so many rows of that size fit; those are counted."""
        fitting = rows
        if self.most_rows is not None:
            fitting = min(fitting, self.most_rows - self.rows)
        if self.most_bytes is not None:
            fitting = min(fitting, (self.most_bytes - self.bytes) // max(row_bytes, 1))
        self.truncated = fitting < rows
        self.rows += fitting
        self.bytes += fitting * row_bytes
        return fitting


def chunks(shape: Shape, names: Sequence[str], batches: Iterable[pa.RecordBatch], cut: Cut) -> Iterator[bytes]:
    """The rows of the batches in that shape, in pieces. Raises InvalidQueryError for a value that cannot be written."""
    if shape == "arrow":
        return _arrow(batches, cut)
    if shape == "csv":
        return _pieces(_csv_lines(names, batches), cut, has_head=True)
    dump = _object_lines(names) if shape == "ndjson" else _array
    return _pieces((dump(row) for row in _rows(batches)), cut)


def _arrow(batches: Iterable[pa.RecordBatch], cut: Cut) -> Iterator[bytes]:
    """Arrow IPC streams, each whole in itself."""
    import pyarrow as pa

    for batch in batches:
        for part in _parts(batch):
            fitting = _fitting(part, cut)
            if fitting.num_rows:
                sink = io.BytesIO()
                with pa.ipc.new_stream(sink, fitting.schema) as writer:
                    writer.write_batch(fitting)
                yield sink.getvalue()
            if cut.truncated:
                return


def _parts(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """The batch, halved until each part is small enough or one row."""
    if batch.nbytes <= _BATCH_BYTES or batch.num_rows <= 1:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _parts(batch.slice(0, half))
    yield from _parts(batch.slice(half))


def _fitting(batch: pa.RecordBatch, cut: Cut) -> pa.RecordBatch:
    """The first rows of it that the caps let through, taking its rows as equally large."""
    return batch.slice(0, cut.take(batch.num_rows, batch.nbytes // max(batch.num_rows, 1)))


def _rows(batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
    for batch in batches:
        columns = [_values(column, name) for column, name in zip(batch.columns, batch.schema.names, strict=True)]
        yield from zip(*columns, strict=True)


def _values(column: pa.Array, name: str) -> list[Any]:
    """A column as Python values; nanoseconds are cut to microseconds."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        return column.to_pylist()
    except (OverflowError, ValueError):
        raise InvalidQueryError(
            f"the column {name!r} holds a date or time before year 1 or after 9999; cast it to VARCHAR"
        ) from None


def _array(row: Row) -> bytes:
    return _dump(row) + b","


def _object_lines(names: Sequence[str]) -> Callable[[Row], bytes]:
    unique = _unique(names)
    return lambda row: _dump(dict(zip(unique, row, strict=True))) + b"\n"


def _csv_lines(names: Sequence[str], batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    import pyarrow as pa

    yield _csv_line(neutralised(pa.array(names, pa.string())).to_pylist())
    for batch in batches:
        columns = [_values(column, name) for column, name in zip(_harmless(batch), names, strict=True)]
        for row in zip(*columns, strict=True):
            yield _csv_line(["" if value is None else _csv_field(value) for value in row])


def _harmless(batch: pa.RecordBatch) -> Iterator[pa.Array]:
    """The columns, without texts that a spreadsheet would run."""
    import pyarrow as pa

    for column in batch.columns:
        plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        yield neutralised(plain) if pa.types.is_string(plain.type) else plain


def _csv_line(fields: Sequence[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(fields)
    return line.getvalue().encode(errors="replace")


def _csv_field(value: Any) -> str:
    if isinstance(value, str):
        return value
    text = _dump(value).decode()
    return text[1:-1] if text.startswith('"') else text


def _pieces(lines: Iterable[bytes], cut: Cut, *, has_head: bool = False) -> Iterator[bytes]:
    """Lines put together, as many as the caps let through; a head is no row."""
    piece = bytearray()
    for number, line in enumerate(lines):
        is_head = has_head and number == 0
        if not is_head and not cut.take(1, len(line)):
            break
        piece += line
        if len(piece) >= _CHUNK_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def _unique(names: Sequence[str]) -> list[str]:
    """Names with _2, _3 after those that were there before: an object has each name once."""
    taken: set[str] = set()
    found = []
    for name in names:
        number, candidate = 1, name
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate)
        found.append(candidate)
    return found


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value, _plain, _OPTIONS)
    except TypeError:
        # An integer beyond 64 bits, or a text that is no UTF-8, somewhere within.
        return orjson.dumps(_readable(value), _plain, _OPTIONS)


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    import pyarrow as pa

    if isinstance(value, Decimal):
        if value == value.to_integral_value():
            return int(value) if abs(value) <= _MOST_INTEGER else str(value)
        return float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, pa.MonthDayNano):
        return _duration(value)
    return str(value)


def _duration(value: pa.MonthDayNano) -> str:
    """An interval as ISO 8601 has it: P1M2DT3.5S."""
    months, days, nanoseconds = value
    seconds = f"{Decimal(nanoseconds).scaleb(-9):f}".rstrip("0").rstrip(".") if nanoseconds else ""
    parts = [f"{months}M" if months else "", f"{days}D" if days else "", f"T{seconds}S" if seconds else ""]
    return "P" + ("".join(parts) or "0D")


def _readable(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) <= _MOST_INTEGER else str(value)
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, list | tuple):
        return [_readable(item) for item in value]
    if isinstance(value, dict):
        return {_readable(name): _readable(item) for name, item in value.items()}
    return value
