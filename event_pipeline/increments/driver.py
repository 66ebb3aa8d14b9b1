"""Brings the tables up to date: by increments where it can, by a rebuild where it must."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from event_pipeline.errors import ContractError
from event_pipeline.increments.compiled import Compiler
from event_pipeline.increments.feed import changed_documents, current_snapshot, delta_queries, holds_since
from event_pipeline.increments.progress import Progress, fingerprint, read_progress, write_progress
from event_pipeline.increments.rebuild import is_cut_short, rebuild
from event_pipeline.increments.registry import inputs_of
from event_pipeline.increments.stage import Increased, Stage
from event_pipeline.settings import Settings
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.refresh import Refreshed, prepare_tables

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

MOST_CHANGES = 100_000
"""With more changed documents than this a rebuild is quicker than an increment."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What bringing the tables up to date did. ``reason`` says why they were rebuilt; empty for an increment."""

    reason: str = ""
    refreshed: list[Refreshed] = field(default_factory=list)
    increased: list[Increased] = field(default_factory=list)
    snapshot: int = 0


class Driver:
    """Keeps what is worth keeping between increments of one connection: compiled models."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self.backend, self.settings = backend, settings
        self._compiler = Compiler(backend, settings)
        self._is_prepared = False

    def bring_up_to_date(self, as_of: datetime, on_refreshed: Callable[[Refreshed], None] = lambda _: None) -> Brought:
        """Applies everything the lake holds and the tables do not. ``as_of`` decides what has started."""
        if not self._is_prepared:
            prepare_tables(self.backend, self.settings)
            self._is_prepared = True
        reason = self.rebuild_reason(as_of)
        if reason:
            return Brought(reason, refreshed=rebuild(self.backend, self.settings, as_of, on_refreshed))
        increased = self.apply("lake", as_of) + self.apply("warehouse", as_of)
        return Brought(increased=increased, snapshot=current_snapshot(self.backend.con))

    def apply(self, catalog: str, as_of: datetime) -> list[Increased]:
        """One stage, in one transaction with its progress."""
        connection = self.backend.con
        with write_transaction(connection, self.settings):
            progress = read_progress(connection, catalog)
            if progress is None:
                raise ContractError(f"{catalog}: its tables were never made; a rebuild comes first")
            snapshot = current_snapshot(connection)
            as_of = progress.instant(as_of)
            if snapshot == progress.consumed_snapshot and as_of == progress.as_of and not progress.owed:
                return []
            stage = Stage(connection, self._compiler, as_of, progress.as_of)
            for name, query in delta_queries(connection, inputs_of(catalog), progress.consumed_snapshot):
                stage.add_delta(name, query)
            increased = stage.apply(catalog, owed=progress.owed)
            stage.close()
            write_progress(connection, catalog, Progress(snapshot, as_of, progress.fingerprint))
        return increased

    def rebuild_reason(self, as_of: datetime) -> str:
        """Why an increment cannot do; empty when it can."""
        connection = self.backend.con
        if is_cut_short(self.settings):
            return "a rebuild was cut short"
        for catalog in ("lake", "warehouse"):
            progress = read_progress(connection, catalog)
            if progress is None:
                return "the tables were never made"
            if progress.fingerprint != fingerprint(self.settings):
                return "models or settings changed"
            if progress.instant(as_of) < progress.as_of:
                return "the clock went back"
            if not holds_since(connection, progress.consumed_snapshot):
                return "the lake has forgotten changes that were not applied"
        lake = read_progress(connection, "lake")
        raw = [name for name in inputs_of("lake") if name.startswith("raw.")]
        if lake is not None and changed_documents(connection, raw, lake.consumed_snapshot) > MOST_CHANGES:
            return f"more than {MOST_CHANGES:,} documents changed"
        return ""
