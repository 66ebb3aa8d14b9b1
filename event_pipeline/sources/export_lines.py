"""Documents as NDJSON: one line a document, with the collection and id beside the content.

``{"collection", "id" or "document_id", "data" or "payload" or "document"}``, and optionally ``updated_at`` or
``update_time`` (the source's own; see ``update_times`` for its spellings) and ``operation`` (``upsert`` or ``delete``).
A line may leave out the collection in a file whose name begins with it (``registrations-2025.ndjson``). Records of
other tools are read too: see ``export_records``. What cannot be read as any of these becomes a document of the
collection ``unreadable``, with id ``<file>:<line number>:<hash>``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from event_pipeline.sources.change_columns import (
    CLOCK_TOLERANCE_US,
    VERSION_WITH_PART,
    ColumnEngine,
    split_by_collection,
    unreadable_rows,
)
from event_pipeline.sources.export_notes import ExportNotes
from event_pipeline.sources.export_records import (
    MARKS,
    FoundDocument,
    NotReadableError,
    documents_of,
    is_known_record,
)
from event_pipeline.sources.text_blocks import LineBlock

_FIELDS = (
    "collection", "id", "document_id", "data", "payload", "document", "operation", "updated_at", "update_time",
    "updatedAt", "updateTime", "document_name",
)  # fmt: skip
_PATHS = ", ".join(f"'$.{name}'" for name in _FIELDS)
_TIMED = """
    *,
    CASE WHEN operation = 'upsert' THEN content END AS payload,
    CASE WHEN written_us(written) BETWEEN 0 AND $latest_us THEN written_us(written) END AS updated_us,
    CASE WHEN length(written) > 17 THEN written_part(written) END AS part,
    $observed_us::BIGINT AS observed_us
"""
_CHANGE = f"""
    collection, document_id, operation, payload, updated_us, observed_us, {VERSION_WITH_PART} AS version,
    CASE WHEN updated_us IS NULL AND written <> '' THEN left(written, 100) END AS unread_time
"""
_READ_LINES = f"""
WITH fields AS (
    SELECT json_extract(json, [{_PATHS}]) AS f FROM {{block}}
), texts AS (
    SELECT
        coalesce(CASE WHEN f[1]::VARCHAR LIKE '"%' THEN f[1] ->> '$' END, $default) AS collection,
        coalesce(f[2] ->> '$', f[3] ->> '$') AS document_id,
        coalesce(nullif(f[4]::VARCHAR, 'null'), nullif(f[5]::VARCHAR, 'null'), nullif(f[6]::VARCHAR, 'null'),
                 f[4]::VARCHAR, f[5]::VARCHAR, f[6]::VARCHAR) AS content,
        coalesce(f[7] ->> '$', 'upsert') AS operation,
        coalesce(f[8] ->> '$', f[9] ->> '$', f[10] ->> '$', f[11] ->> '$') AS written,
        f[12] IS NOT NULL AS is_changelog
    FROM fields
), documents AS (
    SELECT {_TIMED} FROM texts
)
SELECT
    {_CHANGE},
    coalesce(collection <> '' AND document_id <> '' AND document_id[1] NOT IN ('{{{{', '[') AND NOT is_changelog
        AND (operation = 'delete' OR payload IS NOT NULL), false) AS is_readable
FROM documents
"""
_READ_FOUND = f"WITH documents AS (SELECT {_TIMED} FROM block) SELECT {_CHANGE} FROM documents"


class DocumentLines:
    """Reads the lines of one file as rows for ``ColumnEngine.changes``.

    An update time counts when it names an instant between 1970 and a day after ``observed_us``, the instant the file
    vouches for. ``default`` is the collection of lines that name none, ``label`` what unreadable ones are named by.
    """

    def __init__(
        self, engine: ColumnEngine, observed_us: int, default: str | None, notes: ExportNotes, label: str
    ) -> None:
        self._engine, self._default, self._notes, self._label = engine, default, notes, label
        self._observed_us = observed_us
        self._times = {"latest_us": observed_us + CLOCK_TOLERANCE_US, "observed_us": observed_us}

    def read(self, block: LineBlock) -> Iterator[pa.Table]:
        """The lines as tables of one collection each."""
        rows = self._engine.run_lines(_READ_LINES, block, {**self._times, "default": self._default})
        readable = rows.column("is_readable").to_numpy().astype(np.bool_)
        documents, numbers = rows.drop_columns(["is_readable"]), None
        if not readable.all():
            numbers = np.flatnonzero(readable)
            documents = documents.filter(pa.array(readable))
            unreadable = ~readable
            yield from self._read_found(block, unreadable)
            if unreadable.any():
                yield unreadable_rows(block, unreadable, self._name_line, self._observed_us)
        yield from self._noted(documents, numbers, block.first_number)

    def _name_line(self, number: int, text_hash: str) -> str:
        return f"{self._label}:{number}:{text_hash}"

    def _read_found(self, block: LineBlock, unreadable: npt.NDArray[np.bool_]) -> Iterator[pa.Table]:
        """Documents of lines that are records of other tools, which are then no longer marked as unreadable."""
        found: list[FoundDocument] = []
        numbers: list[int] = []
        for number in np.flatnonzero(unreadable & ~block.too_deep).tolist():
            text = block.lines[number].as_py()
            record = _record_of(text)
            if record is None:
                continue
            try:
                documents = documents_of(record)
            except NotReadableError as problem:
                self._notes.add(block.first_number + number, f"was not read: {problem}")
                continue
            unreadable[number] = False
            found += documents
            numbers += [number] * len(documents)
        if found:
            rows = self._engine.run(_READ_FOUND, _table_of(found), self._times)
            yield from self._noted(rows, np.array(numbers), block.first_number)

    def _noted(self, rows: pa.Table, numbers: npt.NDArray[np.int64] | None, first: int) -> Iterator[pa.Table]:
        """The rows by collection, their unread times noted; ``numbers`` are their lines, None where all are here."""
        times = rows.column("unread_time")
        if times.null_count < rows.num_rows:
            for place in np.flatnonzero(times.is_valid().to_numpy()).tolist():
                line = first + (place if numbers is None else int(numbers[place]))
                self._notes.add_time(line, times[place].as_py())
        yield from split_by_collection(rows.drop_columns(["unread_time"]))


def _record_of(text: str) -> dict[str, object] | None:
    """The line as a record of another tool; None when it is none."""
    if not any(mark in text for mark in MARKS):
        return None
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return record if is_known_record(record) else None


def _table_of(found: Sequence[FoundDocument]) -> pa.Table:
    return pa.table(
        {
            "collection": pa.array([document.collection for document in found], pa.string()),
            "document_id": pa.array([document.document_id for document in found], pa.string()),
            "operation": pa.array([document.operation for document in found], pa.string()),
            "content": pa.array([document.payload for document in found], pa.large_string()),
            "written": pa.array([document.written for document in found], pa.string()),
        }
    )
