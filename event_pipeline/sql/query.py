"""A query, what it may cost, and what it answers, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from event_pipeline.settings import Settings

Dialect = Literal["duckdb", "sqlite", "postgres", "bigquery"]
"""In whose SQL a query is written; all but DuckDB's are translated."""

Shape = Literal["arrow", "json", "ndjson", "csv"]
"""How a worker hands rows over: Arrow batches; JSON arrays with commas between; a JSON object a line; lines of CSV."""

EXPLAIN = "EXPLAIN "
"""What comes before a query whose plan is wanted."""

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT. ``params`` are bound by position (a sequence) or by name (a mapping)."""

    sql: str
    params: Sequence[Any] | Mapping[str, Any] = ()
    dialect: Dialect = "duckdb"
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Caps:
    """What a query may cost: seconds until it is killed, from its begin to its last row read by whoever asked, however
    slow they are; rows and bytes after which its answer is cut off. None is without end."""

    seconds: float
    rows: int | None
    bytes: int | None

    @classmethod
    def of(cls, settings: Settings) -> Caps:
        """Those of the settings."""
        return cls(settings.sql.seconds, settings.sql.rows, settings.sql.megabytes * _MEGABYTE)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer; ``type`` as DuckDB names it."""

    name: str
    type: str
