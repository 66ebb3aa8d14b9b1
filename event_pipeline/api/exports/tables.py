"""Tables of the warehouse as exports read them: chosen columns, filtered, of one snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any
from zoneinfo import ZoneInfo

from event_pipeline.api.catalog_session import Session
from event_pipeline.api.problems import Problem
from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.core import CORE
from event_pipeline.contracts.marts import MARTS
from event_pipeline.contracts.ops import DATA_QUALITY
from event_pipeline.contracts.progress import WAREHOUSE_PROGRESS
from event_pipeline.contracts.stream import BATCHES, STREAM_STATUS

_DAY, _INSTANT = "DATE", "TIMESTAMP WITH TIME ZONE"
_EVENT = "event_id"
_FIRST_DAY, _LAST_DAY = date(1, 1, 3), date(9999, 12, 29)
"""A day later or earlier, an instant of it may be beyond the calendar in another zone."""

_DECLARED: Mapping[str, Contract] = {
    contract.name: contract
    for contract in (*CORE.values(), *MARTS.values(), DATA_QUALITY, WAREHOUSE_PROGRESS, STREAM_STATUS, BATCHES)
}


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table as it is in the warehouse; ``columns`` are its names with DuckDB's types."""

    name: str
    columns: Mapping[str, str]

    @property
    def contract(self) -> Contract | None:
        """What the table promises; None for tables that others made."""
        return _DECLARED.get(self.name)

    @property
    def day_columns(self) -> list[str]:
        """Columns that days can be chosen by, the likeliest first."""
        return [name for kind in (_DAY, _INSTANT) for name, found in self.columns.items() if found == kind]


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a table: all columns when none is named; days are the organisation's, both included."""

    table: str
    columns: tuple[str, ...] = ()
    event_id: str | None = None
    from_day: date | None = None
    to_day: date | None = None
    day_column: str | None = None


@dataclass(frozen=True, slots=True)
class TableQuery:
    """A selection as SQL over the given snapshot."""

    select: str
    count: str
    parameters: dict[str, Any]


def stored_tables(session: Session) -> dict[str, StoredTable]:
    """Every table of the warehouse by its name, layer.table."""
    rows = session.rows(
        "SELECT schema_name || '.' || table_name AS name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = 'warehouse' ORDER BY schema_name, table_name, column_index"
    )
    columns: dict[str, dict[str, str]] = {}
    for row in rows:
        columns.setdefault(row["name"], {})[row["column_name"]] = row["data_type"]
    return {name: StoredTable(name, found) for name, found in columns.items()}


def current_snapshot(session: Session) -> int:
    """The snapshot that this session sees."""
    return session.rows("SELECT id FROM warehouse.current_snapshot()")[0]["id"]


def table_query(session: Session, selection: Selection, snapshot: int, time_zone: str) -> TableQuery:
    """How to read the selection. Raises Problem: not-found for a table, invalid for a column or filter it has not."""
    tables = stored_tables(session)
    table = tables.get(selection.table)
    if table is None:
        raise Problem(
            "not-found", f"there is no table {selection.table!r}; GET /api/pipeline/exports/tables lists them"
        )
    names = selection.columns or tuple(table.columns)
    _require_columns(table, names)
    conditions, parameters = _filters(table, selection, time_zone)
    schema, _, name = table.name.partition(".")
    source = f"warehouse.{_quoted(schema)}.{_quoted(name)} AT (VERSION => {int(snapshot)})"
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return TableQuery(
        select=f"SELECT {', '.join(map(_quoted, names))} FROM {source}{where}",
        count=f"SELECT count(*) AS rows FROM {source}{where}",
        parameters=parameters,
    )


def _require_columns(table: StoredTable, names: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in table.columns]
    if unknown:
        raise Problem(
            "invalid", f"columns: {table.name} has no {', '.join(unknown)}; it has {', '.join(table.columns)}"
        )
    if len(set(names)) < len(names):
        raise Problem("invalid", "columns: name each column once")


def _filters(table: StoredTable, selection: Selection, time_zone: str) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    if selection.event_id is not None:
        if _EVENT not in table.columns:
            raise Problem("invalid", f"event_id: {table.name} has no column event_id; leave the filter out")
        conditions.append(f"{_EVENT} = $event_id")
        parameters["event_id"] = selection.event_id
    if selection.from_day is not None or selection.to_day is not None:
        column = _day_column(table, selection.day_column)
        bounds = ((">=", "from_day", selection.from_day, 0), ("<", "to_day", selection.to_day, 1))
        for comparison, name, day, more in bounds:
            if day is not None:
                conditions.append(f"{_quoted(column)} {comparison} ${name}")
                parameters[name] = _bound(day, more, table.columns[column], time_zone)
    return conditions, parameters


def _day_column(table: StoredTable, wanted: str | None) -> str:
    known = table.day_columns
    if wanted is not None and wanted not in known:
        has = ", ".join(known) or "none"
        raise Problem("invalid", f"day_column: {wanted!r} is no day or instant of {table.name}; those are: {has}")
    if not known:
        raise Problem("invalid", f"from_day, to_day: {table.name} has no column of days; leave the filter out")
    return wanted or known[0]


def _bound(day: date, more: int, kind: str, time_zone: str) -> date | datetime:
    """The start of the day, or of the next: as a day, or as the instant it begins in the organisation's zone."""
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise Problem("invalid", f"from_day, to_day: must be from {_FIRST_DAY} to {_LAST_DAY}")
    bound = day + timedelta(days=more)
    if kind == _DAY:
        return bound
    return datetime.combine(bound, clock(), ZoneInfo(time_zone)).astimezone(UTC)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
