"""CSV by RFC 4180: UTF-8, CRLF, texts in quotes, empty for null and ``""`` for an empty text; safe to open in Excel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.csv as arrow_csv

from event_pipeline.exports.batches import pieces
from event_pipeline.exports.formulas import neutralised
from event_pipeline.exports.plain_columns import iso_text, plain
from event_pipeline.exports.writer import WriteOptions

_BYTE_ORDER_MARK = "\ufeff".encode()
_ROWS = arrow_csv.WriteOptions(include_header=False, eol="\r\n", batch_size=4_096)


def write_csv(schema: pa.Schema, batches: Iterable[pa.RecordBatch], options: WriteOptions) -> Iterator[bytes]:
    """A header, then a line a row. Texts that a spreadsheet would run as formulas begin with an apostrophe."""
    start = _BYTE_ORDER_MARK if options.byte_order_mark else b""
    yield start + _header(schema.names)
    for piece in pieces(batches):
        cells = [_cells(column) for column in piece.columns]
        yield _lines(pa.record_batch(cells, names=[str(at) for at in range(len(cells))]))


def _header(names: list[str]) -> bytes:
    texts = neutralised(pa.array(names, pa.string())).to_pylist()
    return (",".join('"' + text.replace('"', '""') + '"' for text in texts) + "\r\n").encode()


def _cells(column: pa.Array) -> pa.Array:
    column = plain(column)
    if pa.types.is_temporal(column.type):
        return iso_text(column)
    return neutralised(column) if pa.types.is_string(column.type) else column


def _lines(rows: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    arrow_csv.write_csv(rows, sink, _ROWS)
    return sink.getvalue().to_pybytes()
