"""Reads quarantine: documents that broke a rule, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class BrokenRules:
    """``rows`` by column name, as many as were asked for; ``total`` rules are broken, by so many ``documents``."""

    rows: list[dict[str, Any]]
    total: int
    documents: int


def broken_rules(
    settings: Settings,
    *,
    table: str | None = None,
    document_id: str | None = None,
    rule: str | None = None,
    limit: int = 1_000,
) -> BrokenRules:
    """Broken rules of these documents, ``limit`` of them at most; None takes every value."""
    condition = " AND ".join(
        f"(?::VARCHAR IS NULL OR {column} = ?)" for column in ("table_name", "document_id", "rule")
    )
    parameters = [value for asked in (table, document_id, rule) for value in (asked, asked)]
    with _opened(settings) as connection:
        if connection is None:
            return BrokenRules([], 0, 0)
        rows = connection.execute(
            f"SELECT {', '.join(SHOWN_COLUMNS)} FROM {QUARANTINE.qualified} WHERE {condition} "
            f"ORDER BY table_name, document_id, rule LIMIT {limit}",
            parameters,
        ).fetchall()
        counted = first_row(
            connection.execute(
                f"SELECT count(*), count(DISTINCT (table_name, document_id)) FROM {QUARANTINE.qualified} "
                f"WHERE {condition}",
                parameters,
            )
        )
    total, documents = counted or (0, 0)
    return BrokenRules([dict(zip(SHOWN_COLUMNS, row, strict=True)) for row in rows], total, documents)


def rejected_documents(settings: Settings, source: str | None = None) -> int:
    """Documents that are in quarantine instead of their table; of that source, None takes every one."""
    with _opened(settings) as connection:
        if connection is None:
            return 0
        row = first_row(
            connection.execute(
                f"SELECT count(DISTINCT (table_name, document_id)) FROM {QUARANTINE.qualified} "
                "WHERE (?::VARCHAR IS NULL OR source = ?) AND consequence = 'rejected'",
                [source, source],
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
