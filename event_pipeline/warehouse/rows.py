"""Reading one row without leaving the statement open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


def first_row(result: duckdb.DuckDBPyConnection) -> tuple[Any, ...] | None:
    """The first row of what was executed, None when there is none; for results of a few rows.

    ``fetchone`` would leave the statement open, and with it a read of the SQLite catalog that no writer gets past.
    """
    rows = result.fetchall()
    return rows[0] if rows else None
