"""Parquet and the Arrow IPC stream: types stay what they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet as parquet

from event_pipeline.exports.batches import pieces
from event_pipeline.exports.plain_columns import UTC_INSTANT, plain
from event_pipeline.exports.writer import Sink, WriteOptions

_GROUP_ROWS = 100_000
_GROUP_BYTES = 64_000_000
"""A row group is held in memory until it is written."""


def write_parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch], _: WriteOptions) -> Iterator[bytes]:
    """Compressed by zstd, in row groups of at most 100,000 rows."""
    kept = _kept_schema(schema)
    sink = Sink()
    with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), kept, compression="zstd") as writer:
        for group in _groups(_kept(kept, batches)):
            writer.write_table(pa.Table.from_batches(group, kept), row_group_size=_GROUP_ROWS)
            yield sink.take()
    yield sink.take()


def write_arrow(schema: pa.Schema, batches: Iterable[pa.RecordBatch], _: WriteOptions) -> Iterator[bytes]:
    """Uncompressed, so that every reader of Arrow takes it."""
    kept = _kept_schema(schema)
    sink = Sink()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), kept) as writer:
        for batch in _kept(kept, batches):
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def _groups(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    group: list[pa.RecordBatch] = []
    for batch in batches:
        full = sum(b.num_rows for b in group) + batch.num_rows > _GROUP_ROWS
        if group and (full or sum(b.nbytes for b in group) + batch.nbytes > _GROUP_BYTES):
            yield group
            group = []
        group.append(batch)
    if group:
        yield group


def _kept(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for piece in pieces(batches):
        columns = [_kept_column(column) for column in piece.columns]
        yield pa.record_batch(columns, schema=schema)


def _kept_schema(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, _kept_column(pa.array([], field.type)).type) for field in schema])


def _kept_column(column: pa.Array) -> pa.Array:
    """As it is, but for types that few readers know (extensions, intervals), which become text, and names of UTC."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_interval(kind):
        return plain(column)
    if pa.types.is_timestamp(kind) and kind.tz:
        return column.cast(UTC_INSTANT, safe=False)
    return column
