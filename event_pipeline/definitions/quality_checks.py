"""Asset checks: the blocking contract check of every table, and its Great Expectations suite."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import dagster as dg

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.ops import DIMENSIONS
from event_pipeline.definitions.asset_metadata import asset_key
from event_pipeline.definitions.model_assets import WRITER_POOL
from event_pipeline.definitions.order import Turn, op_tags, turn_of
from event_pipeline.definitions.quality_results import (
    CONTRACT_CHECK,
    contract_check_result,
    expectation_check_results,
)
from event_pipeline.definitions.session import Session


def contract_check(contract: Contract) -> dg.AssetChecksDefinition:
    """The blocking check of a table, in one pass of plain SQL."""

    @dg.asset_check(
        asset=asset_key(contract.name),
        name=CONTRACT_CHECK,
        blocking=True,
        description=f"Columns as declared, {', '.join(contract.key)} unique and present, required columns filled.",
        op_tags=op_tags(turn_of(contract)),
    )
    def _check(session: dg.ResourceParam[Session]) -> dg.AssetCheckResult:
        from event_pipeline.quality.contract_check import check_contract

        return contract_check_result(
            contract, check_contract(session.backend.con, contract, session.settings.validation)
        )

    return _check


def raw_contract_checks(contracts: Sequence[Contract]) -> dg.AssetChecksDefinition:
    """The blocking checks of the raw tables, in one step: a run that reads sources is not a step longer a table."""
    specs = [
        dg.AssetCheckSpec(
            name=CONTRACT_CHECK,
            asset=asset_key(contract.name),
            blocking=True,
            description=f"Columns as declared, {', '.join(contract.key)} unique and present, required columns filled.",
        )
        for contract in contracts
    ]

    @dg.multi_asset_check(name="raw__contracts", specs=specs, can_subset=True, op_tags=op_tags(Turn.SOURCES))
    def _checks(
        context: dg.AssetCheckExecutionContext, session: dg.ResourceParam[Session]
    ) -> Iterator[dg.AssetCheckResult]:
        from event_pipeline.quality.contract_check import check_contract

        for spec, contract in zip(specs, contracts, strict=True):
            if spec.key in context.selected_asset_check_keys:
                yield contract_check_result(contract, check_contract(session.backend.con, contract))

    return _checks


def expectation_checks(contract: Contract) -> dg.AssetChecksDefinition:
    """The Great Expectations suite of a table, a check per dimension; results are kept in ops.data_quality."""
    key = asset_key(contract.name)

    @dg.multi_asset_check(
        name=f"{contract.layer}__{contract.table}__expectations",
        specs=[
            dg.AssetCheckSpec(name=dimension, asset=key, description=f"{dimension.title()} of {contract.name}.")
            for dimension in DIMENSIONS
        ],
        pool=WRITER_POOL,
        op_tags=op_tags(Turn.EXPECTATIONS),
    )
    def _checks(session: dg.ResourceParam[Session]) -> Iterator[dg.AssetCheckResult]:
        from event_pipeline.quality.gx_runner import check_table
        from event_pipeline.quality.history import record_quality

        now = datetime.now(UTC)
        quality = check_table(session.backend.con, session.settings, contract, now=now)
        record_quality(session.backend.con, session.settings, [quality], now)
        yield from expectation_check_results(contract, quality)

    return _checks
