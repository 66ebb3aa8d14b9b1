"""The warehouse's tables as an SQLite file, with the keys and indexes that somebody who serves it would make."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import duckdb_extension_sqlite_scanner

from benchmarks.api.asked import COPIED
from event_pipeline.contracts.contract import Contract

_INSTANT = "strftime({name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')"
_DAY = "strftime({name}, '%Y-%m-%d')"


def copy_to_sqlite(connection: duckdb.DuckDBPyConnection, database: Path) -> None:
    """Copies what both servers have from the open warehouse; instants and days become texts that sort."""
    database.unlink(missing_ok=True)
    extension = next(Path(next(iter(duckdb_extension_sqlite_scanner.__path__))).rglob("*.duckdb_extension"))
    connection.execute(f"LOAD '{extension}'")
    connection.execute(f"ATTACH '{database}' AS copied (TYPE sqlite)")
    for contract in COPIED:
        columns = ", ".join(_as_text(contract, name) for name in contract.column_names)
        connection.execute(f"CREATE TABLE copied.{contract.table} AS SELECT {columns} FROM {contract.qualified}")
    connection.execute("DETACH copied")
    with closing(sqlite3.connect(database)) as file:
        for contract in COPIED:
            file.execute(f"CREATE UNIQUE INDEX {contract.table}_key ON {contract.table} ({', '.join(contract.key)})")
            for name in {"event_id", "date"}.intersection(contract.column_names):
                file.execute(f"CREATE INDEX {contract.table}_{name} ON {contract.table} ({name})")
        file.execute("ANALYZE")
        file.commit()


def _as_text(contract: Contract, name: str) -> str:
    made = {"timestamp": _INSTANT, "date": _DAY}.get(contract.column(name).type, '"{name}"')
    return f'{made.format(name=name)} AS "{name}"'
