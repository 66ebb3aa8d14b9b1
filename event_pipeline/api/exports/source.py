"""What a file is made of: a schema and batches, opened where the export is written and closed with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from event_pipeline.api.exports.tables import Selection, current_snapshot, table_query
from event_pipeline.api.reader import Reader

_INTERRUPTED = "INTERRUPT"


@dataclass(frozen=True, slots=True)
class Source:
    """Batches to write. ``rows`` is their number where it is known beforehand, ``snapshot`` the warehouse's that they
    are of; ``stop`` ends reading from another thread."""

    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    rows: int | None
    snapshot: int | None
    stop: Callable[[], None]


OpenSource = AbstractContextManager[Source]
OnStop = Callable[[Callable[[], object]], None]
"""Takes what is to be called when nobody wants the file any more, also before the source is open."""


@contextmanager
def table_source(
    reader: Reader,
    selection: Selection,
    time_zone: str,
    *,
    at_snapshot: int | None = None,
    seconds: float | None = None,
) -> Iterator[Source]:
    """The table's rows at the snapshot, the current one unless given. Raises Problem as ``table_query`` does."""
    with reader.session(seconds) as session:
        snapshot = current_snapshot(session) if at_snapshot is None else at_snapshot
        query = table_query(session, selection, snapshot, time_zone)
        (counted,) = session.rows(query.count, query.parameters)
        batches = session.batches(query.select, query.parameters)
        yield Source(batches.schema, _read(batches), counted["rows"], snapshot, session.interrupt)


def _read(batches: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The batches, with what DuckDB says through Arrow raised as the errors they are."""
    try:
        yield from batches
    except (OSError, pa.ArrowException) as error:
        if _INTERRUPTED in str(error):
            raise duckdb.InterruptException(str(error)) from None
        raise duckdb.IOException(str(error)) from None
