"""Tables from contracts: creation, atomic replacement by column name, and what is asked of every frame before that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import DUCKDB_TYPES, Contract
from event_pipeline.errors import ContractError

if TYPE_CHECKING:
    import duckdb


def create_table(connection: duckdb.DuckDBPyConnection, contract: Contract) -> None:
    """The table as its contract declares it, if it is not there yet; columns added to a contract are added to it."""
    present = existing_columns(connection, contract)
    if not present:
        columns = ", ".join(f'"{c.name}" {DUCKDB_TYPES[c.type]}' for c in contract.columns)
        connection.execute(f"CREATE TABLE IF NOT EXISTS {contract.qualified} ({columns})")
        if contract.layer == "raw":
            connection.execute(f"ALTER TABLE {contract.qualified} SET PARTITIONED BY ({contract.partition_column})")
        return
    for column in contract.columns:
        if column.name not in present:
            connection.execute(
                f'ALTER TABLE {contract.qualified} ADD COLUMN "{column.name}" {DUCKDB_TYPES[column.type]}'
            )


def existing_columns(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[str]:
    """Names of the stored table's columns; empty when there is no such table."""
    rows = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        [contract.catalog, contract.layer, contract.table],
    ).fetchall()
    return [name for (name,) in rows]


def replace_rows(
    connection: duckdb.DuckDBPyConnection, contract: Contract, query: str, partition: tuple[str, str] | None = None
) -> int:
    """Within the caller's transaction, the table (or the days in ``partition``, inclusive) becomes the query.

    Columns are matched by name, never by position. Returns the rows written. Raises ContractError for missing columns
    and for rows outside the partition; the caller's transaction then rolls back and the old rows stay.
    """
    create_table(connection, contract)
    _require_columns(connection, contract, query)
    where = ""
    if partition is not None:
        column = contract.partition_column
        where = f" WHERE \"{column}\" BETWEEN DATE '{partition[0]}' AND DATE '{partition[1]}'"
        _require_inside(connection, contract, query, partition)
    connection.execute(f"DELETE FROM {contract.qualified}{where}")
    names = ", ".join(f'"{name}"' for name in contract.column_names)
    order = f" ORDER BY {', '.join(contract.order_by)}" if contract.order_by else ""
    inserted = connection.execute(
        f"INSERT INTO {contract.qualified} ({names}) SELECT {names} FROM ({query}){order}"
    ).fetchone()
    return int(inserted[0]) if inserted else 0


def _require_columns(connection: duckdb.DuckDBPyConnection, contract: Contract, query: str) -> None:
    found = {str(row[0]): str(row[1]) for row in connection.execute(f"DESCRIBE {query}").fetchall()}
    missing = [name for name in contract.column_names if name not in found]
    if missing:
        raise ContractError(f"{contract.name}: the rows lack {', '.join(missing)}; found {', '.join(found)}")
    unexpected = [name for name in found if name not in contract.column_names]
    if unexpected:
        raise ContractError(f"{contract.name}: the contract does not declare {', '.join(unexpected)}; add or drop them")


def _require_inside(
    connection: duckdb.DuckDBPyConnection, contract: Contract, query: str, partition: tuple[str, str]
) -> None:
    column = contract.partition_column
    row = connection.execute(
        f'SELECT count(*) FROM ({query}) WHERE "{column}" IS NULL '
        f"OR \"{column}\" NOT BETWEEN DATE '{partition[0]}' AND DATE '{partition[1]}'"
    ).fetchone()
    if row and row[0]:
        raise ContractError(
            f"{contract.name}: {row[0]} rows have a {column} outside {'..'.join(partition)}; nothing was written"
        )


def create_tables(connection: duckdb.DuckDBPyConnection, contracts: Iterable[Contract]) -> None:
    """Every table of these contracts, so that readers find empty tables rather than none."""
    for contract in contracts:
        create_table(connection, contract)
