"""One asset per model: staging, people, core and marts tables."""

import inspect
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from event_pipeline.contracts.contract import Contract
from event_pipeline.definitions.asset_metadata import (
    OWNER,
    asset_description,
    asset_key,
    asset_tags,
    column_lineage,
    column_schema,
)
from event_pipeline.definitions.order import op_tags, turn_of
from event_pipeline.definitions.quality_results import expectation_check_results
from event_pipeline.definitions.session import Session
from event_pipeline.definitions.upkeep import RECHECK_TAG, way_of
from event_pipeline.models.model import Model
from event_pipeline.models.registry import MODELS
from event_pipeline.settings import Settings
from event_pipeline.warehouse.refresh import CONTRACTS, model_parameters

WRITER_POOL = "writer"
"""Runs that write take turns."""

FIRST_PARTITION = "2020-01-01"
"""First day that can be backfilled by itself; earlier days are part of every full refresh."""


def model_asset(model: Model, settings: Settings) -> dg.AssetsDefinition:
    """The asset of a model: it returns what was applied to its table or, where that is to be written as a whole, the
    expression of its rows over lazy inputs. The IO manager records either.
    """
    contract = model.contract
    by_day = contract.partition_column is not None
    # A run without partitions cannot read one table that is by day for another: Dagster asks it for its days.
    made_anew = [MODELS[name] for name in model.inputs if by_day and CONTRACTS[name].partition_column is not None]
    read = _tables_read(model, made_anew)
    argument = {name: name.replace(".", "__") for name in read}

    @dg.asset(
        key=asset_key(model.name),
        ins={argument[name]: dg.AssetIn(key=asset_key(name), input_manager_key="warehouse") for name in read},
        group_name=contract.layer,
        description=asset_description(contract, inspect.getdoc(model.function)),
        kinds={"duckdb", "ibis"},
        owners=[OWNER],
        tags=asset_tags(contract),
        metadata={
            **column_schema(contract),
            **column_lineage(contract, {name: CONTRACTS[name] for name in read}),
            **({"partition_expr": contract.partition_column} if by_day else {}),
        },
        io_manager_key="warehouse",
        pool=WRITER_POOL,
        op_tags=op_tags(turn_of(contract)),
        partitions_def=daily_partitions(settings) if by_day else None,
        backfill_policy=dg.BackfillPolicy.single_run() if by_day else None,
    )
    def _asset(context: dg.AssetExecutionContext, session: dg.ResourceParam[Session], **inputs: Any) -> Any:
        applied = session.upkeep.begin(contract, way_of(context, contract), context.log)
        if applied is not None:
            check_what_failed(context, session, contract)
            return applied
        parameters = model_parameters(session.settings, session.upkeep.as_of)
        tables = {name: inputs[argument[name]] for name in read}
        tables |= {made.name: made.apply(tables, parameters) for made in made_anew}
        rows = model.apply(tables, parameters)
        return _of_days(context, rows, contract.partition_column)

    return _asset


def check_what_failed(context: dg.AssetExecutionContext, session: Session, contract: Contract) -> None:
    """Checks the table again where it failed and has changed since, in a run that leaves out the expectations.

    What was mended is then known at once, and not only after the next refresh.
    """
    checked_at = session.failing.get(contract.name) if context.run.tags.get(RECHECK_TAG) else None
    if checked_at is None or not session.settings.features.quality_checks:
        return
    from event_pipeline.quality.recheck import check_again, has_changed

    if not has_changed(session.backend.con, session.settings, contract, checked_at):
        return
    quality = check_again(session.backend.con, session.settings, contract, datetime.now(UTC))
    for result in expectation_check_results(contract, quality):
        context.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=asset_key(contract.name),
                check_name=str(result.check_name),
                passed=result.passed,
                metadata=result.metadata,
                severity=result.severity,
                description=result.description,
            )
        )


def _tables_read(model: Model, made_anew: list[Model]) -> list[str]:
    """The model's inputs, with what those are made of in place of those ``made_anew``."""
    replaced = {made.name: made.inputs for made in made_anew}
    return list(dict.fromkeys(name for direct in model.inputs for name in replaced.get(direct, (direct,))))


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
