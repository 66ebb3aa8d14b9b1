"""Writes what a batch changed into the lake or the warehouse: the rows that went and came, nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.raw import CURSORS
from event_pipeline.increments.feed import current_snapshot
from event_pipeline.increments.keys import MOST_LITERALS, literal
from event_pipeline.increments.progress import Progress, write_progress
from event_pipeline.warehouse.lock import transaction
from event_pipeline.warehouse.table_contracts import CONTRACTS

if TYPE_CHECKING:
    import duckdb

_ROWS, _GONE = "_published", "_gone"


class Publisher:
    """One catalog's writing end, over a connection of its own; the caller holds the write lock."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, catalog: str) -> None:
        self._connection = connection
        self._catalog = catalog
        connection.execute("SET TimeZone = 'UTC'")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Committed on leaving, rolled back on any error."""
        with transaction(self._connection):
            yield

    def snapshot(self) -> int:
        """The catalog's newest snapshot."""
        return current_snapshot(self._connection, self._catalog)

    def snapshot_after(self, before: int) -> int:
        """The snapshot that the commit just made; ``before`` when others committed beside it, without the lock.

        Taken for the commit's own, theirs would never be looked into.
        """
        now = self.snapshot()
        return now if now == before + 1 else before

    def append(self, name: str, rows: pa.Table) -> None:
        """Adds rows, columns matched by name."""
        if rows.num_rows:
            with self._registered(_ROWS, rows):
                self._connection.execute(f"INSERT INTO {CONTRACTS[name].qualified} BY NAME SELECT * FROM {_ROWS}")

    def apply(self, name: str, delta: pa.Table) -> None:
        """Takes out the rows that went and puts in those that came, told by ``_is_added``."""
        contract, is_added = CONTRACTS[name], delta["_is_added"]
        went = delta.filter(pc.call_function("invert", [is_added])).select(list(contract.key))
        if went.num_rows:
            self._delete(contract, went)
        self.append(name, delta.filter(is_added).drop_columns(["_is_added"]))

    def insert(self, contract: Contract, rows: Sequence[Mapping[str, Any]]) -> None:
        """Adds a few rows."""
        names = ", ".join(f'"{name}"' for name in contract.column_names)
        marks = ", ".join("?" for _ in contract.column_names)
        for row in rows:
            values = [row[name] for name in contract.column_names]
            self._connection.execute(f"INSERT INTO {contract.qualified} ({names}) VALUES ({marks})", values)

    def replace(self, contract: Contract, rows: Sequence[Mapping[str, Any]]) -> None:
        """Puts a few rows in place of those with the same key."""
        for row in rows:
            same = " AND ".join(f'"{name}" = ?' for name in contract.key)
            self._connection.execute(
                f"DELETE FROM {contract.qualified} WHERE {same}", [row[name] for name in contract.key]
            )
        self.insert(contract, rows)

    def set_cursors(self, cursors: Mapping[tuple[str, str], object]) -> None:
        """Cursor states by source and cursor name."""
        now = datetime.now(UTC)
        self.replace(
            CURSORS,
            [
                {"source": source, "cursor_name": name, "state": json.dumps(state), "updated_at": now}
                for (source, name), state in cursors.items()
            ],
        )

    def set_progress(self, progress: Progress) -> None:
        """How far this catalog's tables follow the lake."""
        write_progress(self._connection, self._catalog, progress)

    def _delete(self, contract: Contract, went: pa.Table) -> None:
        """The first key column goes into the text while it is short, so that files without those keys stay closed."""
        first = contract.key[0]
        values = pc.call_function("unique", [went[first]])
        conditions = []
        if len(values) <= MOST_LITERALS and not values.null_count:
            conditions.append(f'"{first}" IN ({", ".join(literal(value) for value in values.to_pylist())})')
        with self._registered(_GONE, went):
            if len(contract.key) > 1 or not conditions:
                same = " AND ".join(f'g."{name}" IS NOT DISTINCT FROM t."{name}"' for name in contract.key)
                conditions.append(f"EXISTS (SELECT 1 FROM {_GONE} g WHERE {same})")
            self._connection.execute(f"DELETE FROM {contract.qualified} t WHERE {' AND '.join(conditions)}")

    @contextmanager
    def _registered(self, name: str, rows: pa.Table) -> Iterator[None]:
        self._connection.register(name, rows)
        try:
            yield
        finally:
            self._connection.unregister(name)
