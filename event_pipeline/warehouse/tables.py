"""Tables from contracts: creation, atomic replacement by column name, and what is asked of every frame before that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import DUCKDB_TYPES, Catalog, Contract
from event_pipeline.errors import ContractError
from event_pipeline.warehouse.rows import first_row

if TYPE_CHECKING:
    import duckdb


def create_tables(connection: duckdb.DuckDBPyConnection, contracts: Iterable[Contract]) -> None:
    """Tables as their contracts declare them, those that are not there yet; columns added to a contract are added."""
    wanted = list(contracts)
    present = _stored_columns(connection, {contract.catalog for contract in wanted})
    for contract in wanted:
        columns = present.get(contract.qualified)
        if columns is None:
            _create_table(connection, contract)
            continue
        for column in contract.columns:
            if column.name not in columns:
                connection.execute(
                    f'ALTER TABLE {contract.qualified} ADD COLUMN "{column.name}" {DUCKDB_TYPES[column.type]}'
                )


def table_exists(connection: duckdb.DuckDBPyConnection, contract: Contract) -> bool:
    """Whether the table is there, for readers who come before the first write."""
    found = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        [contract.catalog, contract.layer, contract.table],
    )
    return first_row(found) is not None


def _create_table(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    columns = ", ".join(f'"{c.name}" {DUCKDB_TYPES[c.type]}' for c in contract.columns)
    connection.execute(f"CREATE TABLE IF NOT EXISTS {contract.qualified} ({columns})")
    if contract.layer == "raw":
        connection.execute(f"ALTER TABLE {contract.qualified} SET PARTITIONED BY ({contract.partition_column})")
    if contract.order_by:
        # Also what is written in small batches is in order once its files are merged.
        connection.execute(f"ALTER TABLE {contract.qualified} SET SORTED BY ({', '.join(contract.order_by)})")


def _stored_columns(connection: duckdb.DuckDBPyConnection, catalogs: set[Catalog]) -> dict[str, set[str]]:
    """Columns by catalog.schema.table, asked for once: each look into a catalog costs milliseconds."""
    rows = connection.execute(
        "SELECT concat_ws('.', database_name, schema_name, table_name), column_name FROM duckdb_columns() "
        "WHERE list_contains(?, database_name)",
        [list(catalogs)],
    ).fetchall()
    found: dict[str, set[str]] = {}
    for table, column in rows:
        found.setdefault(table, set()).add(column)
    return found


def replace_rows(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    query: str,
    columns: Sequence[str],
    partition: tuple[str, str] | None = None,
) -> int:
    """Within the caller's transaction, the table (or the days in ``partition``, inclusive) becomes the query.

    The table exists; ``columns`` are the query's, matched by name, never by position. Returns the rows written. Raises
    ContractError for missing or undeclared columns and for rows outside the partition; the caller's transaction then
    rolls back and the old rows stay.
    """
    require_rows(connection, contract, query, columns, partition)
    connection.execute(f"DELETE FROM {contract.qualified}{of_days(contract, partition)}")
    names = ", ".join(f'"{name}"' for name in contract.column_names)
    inserted = first_row(
        connection.execute(f"INSERT INTO {contract.qualified} ({names}) SELECT {names} FROM ({query})")
    )
    return int(inserted[0]) if inserted else 0


def of_days(contract: Contract, days: tuple[str, str] | None) -> str:
    """The WHERE clause of these days, both included; none for the whole table."""
    if days is None:
        return ""
    return f" WHERE \"{contract.partition_column}\" BETWEEN DATE '{days[0]}' AND DATE '{days[1]}'"


def require_rows(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    query: str,
    columns: Sequence[str],
    partition: tuple[str, str] | None,
) -> None:
    """Raises ContractError for missing or undeclared columns and for rows outside the partition."""
    _require_columns(contract, columns)
    if partition is not None:
        _require_inside(connection, contract, query, partition)


def _require_columns(contract: Contract, columns: Sequence[str]) -> None:
    missing = [name for name in contract.column_names if name not in columns]
    if missing:
        raise ContractError(f"{contract.name}: the rows lack {', '.join(missing)}; found {', '.join(columns)}")
    unexpected = [name for name in columns if name not in contract.column_names]
    if unexpected:
        raise ContractError(f"{contract.name}: the contract does not declare {', '.join(unexpected)}; add or drop them")


def _require_inside(
    connection: duckdb.DuckDBPyConnection, contract: Contract, query: str, partition: tuple[str, str]
) -> None:
    column = contract.partition_column
    row = first_row(
        connection.execute(
            f'SELECT count(*) FROM ({query}) WHERE "{column}" IS NULL '
            f"OR \"{column}\" NOT BETWEEN DATE '{partition[0]}' AND DATE '{partition[1]}'"
        )
    )
    if row and row[0]:
        raise ContractError(
            f"{contract.name}: {row[0]} rows have a {column} outside {'..'.join(partition)}; nothing was written"
        )
