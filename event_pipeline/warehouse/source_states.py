"""Reads how each source did when it was last read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect, lake_exists
from event_pipeline.warehouse.tables import table_exists


@dataclass(frozen=True, slots=True)
class SourceState:
    """``state`` is ok, unavailable or refused; ``collection`` is ``*`` for a source that is read as a whole."""

    source: str
    collection: str
    state: str
    message: str | None
    changed_at: datetime
    read_at: datetime


def source_states(settings: Settings) -> list[SourceState]:
    """Every source that was ever read, by name. Raises duckdb.Error when the catalog cannot be reached."""
    if not lake_exists(settings):
        return []
    with connect(settings, ("lake",), read_only=True) as connection:
        if not table_exists(connection, SOURCE_STATE):
            return []
        rows = connection.execute(
            f"SELECT source, collection, state, message, changed_at, read_at FROM {SOURCE_STATE.qualified} ORDER BY ALL"
        ).fetchall()
    return [SourceState(*row) for row in rows]
