"""The lake's raw tables: commits changes with their cursors, and answers what is already known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.raw import CURSORS, RAW_TABLES
from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.settings import Settings
from event_pipeline.sources.change import ChangeBatch
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.rows import first_row
from event_pipeline.warehouse.tables import create_tables

if TYPE_CHECKING:
    import duckdb

_KEY = "source, document_id, version"


class Lake:
    """Raw tables and cursors over one open connection to the lake catalog."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        self.connection = connection
        self.settings = settings

    @classmethod
    def prepared(cls, connection: duckdb.DuckDBPyConnection, settings: Settings) -> Lake:
        """A lake whose tables are there."""
        with write_transaction(connection, settings):
            create_tables(connection, [*RAW_TABLES.values(), CURSORS, SOURCE_STATE])
        return cls(connection, settings)

    def commit(self, batch: ChangeBatch) -> int:
        """Appends the changes that are not there yet and advances the cursors, in one transaction.

        Returns the rows appended. Delivered again, the same batch appends nothing.
        """
        contract = RAW_TABLES[batch.collection]
        now = datetime.now(UTC)
        with write_transaction(self.connection, self.settings):
            appended = self._append(contract, batch.changes, now) if batch.changes.num_rows else 0
            for name, state in batch.cursors.items():
                self._set_cursor(batch.source, name, state, now)
        return appended

    def cursors(self, source: str) -> dict[str, object]:
        """States of the source's cursors by name."""
        rows = self.connection.execute(
            f"SELECT cursor_name, state FROM {CURSORS.qualified} WHERE source = ?", [source]
        ).fetchall()
        return {name: json.loads(state) for name, state in rows}

    def known(self, source: str) -> LakeVersions:
        """The latest versions the lake holds of that source's documents."""
        return LakeVersions(self.connection, source)

    def row_count(self, collection: str) -> int:
        """Versions stored of that collection."""
        row = first_row(self.connection.execute(f"SELECT count(*) FROM {RAW_TABLES[collection].qualified}"))
        return int(row[0]) if row else 0

    def _append(self, contract: Contract, changes: pa.Table, now: datetime) -> int:
        self.connection.register("_incoming", changes)
        try:
            low, high = first_row(
                self.connection.execute("SELECT min(document_id), max(document_id) FROM _incoming")
            ) or ("", "")
            # The bounds let DuckLake skip files that hold none of these ids.
            result = first_row(
                self.connection.execute(
                    f"""
                INSERT INTO {contract.qualified} BY NAME
                SELECT i.*, ?::TIMESTAMPTZ AS ingested_at, ?::DATE AS ingested_date
                FROM (SELECT * FROM _incoming {self._first_of_each(changes)}) i
                ANTI JOIN (SELECT {_KEY} FROM {contract.qualified} WHERE document_id BETWEEN ? AND ?) k USING ({_KEY})
                """,
                    [now, now.date(), low, high],
                )
            )
        finally:
            self.connection.unregister("_incoming")
        return int(result[0]) if result else 0

    def _first_of_each(self, changes: pa.Table) -> str:
        """A window over payloads is dear, so it is asked for only where a batch repeats itself."""
        distinct = first_row(self.connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT {_KEY} FROM _incoming)"))
        if distinct and distinct[0] == changes.num_rows:
            return ""
        return f"QUALIFY row_number() OVER (PARTITION BY {_KEY}) = 1"

    def _set_cursor(self, source: str, name: str, state: object, now: datetime) -> None:
        self.connection.execute(f"DELETE FROM {CURSORS.qualified} WHERE source = ? AND cursor_name = ?", [source, name])
        self.connection.execute(
            f"INSERT INTO {CURSORS.qualified} VALUES (?, ?, ?, ?)", [source, name, json.dumps(state), now]
        )


class LakeVersions:
    """``KnownVersions`` of one source, read from the lake's raw tables."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: str) -> None:
        self._connection = connection
        self._source = source

    def of_ids(self, collection: str, document_ids: Iterable[str]) -> Mapping[str, str]:
        """Latest versions of these documents; absent when unknown or deleted."""
        ids = pa.table({"document_id": pa.array(list(document_ids), type=pa.string())})
        if not ids.num_rows:
            return {}
        self._connection.register("_ids", ids)
        try:
            low, high = first_row(self._connection.execute("SELECT min(document_id), max(document_id) FROM _ids")) or (
                "",
                "",
            )
            return self._latest(
                collection, "document_id BETWEEN ? AND ? AND document_id IN (SELECT document_id FROM _ids)", [low, high]
            )
        finally:
            self._connection.unregister("_ids")

    def in_range(self, collection: str, after: str | None = None, until: str | None = None) -> Mapping[str, str]:
        """Latest versions of documents with after < id <= until in UTF-8 byte order."""
        return self._latest(
            collection,
            "(?::VARCHAR IS NULL OR document_id > ?) AND (?::VARCHAR IS NULL OR document_id <= ?)",
            [after, after, until, until],
        )

    def _latest(self, collection: str, condition: str, parameters: list[object]) -> dict[str, str]:
        rows = self._connection.execute(
            f"""SELECT document_id, max(version) AS version FROM {RAW_TABLES[collection].qualified}
            WHERE source = ? AND {condition} GROUP BY document_id HAVING max(version) NOT LIKE '%-gone'""",
            [self._source, *parameters],
        ).fetchall()
        return dict(rows)
