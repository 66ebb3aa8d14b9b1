"""One asset per model: staging, people, core and marts tables."""

import inspect
from typing import Any

import dagster as dg

from event_pipeline.definitions.asset_metadata import (
    OWNER,
    asset_description,
    asset_key,
    asset_tags,
    column_lineage,
    column_schema,
)
from event_pipeline.definitions.session import Session
from event_pipeline.models.model import Model
from event_pipeline.settings import Settings
from event_pipeline.warehouse.refresh import CONTRACTS, model_parameters, read_table

WRITER_POOL = "writer"
"""Runs that write take turns."""

FIRST_PARTITION = "2020-01-01"
"""First day that can be backfilled by itself; earlier days are part of every full refresh."""


def model_asset(model: Model, settings: Settings) -> dg.AssetsDefinition:
    """The asset of a model: its inputs arrive as lazy tables, its expression goes to the IO manager."""
    contract = model.contract
    argument = {name: name.replace(".", "__") for name in model.inputs}
    by_day = contract.partition_column is not None
    # Dagster loads no table that is by day for one that is by day too, unless the run has partitions.
    unloaded = {name for name in model.inputs if by_day and CONTRACTS[name].partition_column is not None}

    @dg.asset(
        key=asset_key(model.name),
        ins={
            argument[name]: dg.AssetIn(key=asset_key(name), input_manager_key="warehouse")
            for name in model.inputs
            if name not in unloaded
        },
        deps=[asset_key(name) for name in unloaded],
        group_name=contract.layer,
        description=asset_description(contract, inspect.getdoc(model.function)),
        kinds={"duckdb", "ibis"},
        owners=[OWNER],
        tags=asset_tags(contract),
        metadata={
            **column_schema(contract),
            **column_lineage(contract, {name: CONTRACTS[name] for name in model.inputs}),
            **({"partition_expr": contract.partition_column} if by_day else {}),
        },
        io_manager_key="warehouse",
        pool=WRITER_POOL,
        partitions_def=daily_partitions(settings) if by_day else None,
        backfill_policy=dg.BackfillPolicy.single_run() if by_day else None,
    )
    def _asset(context: dg.AssetExecutionContext, session: dg.ResourceParam[Session], **inputs: Any) -> Any:
        tables = {name: inputs[argument[name]] for name in model.inputs if name not in unloaded}
        tables |= {name: read_table(session.backend, name) for name in unloaded}
        rows = model.apply(tables, model_parameters(session.settings, session.as_of))
        return _of_days(context, rows, contract.partition_column)

    return _asset


def daily_partitions(settings: Settings) -> dg.DailyPartitionsDefinition:
    """The organisation's days, today included."""
    return dg.DailyPartitionsDefinition(
        start_date=FIRST_PARTITION, timezone=settings.organisation.time_zone, end_offset=1
    )


def _of_days(context: dg.AssetExecutionContext, rows: Any, column: str | None) -> Any:
    """Only the days the run is for; a run without partitions is for all."""
    import ibis

    if column is None or not (context.has_partition_key or context.has_partition_key_range):
        return rows
    days = context.partition_key_range
    return rows.filter(rows[column].between(ibis.date(days.start), ibis.date(days.end)))
