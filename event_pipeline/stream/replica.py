"""The worker's working copy of the tables, in DuckDB's own format: look-ups by key cost a hundredth of the lake's.

It is a cache. What is true is in the lake and the warehouse; the copy notes the snapshots that it equals, follows what
others commit, and is made again when it is missing, damaged, or of another layout.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from event_pipeline.contracts.contract import DUCKDB_TYPES, Contract
from event_pipeline.increments.feed import changed_rows, current_snapshot, holds_since
from event_pipeline.settings import Settings
from event_pipeline.stream.replica_layout import ROW_GROUP, clustering, indexed, layout_fingerprint, replicated
from event_pipeline.warehouse.connection import SCHEMAS
from event_pipeline.warehouse.rows import first_row
from event_pipeline.warehouse.table_contracts import CONTRACTS

if TYPE_CHECKING:
    import duckdb

log = structlog.get_logger()

MOST_FOLLOWED = 50_000
"""With more changed rows than this a table is copied again instead of followed."""

_FEED = "_feed"


def replica_place(name: str) -> str:
    """Where the copy keeps ``layer.table``."""
    return f"replica.{name}"


class Replica:
    """The working copy, attached to the connection as ``replica``. ``snapshots`` are those it equals, by catalog."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        self._connection = connection
        self._path = settings.data_dir / "stream" / "replica.duckdb"
        self.snapshots: dict[str, int] = {}

    def open(self) -> None:
        """Attaches the copy that is there, or an empty one to be copied into."""
        import duckdb

        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._attach()
            self.snapshots = self._read_snapshots()
        except duckdb.Error as error:
            log.warning("replica_damaged", path=str(self._path), reason=str(error).splitlines()[0])
            self.snapshots = {}
        if not self.snapshots:
            self._start_over()

    def close(self) -> None:
        """Detaches the copy; what is in its log goes to its file."""
        self._connection.execute("DETACH replica")

    def follow(self, on_copied: Callable[[str], None] = lambda _: None) -> bool:
        """Brings the copy to what the lake and the warehouse hold; whether there was anything to bring.

        The caller holds the write lock or does not mind that others commit meanwhile.
        """
        has_changed = False
        for catalog in SCHEMAS:
            now, since = current_snapshot(self._connection, catalog), self.snapshots.get(catalog)
            if since == now:
                continue
            has_changed = True
            mine = [name for name in replicated() if CONTRACTS[name].catalog == catalog]
            if since is None or not holds_since(self._connection, since, catalog):
                self._forget(catalog)
                for name in mine:
                    self._copy(CONTRACTS[name], now)
                    on_copied(name)
            else:
                changed = self._changed_tables(catalog, since)
                for name in mine:
                    if CONTRACTS[name].table in changed:
                        self._bring(CONTRACTS[name], since, now)
            self.note({catalog: now})
        return has_changed

    def note(self, snapshots: dict[str, int]) -> None:
        """Within a transaction of the caller or alone: the copy equals these snapshots."""
        for catalog, snapshot in snapshots.items():
            self._connection.execute("DELETE FROM replica.meta.synced WHERE catalog = ?", [catalog])
            self._connection.execute(
                "INSERT INTO replica.meta.synced VALUES (?, ?, ?)", [catalog, snapshot, layout_fingerprint()]
            )
        self.snapshots |= snapshots

    def forget_changes(self) -> None:
        """After the caller rolled back: what the copy equals is what it noted before."""
        self.snapshots = self._read_snapshots()

    def _attach(self) -> None:
        self._connection.execute(
            f"ATTACH '{str(self._path).replace(chr(39), chr(39) * 2)}' AS replica (ROW_GROUP_SIZE {ROW_GROUP})"
        )
        self._connection.execute("CREATE SCHEMA IF NOT EXISTS replica.meta")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS replica.meta.synced (catalog VARCHAR, snapshot BIGINT, layout VARCHAR)"
        )

    def _read_snapshots(self) -> dict[str, int]:
        rows = self._connection.execute("SELECT catalog, snapshot, layout FROM replica.meta.synced").fetchall()
        return {catalog: snapshot for catalog, snapshot, layout in rows if layout == layout_fingerprint()}

    def _start_over(self) -> None:
        attached = first_row(
            self._connection.execute("SELECT 1 FROM duckdb_databases() WHERE database_name = 'replica'")
        )
        if attached:
            self._connection.execute("DETACH replica")
        for path in (self._path, Path(f"{self._path}.wal")):
            path.unlink(missing_ok=True)
        self._attach()
        for layer in {CONTRACTS[name].layer for name in replicated()}:
            self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS replica.{layer}")

    def _forget(self, catalog: str) -> None:
        """Until every table is copied the copy equals nothing."""
        self._connection.execute("DELETE FROM replica.meta.synced WHERE catalog = ?", [catalog])
        self.snapshots.pop(catalog, None)

    def _changed_tables(self, catalog: str, since: int) -> set[str]:
        rows = self._connection.execute(
            f"""SELECT DISTINCT t.table_name FROM ducklake_table_info('{catalog}') t
            JOIN (SELECT DISTINCT unnest(flatten(map_values(changes))) AS changed
                FROM ducklake_snapshots('{catalog}') WHERE snapshot_id > ?) c ON c.changed = t.table_id::VARCHAR""",
            [since],
        ).fetchall()
        return {name for (name,) in rows}

    def _bring(self, contract: Contract, since: int, now: int) -> None:
        """Applies what changed in one table, or copies it where that is quicker."""
        place, columns = replica_place(contract.name), ", ".join(f'"{name}"' for name in contract.column_names)
        feed = changed_rows(contract, since, now)
        counted = first_row(self._connection.execute(f"SELECT count(*) FROM {feed}"))
        if counted is None or not counted[0]:
            return
        if counted[0] > MOST_FOLLOWED:
            self._copy(contract, now)
            return
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_FEED} AS SELECT {columns}, sum(_sign) AS _sign FROM (SELECT {columns}, "
            f"CASE WHEN change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END AS _sign FROM {feed}) "
            "GROUP BY ALL HAVING sum(_sign) <> 0"
        )
        same = " AND ".join(f'f."{name}" IS NOT DISTINCT FROM t."{name}"' for name in contract.key)
        # Rows that come go first too: the copy may hold them already.
        self._connection.execute(f"DELETE FROM {place} t WHERE EXISTS (SELECT 1 FROM {_FEED} f WHERE {same})")
        self._connection.execute(f"INSERT INTO {place} ({columns}) SELECT {columns} FROM {_FEED} WHERE _sign > 0")

    def _copy(self, contract: Contract, snapshot: int) -> None:
        """The whole table as of that snapshot, laid out for look-ups."""
        place, columns = replica_place(contract.name), ", ".join(f'"{name}"' for name in contract.column_names)
        typed = ", ".join(f'"{column.name}" {DUCKDB_TYPES[column.type]}' for column in contract.columns)
        order = clustering(contract.name)
        self._connection.execute(f"DROP TABLE IF EXISTS {place}")
        self._connection.execute(f"CREATE TABLE {place} ({typed})")
        self._connection.execute(
            f"INSERT INTO {place} SELECT {columns} FROM {contract.qualified} AT (VERSION => {snapshot})"
            + (f' ORDER BY "{order}"' if order else "")
        )
        # Built after the rows: filling an index row by row takes five times as long.
        for column in indexed(contract.name):
            self._connection.execute(f'CREATE INDEX "{contract.table}_{column}" ON {place} ("{column}")')
