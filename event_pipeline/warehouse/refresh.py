"""Drives models: reads their inputs, applies them, writes their tables. Dagster and the tests both call this."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.models.model import Model
from event_pipeline.models.registry import in_order
from event_pipeline.settings import Settings
from event_pipeline.warehouse.compiled_models import Compiler, keep_compiled
from event_pipeline.warehouse.connection import joins_as_written
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.replacement import bring_to
from event_pipeline.warehouse.staging import StagedRows, write_staging
from event_pipeline.warehouse.table_contracts import CONTRACTS
from event_pipeline.warehouse.tables import create_tables

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh of one table did. ``rejected`` and ``noted`` count documents of staging tables."""

    table: str
    rows: int
    seconds: float
    rejected: int = 0
    noted: int = 0


def write_rows(
    backend: Backend, settings: Settings, contract: Contract, rows: ir.Table, days: tuple[str, str] | None = None
) -> Refreshed:
    """The table, or its days from first to last, becomes these rows, in one transaction."""
    started = perf_counter()
    query = str(backend.compile(rows))
    with write_transaction(backend.con, settings):
        count = bring_to(backend.con, settings, contract, query, rows.columns, days)
    return Refreshed(contract.name, count, perf_counter() - started)


def refresh_table(
    backend: Backend, settings: Settings, model: Model, as_of: datetime, verify: Callable[[], None] = lambda: None
) -> Refreshed:
    """Recomputes one table from its stored inputs, in one transaction.

    Rows of a parsed staging table go through the row rules first: the bad ones end in quarantine. ``verify`` is called
    before the commit; when it raises, the table keeps the rows that it has.
    """
    started, contract = perf_counter(), model.contract
    compiled = Compiler(backend, settings, "stored").compiled(model, as_of)
    with write_transaction(backend.con, settings):
        if compiled.accepted is None:
            rows = bring_to(backend.con, settings, contract, compiled.query, compiled.columns)
            staged = StagedRows(rows, 0, 0)
        else:
            staged = write_staging(backend.con, settings, contract, compiled)
        verify()
    return Refreshed(contract.name, staged.rows, perf_counter() - started, staged.rejected, staged.noted)


def refresh_tables(
    backend: Backend,
    settings: Settings,
    as_of: datetime,
    names: Iterable[str] | None = None,
    on_refreshed: Callable[[Refreshed], None] = lambda _: None,
    verify: Callable[[Contract], None] = lambda _: None,
) -> list[Refreshed]:
    """Recomputes these tables (all when None), each after what it reads. ``verify`` is called with each contract before
    the table's commit; when it raises, the table keeps the rows that it has, and so do those after it."""
    prepare_tables(backend, settings)
    results = []
    with joins_as_written(backend.con):
        for model in in_order(set(names) if names is not None else None):
            results.append(refresh_table(backend, settings, model, as_of, partial(verify, model.contract)))
            on_refreshed(results[-1])
    keep_compiled(settings)
    return results


def prepare_tables(backend: Backend, settings: Settings) -> None:
    """Every table of every contract, so that a model finds empty inputs rather than none."""
    for catalog in ("lake", "warehouse"):
        with write_transaction(backend.con, settings):
            create_tables(backend.con, [c for c in CONTRACTS.values() if c.catalog == catalog])
