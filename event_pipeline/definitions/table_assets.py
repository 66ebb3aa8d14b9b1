"""The assets of the models' tables, made by one operation: staging, people, core and marts."""

import inspect
from collections.abc import Iterator, Sequence

import dagster as dg

from event_pipeline.definitions.asset_metadata import (
    OWNER,
    asset_description,
    asset_key,
    asset_tags,
    column_schema,
    model_lineage,
)
from event_pipeline.definitions.session import Session
from event_pipeline.models.model import Model
from event_pipeline.models.registry import MODELS

WRITER_POOL = "writer"
"""Runs that write take turns."""


def table_assets(check_specs: Sequence[dg.AssetCheckSpec]) -> dg.AssetsDefinition:
    """One operation that brings every model's table up to date and evaluates these checks of them."""

    @dg.multi_asset(
        name="tables",
        specs=[_spec(model) for model in MODELS.values()],
        check_specs=check_specs,
        can_subset=True,
        pool=WRITER_POOL,
    )
    def tables(
        context: dg.AssetExecutionContext, session: dg.ResourceParam[Session]
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        """Brings the tables up to date, or rewrites those that were picked, and reports each that changed."""
        from event_pipeline.definitions.table_run import TableRun

        yield from TableRun(context, session).execute()

    return tables


def _spec(model: Model) -> dg.AssetSpec:
    """The asset of a table. It is skippable: a run reports only tables that it changed."""
    contract = model.contract
    return dg.AssetSpec(
        key=asset_key(model.name),
        deps=[asset_key(name) for name in model.inputs],
        skippable=True,
        group_name=contract.layer,
        description=asset_description(contract, inspect.getdoc(model.function)),
        kinds={"duckdb", "ibis"},
        owners=[OWNER],
        tags=asset_tags(contract),
        metadata={
            **column_schema(contract),
            **model_lineage(model),
        },
    )
