"""Asset checks: the blocking contract check of every table, and its Great Expectations suite by dimension."""

from collections.abc import Iterator, Sequence

import dagster as dg

from event_pipeline.contracts.contract import Contract
from event_pipeline.definitions.asset_metadata import asset_key
from event_pipeline.definitions.quality_results import contract_check_result
from event_pipeline.definitions.session import Session
from event_pipeline.quality.promises import dimensions_of
from event_pipeline.quality.results import CONTRACT_CHECK
from event_pipeline.settings import Settings


def contract_spec(contract: Contract) -> dg.AssetCheckSpec:
    """The contract check of a table. Rows that break a model table's contract are not committed; raw rows are always
    kept, and what is made from them has a contract of its own, so the check of a raw table blocks nothing."""
    return dg.AssetCheckSpec(
        name=CONTRACT_CHECK,
        asset=asset_key(contract.name),
        blocking=contract.layer != "raw",
        description=f"Columns as declared, {', '.join(contract.key)} unique and present, required columns filled.",
    )


def expectation_specs(contract: Contract, settings: Settings) -> list[dg.AssetCheckSpec]:
    """A check for each dimension in which the contract has expectations; none when quality checks are off."""
    if not settings.features.quality_checks:
        return []
    return [
        dg.AssetCheckSpec(
            name=dimension,
            asset=asset_key(contract.name),
            description=f"{dimension.title()} of {contract.name}.",
        )
        for dimension in dimensions_of(contract)
    ]


def raw_contract_checks(contracts: Sequence[Contract]) -> dg.AssetChecksDefinition:
    """The contract checks of the raw tables, in one step, for runs that only read sources."""
    specs = [contract_spec(contract) for contract in contracts]

    @dg.multi_asset_check(name="raw__contracts", specs=specs, can_subset=True)
    def _checks(
        context: dg.AssetCheckExecutionContext, session: dg.ResourceParam[Session]
    ) -> Iterator[dg.AssetCheckResult]:
        from event_pipeline.quality.contract_check import check_contract

        broken = []
        for spec, contract in zip(specs, contracts, strict=True):
            if spec.key in context.selected_asset_check_keys:
                result = check_contract(session.backend.con, contract)
                broken += result.problems
                yield contract_check_result(contract, result)
        if broken:
            raise dg.Failure("\n".join(broken))

    return _checks
