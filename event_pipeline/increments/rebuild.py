"""Recomputes every table from all raw changes, beside live increments; one that did not end is done again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from event_pipeline.increments.feed import current_snapshot
from event_pipeline.increments.progress import Progress, fingerprint, read_progress, write_progress
from event_pipeline.increments.registry import models_of
from event_pipeline.settings import Settings
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.refresh import Refreshed, prepare_tables, refresh_tables

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

    def finish(self) -> None:
        """Every table is written: increments may start from here."""
        for catalog, snapshot in self._snapshots.items():
            with write_transaction(self._backend.con, self._settings):
                before, mark = read_progress(self._backend.con, catalog), fingerprint(self._settings)
                if before is not None and before.fingerprint == mark and before.as_of == self._as_of:
                    snapshot = max(snapshot, before.consumed_snapshot)
                write_progress(self._backend.con, catalog, Progress(snapshot, self._as_of, mark))
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


def rebuild(
    backend: Backend,
    settings: Settings,
    as_of: datetime,
    on_refreshed: Callable[[Refreshed], None] = lambda _: None,
) -> list[Refreshed]:
    """Recomputes every table, each after what it reads."""
    span = Rebuild(backend, settings, as_of)
    span.begin()
    try:
        done = refresh_tables(backend, settings, as_of, {m.name for m in models_of("lake")}, on_refreshed)
        span.enter_warehouse()
        done += refresh_tables(backend, settings, as_of, {m.name for m in models_of("warehouse")}, on_refreshed)
        span.finish()
    finally:
        span.abandon()
    return done
