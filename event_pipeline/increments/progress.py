"""Reads and writes how far each catalog follows the lake."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from event_pipeline.contracts.progress import PROGRESS
from event_pipeline.warehouse.rows import first_row

if TYPE_CHECKING:
    import duckdb


CORRECTION = timedelta(hours=2)
"""A clock that goes back by no more than this was corrected; what had started by then stays so."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a catalog's tables, but for those owed, hold the lake's changes, and as of which instant."""

    consumed_snapshot: int
    as_of: datetime
    fingerprint: str
    owed: frozenset[str] = frozenset()

    def instant(self, as_of: datetime) -> datetime:
        """The instant to go on with: never before the one the tables are at, unless a rebuild is due anyway."""
        return max(as_of, self.as_of) if self.as_of - as_of <= CORRECTION else as_of


def read_progress(connection: duckdb.DuckDBPyConnection, catalog: str) -> Progress | None:
    """None when the catalog's tables must be recomputed."""
    row = first_row(
        connection.execute(
            f"SELECT consumed_snapshot, epoch_us(as_of), fingerprint, owed FROM {PROGRESS[catalog].qualified} "
            "ORDER BY committed_at DESC LIMIT 1"
        )
    )
    if row is None:
        return None
    owed = frozenset(json.loads(row[3])) if row[3] else frozenset[str]()
    return Progress(int(row[0]), datetime.fromtimestamp(row[1] / 1_000_000, UTC), row[2], owed)


def write_progress(connection: duckdb.DuckDBPyConnection, catalog: str, progress: Progress) -> None:
    """Within the caller's transaction."""
    table = PROGRESS[catalog].qualified
    connection.execute(f"DELETE FROM {table}")
    connection.execute(
        f"INSERT INTO {table} (consumed_snapshot, as_of, fingerprint, owed, committed_at) VALUES (?, ?, ?, ?, ?)",
        [
            progress.consumed_snapshot,
            progress.as_of,
            progress.fingerprint,
            json.dumps(sorted(progress.owed)) if progress.owed else None,
            datetime.now(UTC),
        ],
    )
