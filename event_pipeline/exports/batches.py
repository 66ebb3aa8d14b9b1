"""Record batches cut to a size that a writer may hold whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

MOST_ROWS = 20_000
MOST_BYTES = 16_000_000
"""Of one piece; a single row may be larger."""


def pieces(
    batches: Iterable[pa.RecordBatch], most_rows: int = MOST_ROWS, most_bytes: int = MOST_BYTES
) -> Iterator[pa.RecordBatch]:
    """The same rows in the same order, in batches within these sizes; empty ones are left out."""
    for batch in batches:
        yield from _split(batch, most_rows, most_bytes)


def _split(batch: pa.RecordBatch, most_rows: int, most_bytes: int) -> Iterator[pa.RecordBatch]:
    rows = batch.num_rows
    if not rows:
        return
    if rows == 1 or (rows <= most_rows and batch.nbytes <= most_bytes):
        yield batch
        return
    for start, length in ((0, rows // 2), (rows // 2, rows - rows // 2)):
        yield from _split(batch.slice(start, length), most_rows, most_bytes)
