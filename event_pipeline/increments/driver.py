"""Brings the tables up to date: by increments where it can, by a rebuild where it must."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from event_pipeline.errors import ContractError
from event_pipeline.increments.feed import changed_documents, current_snapshot, delta_queries, holds_since
from event_pipeline.increments.kept import Kept
from event_pipeline.increments.progress import Progress, read_progress, write_progress
from event_pipeline.increments.rebuild import is_cut_short, rebuilding
from event_pipeline.increments.registry import inputs_of
from event_pipeline.increments.stage import Increased, Stage
from event_pipeline.settings import Settings
from event_pipeline.warehouse.compiled_models import Compiler, keep_compiled
from event_pipeline.warehouse.fingerprint import fingerprint
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
    kept: list[Kept] = field(default_factory=list)


class Driver:
    """Keeps what is worth keeping between increments of one connection: compiled models."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self.backend, self.settings = backend, settings
        self._compiler = Compiler(backend, settings, "views")
        self._is_prepared = False

    def bring_up_to_date(self, as_of: datetime) -> Brought:
        """Applies everything the lake holds and the tables do not. ``as_of`` decides what has started."""
        reason = self.plan(as_of)
        brought = Brought(reason)
        for done in self.carry_out(reason, as_of):
            if isinstance(done, Kept):
                brought.kept.append(done)
            elif isinstance(done, Increased):
                brought.increased.append(done)
            else:
                brought.refreshed.append(done)
        return brought

    def plan(self, as_of: datetime) -> str:
        """Why every table is to be recomputed; empty when increments can do. Makes tables that are missing."""
        if not self._is_prepared:
            prepare_tables(self.backend, self.settings)
            self._is_prepared = True
        return self.rebuild_reason(as_of)

    def carry_out(self, reason: str, as_of: datetime) -> Iterator[Increased | Refreshed | Kept]:
        """Does what ``plan`` found, and yields each table that was written, once its rows are committed, or kept."""
        if reason:
            yield from rebuilding(self.backend, self.settings, as_of)
            return
        for catalog in ("lake", "warehouse"):
            yield from self.apply(catalog, as_of)
        keep_compiled(self.settings)

    def apply(self, catalog: str, as_of: datetime) -> list[Increased | Kept]:
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
            outcomes = stage.apply(catalog, owed=progress.owed, behind=self._behind(catalog))
            stage.close()
            owed = frozenset(done.table for done in outcomes if isinstance(done, Kept))
            write_progress(connection, catalog, Progress(snapshot, as_of, progress.fingerprint, owed))
        return outcomes

    def _behind(self, catalog: str) -> frozenset[str]:
        """Tables that the catalog's tables are made from and that keep old rows."""
        lake = read_progress(self.backend.con, "lake") if catalog == "warehouse" else None
        return lake.owed if lake else frozenset()

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
