"""The memory of checks: ``ops.data_quality`` in the warehouse."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from event_pipeline.contracts.contract import DUCKDB_TYPES
from event_pipeline.contracts.ops import DATA_QUALITY, DIMENSIONS
from event_pipeline.quality.results import TableQuality
from event_pipeline.quality.stored import stored_columns
from event_pipeline.settings import Settings
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.rows import first_row
from event_pipeline.warehouse.tables import create_tables

if TYPE_CHECKING:
    import duckdb

HISTORY_LENGTH = 10
"""How many earlier counts a table's volume is compared with."""


def record_quality(
    connection: duckdb.DuckDBPyConnection, settings: Settings, tables: Sequence[TableQuality], now: datetime
) -> int:
    """Appends five rows a table, one a dimension, in one transaction; returns the rows appended.

    Recorded again for the same ``now``, a table appends nothing.
    """
    rows = [_row(table, dimension, now) for table in tables for dimension in DIMENSIONS]
    columns = ", ".join(
        f"unnest(${place}::{DUCKDB_TYPES[column.type]}[]) AS {column.name}"
        for place, column in enumerate(DATA_QUALITY.columns, start=1)
    )
    names = ", ".join(DATA_QUALITY.column_names)
    with write_transaction(connection, settings):
        create_tables(connection, [DATA_QUALITY])
        inserted = first_row(
            connection.execute(
                f"INSERT INTO {DATA_QUALITY.qualified} ({names}) SELECT {names} FROM (SELECT {columns}) "
                f"ANTI JOIN {DATA_QUALITY.qualified} USING ({', '.join(DATA_QUALITY.key)})",
                [[row[name] for row in rows] for name in DATA_QUALITY.column_names],
            )
        )
    return int(inserted[0]) if inserted else 0


def previous_row_counts(
    connection: duckdb.DuckDBPyConnection, table: str, limit: int = HISTORY_LENGTH
) -> tuple[int, ...]:
    """Row counts of the latest checks of a table, named ``layer.table``, newest first; empty when never checked."""
    return row_count_history(connection, [table], limit).get(table, ())


def row_count_history(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[str], limit: int = HISTORY_LENGTH
) -> dict[str, tuple[int, ...]]:
    """The same for many tables in one query; tables never checked are absent."""
    if not stored_columns(connection, [DATA_QUALITY.qualified]):
        return {}
    return recorded_row_counts(connection, tables, limit)


def recorded_row_counts(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[str], limit: int = HISTORY_LENGTH
) -> dict[str, tuple[int, ...]]:
    """The same where ``ops.data_quality`` is known to exist."""
    rows = connection.execute(
        f"SELECT table_name, list(row_count ORDER BY checked_at DESC)[:{int(limit)}] FROM {DATA_QUALITY.qualified} "
        "WHERE dimension = $1 AND list_contains($2, table_name) GROUP BY table_name",
        [DIMENSIONS[0], list(tables)],
    ).fetchall()
    return {name: tuple(counts) for name, counts in rows}


def _row(table: TableQuality, dimension: str, now: datetime) -> dict[str, Any]:
    """Samples stay out: they may show rows of the private lake, and the warehouse holds nothing private."""
    outcomes = table.of(dimension)
    failed = [outcome for outcome in outcomes if not outcome.is_successful]
    return {
        "checked_at": now,
        "table_name": table.table,
        "dimension": dimension,
        "score": table.scores[dimension],
        "expectations": len(outcomes),
        "failed": len(failed),
        "row_count": table.row_count,
        "failed_expectations": json.dumps(
            [
                {
                    "expectation": outcome.expectation,
                    "column": outcome.column,
                    "severity": outcome.severity,
                    "unexpected_count": outcome.unexpected_count,
                    "evaluated_count": outcome.evaluated_count,
                    "description": outcome.description,
                }
                for outcome in failed
            ],
            ensure_ascii=False,
        ),
    }
