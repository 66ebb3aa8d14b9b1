"""A small star and a staging table whose contracts promise one thing of every kind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from event_pipeline.contracts.contract import DUCKDB_TYPES, Column, Contract
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.warehouse.tables import create_tables

NOW = datetime(2025, 6, 10, 12, tzinfo=UTC)

PLACES = Contract(
    layer="core",
    table="dim_places",
    grain="one row per place",
    key=("place_id",),
    description="Places.",
    columns=(Column("place_id", "string", "Place.", nullable=False),),
)

VISITS = Contract(
    layer="core",
    table="fact_visits",
    grain="one row per visit and day",
    key=("visit_id", "day"),
    description="Visits.",
    columns=(
        Column("visit_id", "string", "Visit.", nullable=False),
        Column("day", "date", "Day; may be unknown."),
        Column("place_id", "string", "Place.", references="core.dim_places.place_id"),
        Column("state", "string", "State.", allowed=("open", "closed", 'it\'s 100 %: "odd"')),
        Column("fee_minor", "int64", "Fee.", nullable=False, minimum=0),
        Column("rating", "float64", "Rating.", minimum=0, maximum=1),
        Column("note", "string", "Note.", max_length=10),
        Column("visitor", "string", "Name of the visitor.", personal=True, max_length=10),
        Column("seen_at", "timestamp", "When it was seen.", nullable=False),
    ),
    fresh_by="seen_at",
)

FORMS = Contract(
    layer="staging",
    table="forms",
    grain="one row per form",
    key=("form_id",),
    description="Forms.",
    columns=(
        Column("form_id", "string", "Form.", nullable=False, personal=True),
        Column("answer", "string", "Answer.", nullable=False, allowed=("yes", "no")),
        Column("version_at", "timestamp", "When it was seen.", nullable=False),
    ),
    fresh_by="version_at",
)

SOUND: dict[str, Any] = {
    "visit_id": "v1",
    "day": "2025-06-09",
    "place_id": "p1",
    "state": "open",
    "fee_minor": 100,
    "rating": 0.5,
    "note": "fine",
    "visitor": "Asha Rao",
    "seen_at": "2025-06-10T10:00:00Z",
}


def visit(visit_id: str, **changed: Any) -> dict[str, Any]:
    """A visit that keeps every promise but for what is changed."""
    return {**SOUND, "visit_id": visit_id, **changed}


def form(form_id: str, answer: str = "yes") -> dict[str, Any]:
    """A form that keeps every promise."""
    return {"form_id": form_id, "answer": answer, "version_at": "2025-06-10T10:00:00Z"}


def store(connection: duckdb.DuckDBPyConnection, contract: Contract, rows: Sequence[dict[str, Any]] = ()) -> None:
    """Creates the table and appends the rows as they are."""
    create_tables(connection, [contract])
    for row in rows:
        names = ", ".join(row)
        values = ", ".join(f"?::{DUCKDB_TYPES[contract.column(name).type]}" for name in row)
        connection.execute(f"INSERT INTO {contract.qualified} ({names}) SELECT {values}", list(row.values()))


def quarantine(
    connection: duckdb.DuckDBPyConnection, document_id: str, rule: str, consequence: str = "rejected"
) -> None:
    """Puts a document of ``staging.forms`` into quarantine."""
    row = dict.fromkeys(QUARANTINE.column_names, "x") | {
        "table_name": FORMS.table, "document_id": document_id, "rule": rule, "consequence": consequence,
    }  # fmt: skip
    store(connection, QUARANTINE, [row])
