"""How a run writes the models' tables: by applying what changed, by rewriting the ones that were picked, or all anew.

Tables learn of each other's changes by increments, so whatever a run is for, one that writes single tables first brings
all of them up to date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from logging import Logger
from typing import TYPE_CHECKING, Any

import dagster as dg

from event_pipeline.contracts.contract import Contract
from event_pipeline.models.registry import MODELS
from event_pipeline.settings import Settings

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

    from event_pipeline.increments.driver import Brought
    from event_pipeline.increments.rebuild import Rebuild
    from event_pipeline.warehouse.refresh import Refreshed

WAY_TAG = "event_pipeline/tables"
"""Tag of the jobs over all tables; what is picked by hand has none."""

RECHECK_TAG = "event_pipeline/recheck"
"""Tag of the jobs without expectations, which check again only the tables that failed and have changed since."""


class Way(Enum):
    """How a run writes a table; the value is the job's tag."""

    APPLY = "apply"
    REBUILD = "rebuild"
    REWRITE = "rewrite"


@dataclass(frozen=True, slots=True)
class Applied:
    """What bringing all tables up to date did to one of them: what its asset returns instead of rows."""

    table: str
    figures: Mapping[str, Any]
    rejected: int = 0
    noted: int = 0
    rows: int | None = None
    """Rows in the table where they were counted on the way."""


def way_of(context: dg.AssetExecutionContext, contract: Contract) -> Way:
    """How the run writes this table."""
    asked = context.run.tags.get(WAY_TAG)
    is_by_day = context.has_partition_key or context.has_partition_key_range
    if asked == Way.APPLY.value and not (is_by_day and contract.partition_column):
        return Way.APPLY
    if asked == Way.REBUILD.value and not is_by_day and _is_of_all(context):
        return Way.REBUILD
    return Way.REWRITE


def _is_of_all(context: dg.AssetExecutionContext) -> bool:
    """Whether the run makes every table: a part of a job may be picked, and a failed run continued where it failed."""
    steps = context.run.step_keys_to_execute
    keys = {dg.AssetKey(name.split(".")) for name in MODELS}
    return keys <= context.job_def.asset_layer.selected_asset_keys and (
        not steps or {name.replace(".", "__") for name in MODELS} <= set(steps)
    )


