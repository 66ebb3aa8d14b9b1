"""The raw rows of a batch: what the lake does not have yet, noted in the working copy and ready to be appended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.increments.keys import MOST_LITERALS, literal
from event_pipeline.sources.change import ChangeBatch
from event_pipeline.stream.replica import replica_place

if TYPE_CHECKING:
    import duckdb

    from event_pipeline.increments.stage import Stage
    from event_pipeline.stream.publisher import Publisher

_INCOMING = "_incoming"
_KEY = "source, document_id, version"


@dataclass(slots=True)
class Incoming:
    """New raw rows by table, cursors by source and name, and counts by source."""

    rows: dict[str, pa.Table] = field(default_factory=dict)
    cursors: dict[tuple[str, str], object] = field(default_factory=dict)
    rows_in: Counter[str] = field(default_factory=Counter)
    rows_new: Counter[str] = field(default_factory=Counter)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self.rows and not self.cursors

    def append_to(self, lake: Publisher) -> None:
        """Writes the rows and the cursors that cover them."""
        for name, rows in self.rows.items():
            lake.append(name, rows)
        lake.set_cursors(self.cursors)

    @classmethod
    def taken(cls, connection: duckdb.DuckDBPyConnection, stage: Stage, batches: Sequence[ChangeBatch]) -> Incoming:
        """Puts what is new into the copy's raw tables and its documents into the stage's deltas."""
        found = cls()
        tables: dict[str, list[pa.Table]] = {}
        for batch in batches:
            found.cursors |= {(batch.source, name): state for name, state in batch.cursors.items()}
            if batch.changes.num_rows:
                found.rows_in[batch.source] += batch.changes.num_rows
                tables.setdefault(batch.collection, []).append(batch.changes)
        for collection, changes in tables.items():
            name = RAW_TABLES[collection].name
            new = _unknown(connection, name, pa.concat_tables(changes))
            if new.num_rows:
                found.rows[name] = new
                found.rows_new.update(new["source"].to_pylist())
                _note(connection, stage, name, new)
        return found


def _unknown(connection: duckdb.DuckDBPyConnection, name: str, changes: pa.Table) -> pa.Table:
    """Versions that the copy does not hold, each once, stamped with now."""
    now = datetime.now(UTC)
    ids = sorted(set(changes["document_id"].to_pylist()))
    listed = ", ".join(map(literal, ids)) if len(ids) <= MOST_LITERALS else f"SELECT document_id FROM {_INCOMING}"
    connection.register(_INCOMING, changes)
    try:
        return connection.execute(
            f"""SELECT i.*, ?::TIMESTAMPTZ AS ingested_at, ?::DATE AS ingested_date FROM {_INCOMING} i
            ANTI JOIN (SELECT {_KEY} FROM {replica_place(name)} WHERE document_id IN ({listed})) k USING ({_KEY})
            QUALIFY row_number() OVER (PARTITION BY {_KEY}) = 1""",
            [now, now.date()],
        ).to_arrow_table()
    finally:
        connection.unregister(_INCOMING)


def _note(connection: duckdb.DuckDBPyConnection, stage: Stage, name: str, new: pa.Table) -> None:
    connection.register(_INCOMING, new)
    try:
        connection.execute(f"INSERT INTO {replica_place(name)} BY NAME SELECT * FROM {_INCOMING}")
        stage.add_delta(name, f"SELECT DISTINCT document_id, true AS _is_added FROM {_INCOMING}")
    finally:
        connection.unregister(_INCOMING)
