"""Drives models: reads their inputs, applies them, writes their tables. Dagster and the tests both call this."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

from event_pipeline.contracts.contract import IBIS_TYPES, Contract
from event_pipeline.contracts.ops import DATA_QUALITY
from event_pipeline.contracts.progress import PROGRESS
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.contracts.raw import CURSORS, RAW_TABLES
from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.contracts.stream import BATCHES, STREAM_STATUS
from event_pipeline.models.locale import Locale
from event_pipeline.models.model import Model
from event_pipeline.models.registry import MODELS, STAGING_MODELS, in_order
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import joins_as_written
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.replacement import bring_to
from event_pipeline.warehouse.staging import write_staging
from event_pipeline.warehouse.tables import create_tables

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

CONTRACTS: dict[str, Contract] = {
    **{contract.name: contract for contract in RAW_TABLES.values()},
    **{name: model.contract for name, model in MODELS.items()},
    QUARANTINE.name: QUARANTINE,
    CURSORS.name: CURSORS,
    SOURCE_STATE.name: SOURCE_STATE,
    DATA_QUALITY.name: DATA_QUALITY,
    **{contract.name: contract for contract in (*PROGRESS.values(), STREAM_STATUS, BATCHES)},
}
"""Every table's contract by ``layer.table``."""

PARSED = {model.name for model in STAGING_MODELS}
"""Tables whose rows pass the row rules first."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh of one table did. ``rejected`` and ``noted`` count documents of staging tables."""

    table: str
    rows: int
    seconds: float
    rejected: int = 0
    noted: int = 0


def read_table(backend: Backend, name: str) -> ir.Table:
    """The stored table as a lazy Ibis table; ``name`` is ``layer.table``.

    Its schema is the contract's, which the table was made from, so the catalog is not asked for it.
    """
    import ibis
    import ibis.expr.operations as ops

    contract = CONTRACTS[name]
    schema = ibis.schema({column.name: IBIS_TYPES[column.type] for column in contract.columns})
    namespace = ops.Namespace(catalog=contract.catalog, database=contract.layer)
    return ops.DatabaseTable(contract.table, schema=schema, source=backend, namespace=namespace).to_expr()


def model_parameters(settings: Settings, as_of: datetime) -> dict[str, Any]:
    """What models take besides tables. ``as_of`` decides what has started."""
    return {"locale": Locale.of(settings.organisation), "as_of": as_of}


def apply_model(backend: Backend, settings: Settings, model: Model, as_of: datetime) -> ir.Table:
    """The table's expression over the stored inputs."""
    tables = {name: read_table(backend, name) for name in model.inputs}
    return model.apply(tables, model_parameters(settings, as_of))


def write_model_output(
    backend: Backend, settings: Settings, contract: Contract, rows: ir.Table, days: tuple[str, str] | None = None
) -> Refreshed:
    """The table, or its days from first to last, becomes these rows, in one transaction.

    Rows of a parsed staging table go through the row rules first: the bad ones end in quarantine.
    """
    started = perf_counter()
    if contract.name in PARSED:
        staged = write_staging(backend, settings, contract, rows)
        return Refreshed(contract.name, staged.rows, perf_counter() - started, staged.rejected, staged.noted)
    query = str(backend.compile(rows))
    with write_transaction(backend.con, settings):
        count = bring_to(backend.con, settings, contract, query, rows.columns, days)
    return Refreshed(contract.name, count, perf_counter() - started)


def refresh_table(backend: Backend, settings: Settings, model: Model, as_of: datetime) -> Refreshed:
    """Recomputes one table from its stored inputs."""
    return write_model_output(backend, settings, model.contract, apply_model(backend, settings, model, as_of))


def refresh_tables(
    backend: Backend,
    settings: Settings,
    as_of: datetime,
    names: Iterable[str] | None = None,
    on_refreshed: Callable[[Refreshed], None] = lambda _: None,
) -> list[Refreshed]:
    """Recomputes these tables (all when None), each after what it reads."""
    prepare_tables(backend, settings)
    results = []
    with joins_as_written(backend.con):
        for model in in_order(set(names) if names is not None else None):
            results.append(refresh_table(backend, settings, model, as_of))
            on_refreshed(results[-1])
    return results


def prepare_tables(backend: Backend, settings: Settings) -> None:
    """Every table of every contract, so that a model finds empty inputs rather than none."""
    for catalog in ("lake", "warehouse"):
        with write_transaction(backend.con, settings):
            create_tables(backend.con, [c for c in CONTRACTS.values() if c.catalog == catalog])
