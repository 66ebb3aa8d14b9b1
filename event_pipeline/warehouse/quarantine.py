"""Reads quarantine: documents that broke a rule, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect, lake_exists
from event_pipeline.warehouse.rows import first_row
from event_pipeline.warehouse.tables import table_exists

if TYPE_CHECKING:
    import duckdb

SHOWN_COLUMNS = (
    "table_name", "document_id", "field", "rule", "consequence", "offending_value", "what_to_do", "source",
    "version",
)  # fmt: skip
"""What a person is shown of a broken rule, in this order."""


def broken_rules(
    settings: Settings,
    *,
    table: str | None = None,
    document_id: str | None = None,
    rule: str | None = None,
    limit: int = 1_000,
) -> tuple[list[dict[str, Any]], int]:
    """Broken rules by column name, ``limit`` of them at most, and how many there are; None takes every value."""
    condition = " AND ".join(
        f"(?::VARCHAR IS NULL OR {column} = ?)" for column in ("table_name", "document_id", "rule")
    )
    parameters = [value for asked in (table, document_id, rule) for value in (asked, asked)]
    with _opened(settings) as connection:
        if connection is None:
            return [], 0
        rows = connection.execute(
            f"SELECT {', '.join(SHOWN_COLUMNS)}, count(*) OVER () FROM {QUARANTINE.qualified} WHERE {condition} "
            f"ORDER BY table_name, document_id, rule LIMIT {limit}",
            parameters,
        ).fetchall()
    return [dict(zip(SHOWN_COLUMNS, row[:-1], strict=True)) for row in rows], rows[0][-1] if rows else 0


def rejected_documents(settings: Settings, source: str) -> int:
    """Documents of that source that are in quarantine instead of their table."""
    with _opened(settings) as connection:
        if connection is None:
            return 0
        row = first_row(
            connection.execute(
                f"SELECT count(DISTINCT (table_name, document_id)) FROM {QUARANTINE.qualified} "
                "WHERE source = ? AND consequence = 'rejected'",
                [source],
            )
        )
    return int(row[0]) if row else 0


@contextmanager
def _opened(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection | None]:
    """The lake; None when nothing was ever loaded, or loaded and never refreshed."""
    if not lake_exists(settings):
        yield None
        return
    with connect(settings, ("lake",), read_only=True) as connection:
        yield connection if table_exists(connection, QUARANTINE) else None
