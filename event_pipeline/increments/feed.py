"""The lake's change feed as deltas: what a stage's inputs gained and lost since a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.warehouse.rows import first_row
from event_pipeline.warehouse.table_contracts import CONTRACTS

if TYPE_CHECKING:
    import duckdb


def current_snapshot(connection: duckdb.DuckDBPyConnection, catalog: str = "lake") -> int:
    """The catalog's newest snapshot, as this transaction sees it."""
    row = first_row(connection.execute(f"SELECT id FROM ducklake_current_snapshot('{catalog}')"))
    return int(row[0]) if row else 0


def holds_since(connection: duckdb.DuckDBPyConnection, snapshot: int, catalog: str = "lake") -> bool:
    """Whether the catalog still knows every change after that snapshot: maintenance forgets old ones."""
    row = first_row(
        connection.execute(f"SELECT min(snapshot_id), max(snapshot_id) FROM ducklake_snapshots('{catalog}')")
    )
    return row is not None and row[0] is not None and row[0] <= snapshot + 1 <= row[1] + 1


def changed_documents(connection: duckdb.DuckDBPyConnection, raw: list[str], since: int) -> int:
    """Versions appended to these raw tables since the snapshot."""
    until = current_snapshot(connection)
    counts = [f"(SELECT count(*) FROM {_insertions(CONTRACTS[name], since, until)})" for name in raw]
    row = first_row(connection.execute(f"SELECT {' + '.join(counts)}")) if since < until else None
    return int(row[0]) if row else 0


def delta_queries(connection: duckdb.DuckDBPyConnection, names: Iterable[str], since: int) -> Iterator[tuple[str, str]]:
    """For each of these tables, the query of what came (``_is_added``) and went after that snapshot.

    Of raw tables only ids matter: their rows never change.
    """
    until = current_snapshot(connection)
    if since >= until:
        return
    for name in names:
        contract = CONTRACTS[name]
        if contract.layer == "raw":
            yield name, f"SELECT DISTINCT document_id, true AS _is_added FROM {_insertions(contract, since, until)}"
            continue
        columns = ", ".join(f'"{column}"' for column in contract.column_names)
        yield (
            name,
            f"SELECT {columns}, change_type IN ('insert', 'update_postimage') AS _is_added "
            f"FROM {changed_rows(contract, since, until)}",
        )


def changed_rows(contract: Contract, since: int, until: int) -> str:
    """What came and went (``change_type``) after the first snapshot up to the other, to be read from.

    Each change once: DuckLake tells twice of a row that a transaction deletes alone before it deletes the rest of its
    file.
    """
    return f"(SELECT DISTINCT * FROM ducklake_table_changes({_arguments(contract, since, until)}))"


def _insertions(contract: Contract, since: int, until: int) -> str:
    return f"ducklake_table_insertions({_arguments(contract, since, until)})"


def _arguments(contract: Contract, since: int, until: int) -> str:
    return f"'{contract.catalog}', '{contract.layer}', '{contract.table}', {since + 1}, {until}"
