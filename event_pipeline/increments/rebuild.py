"""Recomputes every table from all raw changes, beside live increments; one that did not end is done again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from event_pipeline.errors import BrokenTableError
from event_pipeline.increments.feed import current_snapshot
from event_pipeline.increments.kept import Kept, waiting
from event_pipeline.increments.progress import Progress, read_progress, write_progress
from event_pipeline.increments.registry import models_of
from event_pipeline.models.model import Model
from event_pipeline.quality.contract_check import require_contract
from event_pipeline.settings import Settings
from event_pipeline.warehouse.compiled_models import keep_compiled
from event_pipeline.warehouse.connection import joins_as_written
from event_pipeline.warehouse.fingerprint import fingerprint
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.refresh import Refreshed, prepare_tables, refresh_table

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend


class Rebuild:
    """The span of one rebuild, whoever writes its tables: ``begin``, every lake table, ``enter_warehouse``, every
    warehouse table, ``finish``. A marker stays until it finished, so that one cut short is noticed.

    Increments go on meanwhile: each table is written under the write lock from what its inputs hold at that moment, and
    the inputs of a table that is done change only through increments, which bring it along.
    """

    def __init__(self, backend: Backend, settings: Settings, as_of: datetime) -> None:
        self._backend, self._settings, self._as_of = backend, settings, as_of
        self._lock = FileLock(settings.catalog_dir / "rebuild.lock")
        self._snapshots: dict[str, int] = {}

    def begin(self) -> None:
        """Waits until no other rebuild runs."""
        prepare_tables(self._backend, self._settings)
        self._lock.acquire()
        marker(self._settings).touch()
        self._snapshots["lake"] = current_snapshot(self._backend.con)

    def enter_warehouse(self) -> None:
        """After the lake's tables, before the first of the warehouse."""
        self._snapshots["warehouse"] = current_snapshot(self._backend.con)

    def finish(self, kept: Collection[str] = ()) -> None:
        """Every table is written but those ``kept``: increments may start from here."""
        for catalog, snapshot in self._snapshots.items():
            with write_transaction(self._backend.con, self._settings):
                before, mark = read_progress(self._backend.con, catalog), fingerprint(self._settings)
                if before is not None and before.fingerprint == mark and before.as_of == self._as_of:
                    snapshot = max(snapshot, before.consumed_snapshot)
                behind = frozenset(model.name for model in models_of(catalog) if model.name in kept)
                write_progress(self._backend.con, catalog, Progress(snapshot, self._as_of, mark, behind))
        marker(self._settings).unlink(missing_ok=True)
        self._lock.release()

    def abandon(self) -> None:
        """Leaves the marker behind: the next refresh starts over."""
        if self._lock.is_locked:
            self._lock.release()


def marker(settings: Settings) -> Path:
    """File that is there from a rebuild's begin to its end."""
    return settings.catalog_dir / "rebuilding"


def is_cut_short(settings: Settings) -> bool:
    """Whether a rebuild began, did not finish, and runs no more."""
    if not marker(settings).exists():
        return False
    try:
        with FileLock(settings.catalog_dir / "rebuild.lock", timeout=0):
            return marker(settings).exists()
    except Timeout:
        return False


def rebuilding(backend: Backend, settings: Settings, as_of: datetime) -> Iterator[Refreshed | Kept]:
    """Recomputes every table, each after what it reads, and yields each as soon as its rows are committed.

    A table whose new rows break its contract keeps its old rows, and so does every table made from it; the next
    refresh tries them again.
    """
    span = Rebuild(backend, settings, as_of)
    span.begin()
    kept: set[str] = set()
    try:
        with joins_as_written(backend.con):
            for catalog in ("lake", "warehouse"):
                if catalog == "warehouse":
                    span.enter_warehouse()
                for model in models_of(catalog):
                    done = waiting(model, kept) or _recomputed(backend, settings, model, as_of)
                    if isinstance(done, Kept):
                        kept.add(done.table)
                    yield done
        span.finish(kept)
        keep_compiled(settings)
    finally:
        span.abandon()


def _recomputed(backend: Backend, settings: Settings, model: Model, as_of: datetime) -> Refreshed | Kept:
    try:
        return refresh_table(
            backend,
            settings,
            model,
            as_of,
            lambda: require_contract(backend.con, model.contract, settings.validation),
        )
    except BrokenTableError as error:
        return Kept(model.name, error.problems)


def rebuild(backend: Backend, settings: Settings, as_of: datetime) -> list[Refreshed | Kept]:
    """Recomputes every table, each after what it reads."""
    return list(rebuilding(backend, settings, as_of))
