"""Small star schemas for tests: rows as Python dicts in, in-memory tables exactly as the core contracts declare out.

A row names only what its test is about. What can be derived is (days from instants, lead times, counted from cancelled
and duplicate, attended from the counted claims); the rest is empty, or the plainest value the contract allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from event_pipeline.contracts.contract import DUCKDB_TYPES, IBIS_TYPES, UNKNOWN, Column, Contract
from event_pipeline.contracts.core import CORE
from event_pipeline.models.locale import Locale
from event_pipeline.models.marts import MART_MODELS
from event_pipeline.models.model import Model
from event_pipeline.warehouse.connection import ibis_backend

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

Row = dict[str, Any]
LOCALE = Locale("Asia/Kolkata", "INR", "IN")
ARROW_TYPES = {
    "string": pa.string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}
_PLAINEST: dict[str, Any] = {"string": UNKNOWN, "int64": 0, "float64": 0.0, "boolean": False, "date": date(2025, 1, 1)}


class Star:
    """Core tables in a DuckDB of their own, and what models make of them. ``tables`` are by ``layer.table``."""

    def __init__(
        self,
        *,
        events: Iterable[Row] = (),
        clubs: Iterable[Row] = (),
        registrations: Iterable[Row] = (),
        attendance: Iterable[Row] = (),
        payments: Iterable[Row] = (),
        email_events: Iterable[Row] = (),
        dates: Iterable[date] | None = None,
    ) -> None:
        self.backend: Backend = ibis_backend(duckdb.connect(config={"threads": 1}))
        self.backend.con.execute("SET TimeZone = 'UTC'")
        self.rows: dict[str, list[Row]] = _core_rows(
            list(clubs), list(events), list(registrations), list(attendance), list(payments), list(email_events), dates
        )
        self.tables: dict[str, ir.Table] = {}
        for name, rows in self.rows.items():
            self.add(CORE[name.removeprefix("core.")], rows)

    def add(self, contract: Contract, rows: Iterable[Row]) -> None:
        """Stores these rows as the contract's table; values left out are null, other names fail."""
        records = list(rows)
        undeclared = {name for row in records for name in row} - set(contract.column_names)
        assert not undeclared, f"{contract.name} has no {', '.join(sorted(undeclared))}"
        schema = pa.schema([(column.name, ARROW_TYPES[column.type]) for column in contract.columns])
        frame = pa.Table.from_pylist(records, schema=schema)
        name = f"{contract.layer}_{contract.table}"
        self.backend.con.register(f"{name}_rows", frame)
        columns = ", ".join(f'"{c.name}" {DUCKDB_TYPES[c.type]}' for c in contract.columns)
        self.backend.con.execute(f"CREATE TABLE {name} ({columns})")
        self.backend.con.execute(f"INSERT INTO {name} SELECT * FROM {name}_rows")
        instants = [column.name for column in contract.columns if column.type == "timestamp"]
        self.tables[contract.name] = self.backend.table(name).cast(dict.fromkeys(instants, IBIS_TYPES["timestamp"]))

    def make(self, model: Model, as_of: datetime, locale: Locale = LOCALE) -> list[Row]:
        """The model's rows, in key order and stored for later models; types and names are as the contract declares."""
        expression = model.apply(self.tables, {"locale": locale, "as_of": as_of})
        declared = {column.name: IBIS_TYPES[column.type] for column in model.contract.columns}
        found = {name: str(kind).removeprefix("!") for name, kind in expression.schema().items()}
        assert found == declared, f"{model.name} is not what its contract declares"
        rows = expression.order_by(*model.contract.key).to_pyarrow().to_pylist()
        self.add(model.contract, rows)
        return rows

    def make_all(self, models: Mapping[str, Model], as_of: datetime, locale: Locale = LOCALE) -> dict[str, list[Row]]:
        """Rows of each of these models by their key in the mapping, made in its order."""
        return {name: self.make(model, as_of, locale) for name, model in models.items()}

    def close(self) -> None:
        """Frees the database."""
        self.backend.con.close()


def made_marts(star: Star, as_of: datetime) -> dict[str, list[Row]]:
    """Every mart by table; fails when one breaks its contract."""
    rows_by_table = star.make_all(MART_MODELS, as_of)
    for table, rows in rows_by_table.items():
        assert broken_promises(MART_MODELS[table].contract, rows) == [], table
    return rows_by_table


def broken_promises(contract: Contract, rows: Iterable[Row]) -> list[str]:
    """What the rows break of their contract: empty, too small or large, not allowed, or the same key twice."""
    broken, keys = [], set()
    for row in rows:
        key = tuple(row[name] for name in contract.key)
        if key in keys:
            broken.append(f"key {key} twice")
        keys.add(key)
        for column in contract.columns:
            if not _keeps(column, row[column.name]):
                broken.append(f"{column.name} of {key} is {row[column.name]!r}")
    return broken


def _keeps(column: Column, value: Any) -> bool:
    if value is None:
        return column.nullable
    is_small = column.minimum is not None and value < column.minimum
    is_large = column.maximum is not None and value > column.maximum
    return not is_small and not is_large and (not column.allowed or value in column.allowed)


