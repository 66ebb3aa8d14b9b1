"""JSON: an array of objects, or one object a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import pyarrow as pa

from event_pipeline.exports.batches import pieces
from event_pipeline.exports.plain_columns import iso_text, json_default, plain, python_values
from event_pipeline.exports.writer import WriteOptions

_OPTIONS = orjson.OPT_NON_STR_KEYS


def write_json(schema: pa.Schema, batches: Iterable[pa.RecordBatch], _: WriteOptions) -> Iterator[bytes]:
    """One array, an object a row, each on its own line."""
    start = b"[\n"
    for piece in pieces(batches):
        yield start + b",\n".join(_objects(schema, piece))
        start = b",\n"
    yield b"[]\n" if start == b"[\n" else b"\n]\n"


def write_ndjson(schema: pa.Schema, batches: Iterable[pa.RecordBatch], _: WriteOptions) -> Iterator[bytes]:
    """An object a line; nothing at all without rows."""
    for piece in pieces(batches):
        yield b"\n".join(_objects(schema, piece)) + b"\n"


def _objects(schema: pa.Schema, piece: pa.RecordBatch) -> list[bytes]:
    names = schema.names
    rows = zip(*(_values(column) for column in piece.columns), strict=True)
    return [orjson.dumps(dict(zip(names, row, strict=True)), json_default, _OPTIONS) for row in rows]


def _values(column: pa.Array) -> list[Any]:
    """Nested values as they are, all others as plain ones with their instants as text."""
    if pa.types.is_nested(column.type):
        return column.to_pylist()
    column = plain(column)
    return python_values(iso_text(column) if pa.types.is_temporal(column.type) else column)
