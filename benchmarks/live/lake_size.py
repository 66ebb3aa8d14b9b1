"""What the lake takes on disk, and what it would take with every table written at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from event_pipeline.warehouse.table_contracts import CONTRACTS

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Stored:
    """Megabytes and number of files."""

    megabytes: float
    files: int


def stored(folder: Path) -> Stored:
    """What lies in the folder and below."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return Stored(round(sum(sizes) / 1e6, 2), len(sizes))


def lake_of(data: Path) -> Stored:
    """Catalogs and files of a data folder."""
    catalog, storage = stored(data / "catalog"), stored(data / "storage")
    return Stored(round(catalog.megabytes + storage.megabytes, 2), storage.files)


def compacted(connection: duckdb.DuckDBPyConnection, folder: Path) -> float:
    """Megabytes of the rows that every table holds now, each table written into one file there."""
    folder.mkdir(parents=True)
    tables = connection.execute(
        "SELECT database_name, schema_name, table_name FROM duckdb_tables() "
        "WHERE database_name IN ('lake', 'warehouse') ORDER BY ALL"
    ).fetchall()
    for catalog, layer, table in tables:
        contract = CONTRACTS.get(f"{layer}.{table}")
        order = f" ORDER BY {', '.join(contract.order_by)}" if contract is not None and contract.order_by else ""
        path = folder / f"{catalog}.{layer}.{table}.parquet"
        connection.execute(f"COPY (SELECT * FROM {catalog}.{layer}.{table}{order}) TO '{path}' (FORMAT parquet)")
    return stored(folder).megabytes
