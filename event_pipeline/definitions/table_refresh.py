"""How a run writes the models' tables: apply what changed, rewrite the tables that were picked, or recompute all.

Tables learn about each other's changes by increments. A run that rewrites single tables therefore brings every table
up to date first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from logging import Logger
from typing import TYPE_CHECKING, Any

from event_pipeline.contracts.contract import Contract
from event_pipeline.errors import BrokenTableError
from event_pipeline.increments.feed import changed_rows
from event_pipeline.increments.kept import Kept
from event_pipeline.increments.progress import read_progress
from event_pipeline.increments.rebuild import marker, rebuilding
from event_pipeline.increments.stage import Increased
from event_pipeline.models.registry import MODELS, in_order
from event_pipeline.quality.contract_check import require_contract
from event_pipeline.settings import Settings
from event_pipeline.warehouse.refresh import Refreshed, refresh_table
from event_pipeline.warehouse.rows import first_row

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend


class RefreshMode(Enum):
    """How a run writes tables; the value is the tag of the jobs. A run without the tag rewrites what it selects."""

    APPLY = "apply"
    REBUILD = "rebuild"
    REWRITE = "rewrite"


@dataclass(frozen=True, slots=True)
class TableResult:
    """What a run did to ``layer.table``. ``figures`` are metadata of its materialization; ``rows`` is None where nobody
    counted them. ``kept`` says why it was not written, None where it was."""

    table: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None
    kept: Kept | None = None


class TableRefresh:
    """Writes tables over one connection; ``as_of`` decides what has started unless the tables are further already."""

    def __init__(self, backend: Backend, settings: Settings, as_of: datetime, log: Logger) -> None:
        self._backend, self._settings, self._as_of, self._log = backend, settings, as_of, log

    def run(self, mode: RefreshMode, names: Collection[str]) -> Iterator[TableResult]:
        """Writes the tables in ``names``, and yields each table that was written as soon as its rows are committed.

        Increments and rebuilds write every table that changed, so they may yield tables that ``names`` does not hold.
        """
        if mode is RefreshMode.REBUILD:
            yield from self._rebuild()
            return
        rewritten = set(names) if mode is RefreshMode.REWRITE else set[str]()
        yield from (result for result in self._apply() if result.table not in rewritten)
        for model in in_order(rewritten):
            yield self._rewritten(model.contract)

    def _rebuild(self) -> Iterator[TableResult]:
        before = {catalog: self._last_commit(catalog) for catalog in ("lake", "warehouse")}
        for done in rebuilding(self._backend, self._settings, self._as_of):
            catalog = MODELS[done.table].contract.catalog
            commit = self._last_commit(catalog)
            yield _result(done, "rebuilt" if commit != before[catalog] else "rebuilt, and nothing differed")
            before[catalog] = commit

    def _apply(self) -> Iterator[TableResult]:
        from event_pipeline.increments.driver import Driver

        driver = Driver(self._backend, self._settings)
        reason = driver.plan(self._as_of)
        for done in driver.carry_out(reason, self._as_of):
            if isinstance(done, Increased) and not done.is_change:
                continue
            if isinstance(done, Refreshed):
                self._log.info(f"{done.table}: {done.rows:,} rows in {done.seconds:.1f} s")
            yield _result(done, f"rebuilt because {reason}")

    def _rewritten(self, contract: Contract) -> TableResult:
        try:
            return self._rewrite(contract)
        except BrokenTableError as error:
            return TableResult(contract.name, kept=Kept(contract.name, error.problems))

    def _rewrite(self, contract: Contract) -> TableResult:
        """Recomputes one table. Its inputs are up to date, so rows that differ mean that the table was wrong."""
        before = self._last_commit(contract.catalog)
        written = refresh_table(
            self._backend,
            self._settings,
            MODELS[contract.name],
            self._instant_of(contract),
            lambda: require_contract(self._backend.con, contract, self._settings.validation),
        )
        commit = self._last_commit(contract.catalog)
        added, removed = self._difference(contract, commit) if commit != before else (0, 0)
        readers = [model.name for model in MODELS.values() if contract.name in model.inputs]
        if readers and (added or removed):
            self._distrust(contract, readers)
        return _rebuilt(written, "rewritten", rows_added=added, rows_removed=removed)

    def _instant_of(self, contract: Contract) -> datetime:
        """The instant of its catalog: after the hour changed, others may have brought it further than this run."""
        progress = read_progress(self._backend.con, contract.catalog)
        return progress.as_of if progress else self._as_of

    def _last_commit(self, catalog: str) -> int:
        """The snapshot that this connection committed last; others may commit meanwhile."""
        query = f"FROM ducklake_last_committed_snapshot('{catalog}')"
        ((snapshot,),) = self._backend.con.execute(query).fetchall()
        return snapshot or 0

    def _difference(self, contract: Contract, commit: int) -> tuple[int, int]:
        """Rows that came and went with that commit; rows written again unchanged count as neither."""
        columns = ", ".join(f'"{name}"' for name in contract.column_names)
        # A result that is not read to its end would keep the catalog locked against other writers' commits.
        ((added, removed),) = self._backend.con.execute(
            f"""SELECT coalesce(sum(more) FILTER (more > 0), 0), coalesce(-sum(more) FILTER (more < 0), 0) FROM (
            SELECT sum(CASE WHEN change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END) AS more
            FROM {changed_rows(contract, commit - 1, commit)}
            GROUP BY {columns})"""
        ).fetchall()
        return int(added), int(removed)

    def _distrust(self, contract: Contract, readers: list[str]) -> None:
        """Tables that read this one were made from its old rows, and no increment will tell them the new ones."""
        marker(self._settings).touch()
        self._log.warning(
            f"{contract.name} was not what its inputs make. What was made from it may be wrong too "
            f"({', '.join(readers)}), so the next refresh recomputes every table"
        )


def row_count(backend: Backend, contract: Contract) -> int:
    """Rows of the stored table."""
    row = first_row(backend.con.execute(f"SELECT count(*) FROM {contract.qualified}"))
    return int(row[0]) if row else 0


def _result(done: Increased | Refreshed | Kept, how: str) -> TableResult:
    if isinstance(done, Kept):
        return TableResult(done.table, kept=done)
    return _increased(done) if isinstance(done, Increased) else _rebuilt(done, how)


def _increased(done: Increased) -> TableResult:
    figures = {
        "how": "increment",
        "rows_added": done.added,
        "rows_removed": done.removed,
        "keys_recomputed": done.keys,
        "seconds": round(done.seconds, 3),
    }
    return TableResult(done.table, figures | _judged(done))


def _rebuilt(done: Refreshed, how: str, **figures: int) -> TableResult:
    said = {"how": how, "seconds": round(done.seconds, 3), **figures, **_judged(done)}
    return TableResult(done.table, said, done.rows)


def _judged(done: Increased | Refreshed) -> dict[str, int]:
    """What became of the documents that were judged, where the table is made of documents."""
    is_staging = done.table.startswith("staging.")
    return {"rows_rejected": done.rejected, "values_noted": done.noted} if is_staging else {}
