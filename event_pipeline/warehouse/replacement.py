"""Makes a table what it is to hold, and writes nothing where it holds that already.

Every written table is a whole copy beside the one it replaces, for as long as snapshots are kept. A nightly rebuild
finds most tables as increments left them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import DUCKDB_TYPES, Contract
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import metadata_of
from event_pipeline.warehouse.rows import first_row
from event_pipeline.warehouse.tables import of_days, replace_rows, require_rows

if TYPE_CHECKING:
    import duckdb

_MOST_DELETED = 0.2
"""A table is written again when more than this share of its stored rows is deleted: every reader skips over those."""

_WANTED = "_wanted"

NOTHING = (0, 0)
"""Content of no rows."""


def bring_to(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    contract: Contract,
    query: str,
    columns: Sequence[str],
    days: tuple[str, str] | None = None,
) -> int:
    """Within the caller's transaction, the table (or its days from first to last) becomes the query; the rows it has.

    Raises ContractError as ``replace_rows`` does.
    """
    stored = content(connection, contract, contract.qualified + of_days(contract, days))
    if not stored[0] or _is_worn(connection, settings, contract):
        return replace_rows(connection, contract, query, columns, days)
    require_rows(connection, contract, query, columns, days)
    typed = ", ".join(f'"{column.name}" {DUCKDB_TYPES[column.type]}' for column in contract.columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {_WANTED} ({typed})")
    connection.execute(f"INSERT INTO {_WANTED} SELECT {_names(contract)} FROM ({query})")
    wanted = content(connection, contract, _WANTED)
    if wanted != stored:
        replace_rows(connection, contract, f"SELECT * FROM {_WANTED}", contract.column_names, days)
    connection.execute(f"DROP TABLE {_WANTED}")
    return wanted[0]


def content(connection: duckdb.DuckDBPyConnection, contract: Contract, source: str) -> tuple[int, int]:
    """How many rows, and a sum over them that is another when a value, or how often a row occurs, is another."""
    row = first_row(
        connection.execute(f"SELECT count(*), coalesce(sum(hash({_names(contract)})::HUGEINT), 0) FROM {source}")
    )
    return (int(row[0]), int(row[1])) if row else NOTHING


def _is_worn(connection: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract) -> bool:
    """Whether deleted rows are many of those in its files."""
    metadata = metadata_of(settings, contract.catalog)
    row = first_row(
        connection.execute(
            f"""SELECT coalesce(sum(deleted.rows), 0) > {_MOST_DELETED} * sum(record_count)
            FROM {metadata}.ducklake_data_file AS file JOIN {metadata}.ducklake_table AS t USING (table_id)
            JOIN {metadata}.ducklake_schema AS s USING (schema_id) LEFT JOIN (
                SELECT data_file_id, sum(delete_count) AS rows FROM {metadata}.ducklake_delete_file
                WHERE end_snapshot IS NULL GROUP BY ALL) AS deleted USING (data_file_id)
            WHERE file.end_snapshot IS NULL AND t.end_snapshot IS NULL AND s.end_snapshot IS NULL
                AND schema_name = ? AND table_name = ?""",
            [contract.layer, contract.table],
        )
    )
    return bool(row and row[0])


def _names(contract: Contract) -> str:
    return ", ".join(f'"{name}"' for name in contract.column_names)
