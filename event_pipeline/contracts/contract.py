"""The shape of a contract: a table's columns, grain and promises, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Layer = Literal["raw", "staging", "quarantine", "people", "core", "marts", "ops"]
Catalog = Literal["lake", "warehouse"]
Parser = Literal["text", "verbatim", "email", "phone", "timestamp", "amount", "integer", "boolean", "choice", "json"]
Consequence = Literal["reject", "note"]

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
}
"""Contract types and what they are in DuckDB; timestamps are instants in UTC."""

IBIS_TYPES = {**{name: name for name in DUCKDB_TYPES}, "timestamp": "timestamp('UTC')"}
"""Contract types and what they are in Ibis."""

_PUBLIC_OPS = frozenset({"ops.data_quality", "ops.warehouse_progress", "ops.stream_status", "ops.batches"})
"""Records of the pipeline's own work that warehouse users see."""

UNKNOWN = "unknown"
"""Key of the row every dimension keeps for what is missing or was deleted."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type, what it means, and what every value must satisfy.

    ``path`` and ``parser`` say where in the document a staging column comes from and how its text is read; derived
    columns have none. ``consequence`` is what a broken rule does to the row: ``reject`` quarantines it, ``note``
    empties the value and keeps the row. ``references`` names another table's key as ``layer.table.column``. ``advice``
    is what quarantine says to do about a value that is not allowed, where the allowed values say nothing to a person.
    """

    name: str
    type: str
    description: str
    nullable: bool = True
    allowed: tuple[str, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None
    max_length: int | None = None
    references: str | None = None
    personal: bool = False
    path: str | None = None
    parser: Parser | None = None
    consequence: Consequence = "reject"
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """One table's promises. ``key`` columns identify a row (the grain); ``name`` is ``layer.table``.

    ``order_by`` is the order of rows in the table's files: what is asked by those columns reads few of them.
    """

    layer: Layer
    table: str
    grain: str
    key: tuple[str, ...]
    description: str
    columns: tuple[Column, ...]
    sources: tuple[str, ...] = ()
    partition_column: str | None = None
    fresh_by: str | None = None
    order_by: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """``layer.table``."""
        return f"{self.layer}.{self.table}"

    @property
    def catalog(self) -> Catalog:
        """The lake holds everything personal; the warehouse only pseudonymous ids."""
        return "warehouse" if self.layer in ("core", "marts") or self.name in _PUBLIC_OPS else "lake"

    @property
    def qualified(self) -> str:
        """``catalog.schema.table`` as SQL names it."""
        return f"{self.catalog}.{self.layer}.{self.table}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in declared order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")
