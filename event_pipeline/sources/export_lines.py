"""Documents as NDJSON: one line a document, with the collection and id beside the content.

``{"collection", "id" or "document_id", "data" or "payload" or "document"}``, and optionally ``updated_at`` or
``update_time`` (the source's own) and ``operation`` (``upsert`` or ``delete``).
A line may leave out the collection in a file whose name begins with it (``registrations-2025.ndjson``). What cannot be
read as such a line becomes a document of the collection ``unreadable``, with id ``line-<number>-<hash>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from event_pipeline.settings import COLLECTIONS
from event_pipeline.sources.change_columns import (
    CLOCK_TOLERANCE_US,
    VERSION,
    ColumnEngine,
    split_by_collection,
    unreadable_rows,
)
from event_pipeline.sources.text_blocks import LineBlock

_FIELDS = (
    "collection", "id", "document_id", "data", "payload", "document", "operation", "updated_at", "update_time",
)  # fmt: skip
_PATHS = ", ".join(f"'$.{name}'" for name in _FIELDS)
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
        written_us(coalesce(f[8] ->> '$', f[9] ->> '$')) AS written_us,
        $observed_us::BIGINT AS observed_us
    FROM fields
), documents AS (
    SELECT
        *,
        CASE WHEN operation = 'upsert' THEN content END AS payload,
        CASE WHEN written_us BETWEEN 0 AND $latest_us THEN written_us END AS updated_us
    FROM texts
)
SELECT
    collection, document_id, operation, payload, updated_us, observed_us, {VERSION} AS version,
    coalesce(collection <> '' AND document_id <> '' AND document_id[1] NOT IN ('{{{{', '[')
        AND (operation = 'delete' OR payload IS NOT NULL), false) AS is_readable
FROM documents
"""


def collection_of_file(name: str) -> str | None:
    """The collection that a file's name begins with, None when it names none."""
    start = re.match(r"[a-z_]+", name)
    return start.group() if start and start.group() in COLLECTIONS else None


def read_documents(engine: ColumnEngine, block: LineBlock, file_name: str, observed_us: int) -> Iterator[pa.Table]:
    """The lines as rows for ``ColumnEngine.changes``, each table of one collection.

    An update time counts when it names an instant between 1970 and a day after ``observed_us``, the instant the file
    vouches for.
    """
    parameters = {
        "default": collection_of_file(file_name),
        "latest_us": observed_us + CLOCK_TOLERANCE_US,
        "observed_us": observed_us,
    }
    rows = engine.run_lines(_READ_LINES, block, parameters)
    readable = rows.column("is_readable").to_numpy().astype(np.bool_)
    documents = rows.drop_columns(["is_readable"])
    if not readable.all():
        documents = documents.filter(pa.array(readable))
        name_line = "line-{}-{}".format
        yield unreadable_rows(block, ~readable, name_line, observed_us)
    yield from split_by_collection(documents)
