"""What the database's own catalog says is stored, in one query for a table and all it refers to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract

if TYPE_CHECKING:
    import duckdb

STORED_TYPES = {
    "string": "VARCHAR",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "date": "DATE",
}
"""Contract types as the catalog names them."""

Stored = Mapping[str, Mapping[str, str]]
"""Column types by column, by ``catalog.schema.table``; a table that is not there is absent."""


def stored_columns(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> Stored:
    """The stored columns of these tables, named ``catalog.schema.table``."""
    rows = connection.execute(
        "SELECT database_name || '.' || schema_name || '.' || table_name AS name, column_name, data_type "
        "FROM duckdb_columns() WHERE list_contains($1, name) ORDER BY column_index",
        [list(tables)],
    ).fetchall()
    stored: dict[str, dict[str, str]] = {}
    for table, column, data_type in rows:
        stored.setdefault(table, {})[column] = data_type
    return stored


def schema_differences(contract: Contract, stored: Stored) -> tuple[str, ...]:
    """How the stored columns differ from the declared, in words; empty when they agree."""
    found = stored.get(contract.qualified, {})
    differences = []
    for column in contract.columns:
        expected = STORED_TYPES[column.type]
        if column.name not in found:
            differences.append(f"{column.name} is missing")
        elif found[column.name] != expected:
            differences.append(f"{column.name} is {found[column.name]} instead of {expected}")
    declared = set(contract.column_names)
    differences += [f"{name} is not declared" for name in found if name not in declared]
    return tuple(differences)


def usable_columns(contract: Contract, stored: Stored) -> frozenset[str]:
    """Declared columns that are stored with the declared type: those that can be asked about."""
    found = stored.get(contract.qualified, {})
    return frozenset(c.name for c in contract.columns if found.get(c.name) == STORED_TYPES[c.type])