def local_day(instant: datetime | None) -> date | None:
    """The organisation's day of an instant."""
    return instant.astimezone(ZoneInfo(LOCALE.time_zone)).date() if instant else None


def _core_rows(
    clubs: list[Row],
    events: list[Row],
    registrations: list[Row],
    attendance: list[Row],
    payments: list[Row],
    email_events: list[Row],
    dates: Iterable[date] | None,
) -> dict[str, list[Row]]:
    events = [_event(row) for row in [*events, {"event_id": UNKNOWN}]]
    starts = {row["event_id"]: row["start_date"] for row in events}
    attendance = [_dated({"is_valid": row.get("is_counted", False), **row}) for row in attendance]
    came = {row.get("registration_id"): row.get("occurred_at") for row in attendance if row.get("is_counted")}
    facts = {
        "fact_registrations": [
            _filled(CORE["fact_registrations"], _registration(row, starts, came)) for row in registrations
        ],
        "fact_attendance": attendance,
        "fact_payments": [_dated({"currency": LOCALE.currency, **row}) for row in payments],
        "fact_payment_entries": [_dated(_received(row)) for row in payments if row.get("revenue_minor")],
        "fact_email_events": [_dated(row) for row in email_events],
    }
    people = {row.get("user_id", UNKNOWN) for rows in facts.values() for row in rows} | {UNKNOWN}
    days = dates if dates is not None else _days_of([*events, *[row for rows in facts.values() for row in rows]])
    tables = {
        **facts,
        "dim_events": events,
        "dim_clubs": [*clubs, {"club_id": UNKNOWN}],
        "dim_categories": [{"category_id": UNKNOWN}],
        "dim_users": [_user(user_id, facts["fact_registrations"]) for user_id in sorted(people)],
        "dim_dates": [_day(day) for day in days],
        "bridge_event_tags": [],
    }
    return {f"core.{name}": [_filled(CORE[name], row) for row in rows] for name, rows in tables.items()}


def _user(user_id: str, registrations: list[Row]) -> Row:
    if user_id == UNKNOWN:
        return {"user_id": UNKNOWN}
    counted = [row for row in registrations if row["user_id"] == user_id and row["is_counted"]]
    days = [row["registered_date"] for row in counted if row["registered_date"] is not None]
    return {"user_id": user_id, "registrations": len(counted), "first_counted_date": min(days, default=None)}


def _event(row: Row) -> Row:
    return {"start_date": local_day(row.get("starts_at")), **row}


def _registration(row: Row, starts: Mapping[str, date | None], came: Mapping[str | None, datetime | None]) -> Row:
    day = row.get("registered_date", local_day(row.get("registered_at")))
    start = starts[row.get("event_id", UNKNOWN)]
    is_counted = not row.get("is_cancelled", False) and not row.get("is_duplicate", False)
    is_attended = is_counted and row["registration_id"] in came
    is_cancelled = row.get("is_cancelled", False)
    cancelled_at = row.get("cancelled_at", row.get("registered_at")) if is_cancelled else None
    return {
        "cancelled_at": cancelled_at,
        "cancelled_date": local_day(cancelled_at),
        "counted_from_date": day if is_counted or (is_cancelled and not row.get("is_duplicate", False)) else None,
        "registered_date": day,
        "lead_time_days": (start - day).days if start and day else None,
        "is_counted": is_counted,
        "is_attended": is_attended,
        "attended_at": came[row["registration_id"]] if is_attended else None,
        **row,
    }


def _received(row: Row) -> Row:
    """The one entry of a payment: what stands of it, on its day."""
    about = {name: row[name] for name in ("payment_id", "registration_id", "event_id", "user_id") if name in row}
    moved = {"amount_minor": row["revenue_minor"], "occurred_at": row.get("occurred_at")}
    return (
        {"entry_id": f"{row['payment_id']}/payment", "currency": row.get("currency", LOCALE.currency)} | about | moved
    )


def _dated(row: Row) -> Row:
    return {"occurred_date": local_day(row.get("occurred_at")), **row}


def _days_of(rows: Iterable[Row]) -> list[date]:
    names = ("start_date", "registered_date", "cancelled_date", "occurred_date")
    days = {row[name] for row in rows for name in names if row.get(name) is not None}
    return [min(days) + timedelta(days=n) for n in range((max(days) - min(days)).days + 1)] if days else []


def _day(day: date) -> Row:
    return {
        "date": day,
        "year": day.year,
        "quarter": (day.month + 2) // 3,
        "month": day.month,
        "iso_week": day.isocalendar().week,
        "day_of_week": day.isoweekday(),
        "is_weekend": day.isoweekday() > 5,
    }


def _filled(contract: Contract, row: Row) -> Row:
    return {**{column.name: _plainest(column) for column in contract.columns}, **row}


def _plainest(column: Column) -> Any:
    if column.nullable:
        return None
    if column.allowed:
        return column.allowed[0]
    return column.minimum if column.minimum is not None else _PLAINEST[column.type]