class Upkeep:
    """The writing of tables in one run; ``as_of`` decides what has started unless the tables are further already."""

    def __init__(self, backend: Backend, settings: Settings, as_of: datetime) -> None:
        self._backend, self._settings = backend, settings
        self.as_of = as_of
        self._brought: Brought | None = None
        self._failure: Exception | None = None
        self._rebuild: Rebuild | None = None
        self._has_entered_warehouse = False
        self._rebuilt: set[str] = set()

    def begin(self, contract: Contract, way: Way, log: Logger) -> Applied | None:
        """Before a table is made. Returns what was applied to it; None when its rows are still to be made."""
        if way is Way.REBUILD:
            self._go_on_rebuilding(contract)
            return None
        brought = self._bring_up_to_date(log)
        if way is Way.APPLY:
            return _applied(brought, contract.name)
        self.as_of = self._instant_of(contract)
        return None

    @contextmanager
    def writing(self, contract: Contract, log: Logger) -> Iterator[dict[str, Any]]:
        """Around the write of a whole table or its days; yields what is then known of it besides its rows."""
        known: dict[str, Any] = {}
        before = self._last_commit(contract)
        yield known
        commit = self._last_commit(contract)
        if self._rebuild is not None:
            known["how"] = "rebuilt" if commit != before else "rebuilt, and nothing differed"
            self._rebuilt.add(contract.name)
            if self._rebuilt >= MODELS.keys():
                self._rebuild.finish()
        elif self._brought is not None:
            added, removed = self._difference(contract, commit) if commit != before else (0, 0)
            known |= {"how": "rewritten", "rows_added": added, "rows_removed": removed}
            readers = [model.name for model in MODELS.values() if contract.name in model.inputs]
            if readers and (added or removed):
                self._distrust(contract, readers, log)

    def close(self) -> None:
        """A rebuild that has not finished is left for the next refresh to do again."""
        if self._rebuild is not None:
            self._rebuild.abandon()

    def _bring_up_to_date(self, log: Logger) -> Brought:
        """Once a run. What failed for one table is not tried again for each of the others."""
        from event_pipeline.increments.driver import Driver

        if self._failure is not None:
            raise self._failure
        if self._brought is None:
            driver = Driver(self._backend, self._settings)
            try:
                self._brought = driver.bring_up_to_date(self.as_of, lambda done: log.info(_in_words(done)))
            except Exception as failure:
                self._failure = failure
                raise
        return self._brought

    def _go_on_rebuilding(self, contract: Contract) -> None:
        from event_pipeline.increments.rebuild import Rebuild

        if self._rebuild is None:
            rebuild = Rebuild(self._backend, self._settings, self.as_of)
            rebuild.begin()
            self._rebuild = rebuild
        if contract.catalog == "warehouse" and not self._has_entered_warehouse:
            self._rebuild.enter_warehouse()
            self._has_entered_warehouse = True

    def _instant_of(self, contract: Contract) -> datetime:
        """The instant its catalog is at: after the hour struck, others may have brought it further than this run's."""
        from event_pipeline.increments.progress import read_progress

        progress = read_progress(self._backend.con, contract.catalog)
        return progress.as_of if progress else self.as_of

    def _last_commit(self, contract: Contract) -> int:
        """The snapshot that this connection committed last; others may commit meanwhile."""
        query = f"FROM ducklake_last_committed_snapshot('{contract.catalog}')"
        ((snapshot,),) = self._backend.con.execute(query).fetchall()
        return snapshot or 0

    def _difference(self, contract: Contract, commit: int) -> tuple[int, int]:
        """Rows that came and went with that commit; those written again as they were are neither."""
        from event_pipeline.increments.feed import changed_rows

        columns = ", ".join(f'"{name}"' for name in contract.column_names)
        # A result that is not read to its end would keep the catalog locked against other writers' commits.
        ((added, removed),) = self._backend.con.execute(
            f"""SELECT coalesce(sum(more) FILTER (more > 0), 0), coalesce(-sum(more) FILTER (more < 0), 0) FROM (
            SELECT sum(CASE WHEN change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END) AS more
            FROM {changed_rows(contract, commit - 1, commit)}
            GROUP BY {columns})"""
        ).fetchall()
        return int(added), int(removed)

    def _distrust(self, contract: Contract, readers: list[str], log: Logger) -> None:
        """What reads the table was made from its old rows, and no increment will tell it of the new ones."""
        from event_pipeline.increments.rebuild import marker

        marker(self._settings).touch()
        log.warning(
            f"{contract.name} was not what its inputs make. What was made from it may be wrong too "
            f"({', '.join(readers)}), so the next refresh recomputes every table"
        )


def _applied(brought: Brought, table: str) -> Applied:
    if brought.reason:
        made = next(done for done in brought.refreshed if done.table == table)
        figures = {"how": f"rebuilt because {brought.reason}", "seconds": round(made.seconds, 3)}
        return Applied(table, figures, made.rejected, made.noted, made.rows)
    done = next((done for done in brought.increased if done.table == table), None)
    figures = {
        "how": "increment",
        "rows_added": done.added if done else 0,
        "rows_removed": done.removed if done else 0,
        "keys_recomputed": done.keys if done else 0,
        "seconds": round(done.seconds, 3) if done else 0.0,
    }
    return Applied(table, figures, done.rejected if done else 0, done.noted if done else 0)


def _in_words(done: Refreshed) -> str:
    return f"{done.table}: {done.rows:,} rows in {done.seconds:.1f} s"
