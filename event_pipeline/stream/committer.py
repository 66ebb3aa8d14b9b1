"""Commits micro-batches: raw changes with their cursors, then every table that they touch.

A batch is worked out on the working copy and published as the rows that came and went: first to the lake, in one
transaction with the raw changes and their cursors, then to the warehouse. The copy's own transaction ends last, so a
copy that is behind is all that a failure leaves; it catches up from the snapshots that others, or it, committed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from event_pipeline.contracts.stream import BATCHES, STREAM_STATUS
from event_pipeline.increments.driver import Brought, Driver
from event_pipeline.increments.feed import delta_queries
from event_pipeline.increments.kept import Kept
from event_pipeline.increments.progress import Progress, read_progress
from event_pipeline.increments.registry import CALM, inputs_of
from event_pipeline.increments.stage import Increased, Stage
from event_pipeline.settings import Settings
from event_pipeline.sources.change import ChangeBatch
from event_pipeline.stream.incoming import Incoming
from event_pipeline.stream.publication import Publication
from event_pipeline.stream.publisher import Publisher
from event_pipeline.stream.records import batch_rows, status_rows
from event_pipeline.stream.replica import Replica, replica_place
from event_pipeline.stream.sources.live_source import LiveReport
from event_pipeline.warehouse.compiled_models import Compiler
from event_pipeline.warehouse.lock import transaction, write_lock

if TYPE_CHECKING:
    import pyarrow as pa
    from ibis.backends.duckdb import Backend

_FOREIGN = "_foreign"

_CALM_SECONDS = 60.0
"""How long tables that are dear to make may be behind while batches keep coming."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What committing a batch did. ``rows_in`` and ``rows_new`` count changes by source; ``reason`` says why the tables
    were rebuilt, empty when they were not."""

    snapshot: int
    seconds: float
    rows_in: Counter[str] = field(default_factory=Counter)
    rows_new: Counter[str] = field(default_factory=Counter)
    increased: list[Increased] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Applied:
    """What a batch did to the tables of a catalog; ``owed`` are those that are behind after it."""

    increased: list[Increased]
    kept: list[Kept]
    owed: frozenset[str]


class _OutdatedError(Exception):
    """An increment cannot do: the tables must be rebuilt first."""


class Committer:
    """Brings batches into the lake and the warehouse over one connection, which only it uses."""

    def __init__(
        self, backend: Backend, settings: Settings, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """``now`` decides what has started."""
        self._settings = settings
        self._connection = backend.con
        self._driver = Driver(backend, settings)
        self._compiler = Compiler(backend, settings, "views")
        self._replica = Replica(backend.con, settings)
        self._lake = Publisher(backend.con.cursor(), "lake")
        self._warehouse = Publisher(backend.con.cursor(), "warehouse")
        self._threads = [ThreadPoolExecutor(1, thread_name_prefix=f"publish-{name}") for name in ("lake", "warehouse")]
        self._now = now
        self._progress: dict[str, Progress] = {}
        self._calm_at = time.monotonic()
        self._is_open = False

    def catch_up(self) -> Brought:
        """Makes the tables where they are missing or outdated, applies what others put into the lake, and brings the
        working copy along."""
        self._connection.execute("RESET threads")
        brought = self._driver.bring_up_to_date(self._as_of())
        if not self._is_open:
            self._replica.open()
            self._is_open = True
        self._replica.follow()
        self._progress = {}
        # A batch is many small queries: what a second thread costs each of them is more than it brings.
        self._connection.execute("SET threads = 1")
        return brought

    def commit(self, batches: Sequence[ChangeBatch], reports: Sequence[LiveReport]) -> Committed:
        """Commits the batches in their order, each with its cursors, and what they change in every table.

        ``reports`` are what sources said of themselves since the last commit; both may be empty. When it raises,
        nothing, or the raw changes only, were committed; committing all of it again is safe.
        """
        brought = Brought() if self._is_open else self.catch_up()
        try:
            committed = self._commit(batches, reports)
        except _OutdatedError:
            brought = self.catch_up()
            committed = self._commit(batches, reports)
        return replace(committed, reason=brought.reason, kept=brought.kept + committed.kept)

    def close(self) -> None:
        """Puts the working copy to rest; the connection stays its owner's."""
        for thread in self._threads:
            thread.shutdown()
        if self._is_open:
            self._replica.close()
            self._is_open = False

    def _commit(self, batches: Sequence[ChangeBatch], reports: Sequence[LiveReport]) -> Committed:
        # What others committed in the meantime may be much: it is copied before anyone has to wait for the lock.
        is_foreign = self._follow() or not self._progress
        started = time.perf_counter()
        with write_lock(self._settings):
            is_foreign |= self._follow()
            try:
                foreign = self._others_changes() if is_foreign else {}
                return self._replace_touched(batches, reports, foreign, started)
            except BaseException:
                self._replica.forget_changes()
                self._progress = {}
                raise

    def _follow(self) -> bool:
        """Whether others committed something, which the copy then holds too.

        Never inside a transaction: one that looked into a SQLite catalog would keep writers from committing.
        """
        newest = {"lake": self._lake.snapshot(), "warehouse": self._warehouse.snapshot()}
        return newest != self._replica.snapshots and self._replica.follow()

    def _others_changes(self) -> dict[str, pa.Table]:
        """What others put into the lake and the tables do not hold yet, as deltas of each stage's inputs."""
        found = {catalog: read_progress(self._connection, catalog) for catalog in ("lake", "warehouse")}
        self._progress = {catalog: progress for catalog, progress in found.items() if progress is not None}
        if self._driver.rebuild_reason(self._as_of()):
            raise _OutdatedError
        deltas: dict[str, pa.Table] = {}
        for catalog, progress in self._progress.items():
            for name, query in delta_queries(self._connection, inputs_of(catalog), progress.consumed_snapshot):
                deltas[name] = self._connection.execute(query).to_arrow_table()
        return deltas

    def _as_of(self) -> datetime:
        hour = self._now().replace(minute=0, second=0, microsecond=0)
        return self._progress["warehouse"].instant(hour) if self._progress else hour

    def _replace_touched(
        self,
        batches: Sequence[ChangeBatch],
        reports: Sequence[LiveReport],
        foreign: Mapping[str, pa.Table],
        started: float,
    ) -> Committed:
        before, as_of = self._progress["warehouse"], self._as_of()
        if as_of < before.as_of:
            raise _OutdatedError
        stage = Stage(self._connection, self._compiler, as_of, before.as_of, place=replica_place)
        lake = Publication(self._threads[0], self._lake)
        warehouse = Publication(self._threads[1], self._warehouse)
        try:
            with transaction(self._connection):
                incoming = Incoming.taken(self._connection, stage, batches)
                self._add(stage, foreign, inputs_of("lake"))
                is_calm = self._is_calm(batches)
                in_lake = self._apply_lake(stage, incoming, as_of, lake, is_calm=is_calm)
                self._add(stage, foreign, inputs_of("warehouse"))
                in_warehouse = self._apply_warehouse(stage, warehouse, in_lake.owed, is_calm=is_calm)
                increased = in_lake.increased + in_warehouse.increased
                progress = self._reached_lake(lake, as_of, in_lake.owed)
                seconds = time.perf_counter() - started
                records = batch_rows(batches, incoming.rows_new, increased, seconds, progress.consumed_snapshot)
                reached = replace(progress, owed=in_warehouse.owed)
                self._finish_warehouse(warehouse, reached, records, status_rows(reports))
        except BaseException:
            lake.abandon()
            warehouse.abandon()
            raise
        stage.close()
        self._progress = {"lake": progress, "warehouse": reached}
        seconds = time.perf_counter() - started
        kept = in_lake.kept + in_warehouse.kept
        return Committed(progress.consumed_snapshot, seconds, incoming.rows_in, incoming.rows_new, increased, kept)

    def _add(self, stage: Stage, foreign: Mapping[str, pa.Table], names: Sequence[str]) -> None:
        for name in names:
            if name in foreign:
                self._connection.register(_FOREIGN, foreign[name])
                stage.add_delta(name, f"SELECT * FROM {_FOREIGN}")
                self._connection.unregister(_FOREIGN)

    def _is_calm(self, batches: Sequence[ChangeBatch]) -> bool:
        """Whether tables that are behind are recomputed now: without new changes, and after a while at the latest."""
        if batches and time.monotonic() - self._calm_at <= _CALM_SECONDS:
            return False
        self._calm_at = time.monotonic()
        return True

    def _apply_lake(
        self, stage: Stage, incoming: Incoming, as_of: datetime, publication: Publication, *, is_calm: bool
    ) -> _Applied:
        """The lake's increments, written to it as they are worked out, with the raw rows and their cursors."""
        if not incoming.is_empty:
            publication.add(incoming.append_to)
        was, before = self._progress["lake"], self._replica.snapshots["lake"]
        applied = self._apply(stage, "lake", publication, later=frozenset() if is_calm else was.owed)
        reached = Progress(before, as_of, was.fingerprint, applied.owed)
        has_changes = any(done.added or done.removed for done in applied.increased)
        if not incoming.is_empty or has_changes or reached != was:
            publication.add(lambda lake: lake.set_progress(reached))
        publication.end()
        return applied

    def _apply_warehouse(
        self, stage: Stage, publication: Publication, behind: frozenset[str], *, is_calm: bool
    ) -> _Applied:
        """The warehouse's increments; tables that are expensive, or were kept, are left for a calmer moment."""
        owed = self._progress["warehouse"].owed
        later = frozenset() if is_calm else CALM | owed
        applied = self._apply(stage, "warehouse", publication, later=later, behind=behind)
        return replace(applied, owed=applied.owed | {name for name in later - owed if stage.touches(name)})

    def _apply(
        self,
        stage: Stage,
        catalog: str,
        publication: Publication,
        *,
        later: frozenset[str],
        behind: frozenset[str] = frozenset(),
    ) -> _Applied:
        owed = self._progress[catalog].owed
        outcomes = stage.apply(
            catalog,
            owed=owed - later,
            later=later,
            behind=behind,
            on_changed=lambda name: _publish(stage, name, publication),
        )
        kept = [done for done in outcomes if isinstance(done, Kept)]
        increased = [done for done in outcomes if isinstance(done, Increased)]
        return _Applied(increased, kept, (owed & later) | {done.table for done in kept})

    def _reached_lake(self, publication: Publication, as_of: datetime, owed: frozenset[str]) -> Progress:
        """Waits until the lake holds the batch; how far its tables are then."""
        before = self._replica.snapshots["lake"]
        # Its own snapshot holds nothing that is not applied, so the next batch need not look into it.
        now = self._lake.snapshot_after(before) if publication.result() else before
        return Progress(now, as_of, self._progress["lake"].fingerprint, owed)

    def _finish_warehouse(
        self,
        publication: Publication,
        reached: Progress,
        records: Sequence[Mapping[str, object]],
        statuses: Sequence[Mapping[str, object]],
    ) -> None:
        """Commits the warehouse's share and notes in the copy which snapshots it equals."""
        if records or statuses or reached != self._progress["warehouse"]:
            publication.add(lambda warehouse: warehouse.insert(BATCHES, records))
            publication.add(lambda warehouse: warehouse.replace(STREAM_STATUS, statuses))
            publication.add(lambda warehouse: warehouse.set_progress(reached))
        before = self._replica.snapshots
        if publication.result():
            self._replica.note({"warehouse": self._warehouse.snapshot_after(before["warehouse"])})
        if reached.consumed_snapshot != before["lake"]:
            self._replica.note({"lake": reached.consumed_snapshot})


def _publish(stage: Stage, name: str, publication: Publication) -> None:
    delta = stage.changes(name)
    publication.add(lambda publisher: publisher.apply(name, delta))
