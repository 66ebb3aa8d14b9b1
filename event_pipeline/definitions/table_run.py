"""What the operation over the models' tables does in one run: write, report each table that changed, run checks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from event_pipeline.contracts.contract import Contract
from event_pipeline.definitions.asset_metadata import asset_key, model_lineage, recorded_metadata
from event_pipeline.definitions.quality_results import (
    as_evaluation,
    contract_check_result,
    expectation_check_results,
)
from event_pipeline.definitions.session import Session
from event_pipeline.definitions.table_refresh import RefreshMode, TableRefresh, TableResult, row_count
from event_pipeline.increments.kept import Kept
from event_pipeline.models.registry import MODELS, in_order
from event_pipeline.quality.results import CONTRACT_CHECK, ContractResult

MODE_TAG = "event_pipeline/tables"
"""Tag of the jobs over all tables; what is picked by hand has none."""

RECHECK_TAG = "event_pipeline/recheck"
"""Tag of the jobs without expectations, which check again only the tables that failed and have changed since."""

Reported = dg.MaterializeResult | dg.AssetCheckResult


class TableRun:
    """One execution of the operation. What the run selected is yielded; what it changed besides is logged."""

    def __init__(self, context: dg.AssetExecutionContext, session: Session) -> None:
        self._context, self._session = context, session
        self._names = [model.name for model in in_order() if asset_key(model.name) in context.selected_asset_keys]
        self._contracts_checked: set[str] = set()
        self._kept: list[Kept] = []

    def execute(self) -> Iterator[Reported]:
        """Writes tables if any were selected, then evaluates the selected checks that writing did not evaluate.

        Raises dagster.Failure, after all of it, when rows break a contract.
        """
        if self._names:
            session = self._session
            refresh = TableRefresh(session.backend, session.settings, session.as_of, self._context.log)
            for result in refresh.run(self._mode(), self._names):
                yield from self._report(result)
        for name in MODELS:
            yield from self._remaining_checks(MODELS[name].contract)
        problems = [kept.message for kept in self._kept] + self._problems_of_raw_tables()
        if problems:
            raise dg.Failure("\n".join(problems))

    def _problems_of_raw_tables(self) -> list[str]:
        """Checks the contracts of the raw tables that this run changed. Their rows are kept whatever the outcome."""
        from event_pipeline.quality.contract_check import check_contract

        problems: list[str] = []
        for contract in self._session.changed_raw:
            result = check_contract(self._session.backend.con, contract)
            self._log(contract_check_result(contract, result))
            problems += result.problems
        return problems

    def _mode(self) -> RefreshMode:
        """A part of the rebuild job that a person picked is rewritten: a rebuild is of every table."""
        mode = RefreshMode(self._context.run.tags.get(MODE_TAG, RefreshMode.REWRITE.value))
        if mode is RefreshMode.REBUILD and len(self._names) < len(MODELS):
            return RefreshMode.REWRITE
        return mode

    def _report(self, result: TableResult) -> Iterator[Reported]:
        """The table's materialization with its contract check, which its rows passed before they were committed."""
        contract = MODELS[result.table].contract
        key, rows = asset_key(contract.name), result.rows
        if rows is None:
            rows = row_count(self._session.backend, contract)
        if result.kept is not None:
            self._kept.append(result.kept)
            if result.kept.problems:
                yield from self._contract_checked(contract, ContractResult(contract.name, rows, result.kept.problems))
            return
        metadata = recorded_metadata(contract, rows, result.figures) | model_lineage(MODELS[result.table])
        if contract.name in self._names:
            yield dg.MaterializeResult(asset_key=key, metadata=metadata)
        else:
            self._context.log_event(dg.AssetMaterialization(asset_key=key, metadata=metadata))
        yield from self._contract_checked(contract, ContractResult(contract.name, rows, ()))
        self._check_again_if_it_failed(contract)

    def _contract_checked(self, contract: Contract, result: ContractResult) -> Iterator[dg.AssetCheckResult]:
        self._contracts_checked.add(contract.name)
        yield from self._evaluated(contract_check_result(contract, result))

    def _evaluated(self, result: dg.AssetCheckResult) -> Iterator[dg.AssetCheckResult]:
        """Yields a check that the run selected; logs another, which Dagster would refuse as a result."""
        if result.asset_key is None or result.check_name is None:
            raise dg.DagsterInvariantViolationError("a check result must name its asset and its check")
        if dg.AssetCheckKey(result.asset_key, result.check_name) in self._context.selected_asset_check_keys:
            yield result
        else:
            self._log(result)

    def _log(self, result: dg.AssetCheckResult) -> None:
        """Records a check that the run did not select. Dagster's types leave out that it takes such an event."""
        self._context.log_event(as_evaluation(result))  # pyright: ignore[reportArgumentType]

    def _remaining_checks(self, contract: Contract) -> Iterator[dg.AssetCheckResult]:
        key = asset_key(contract.name)
        selected = {check.name for check in self._context.selected_asset_check_keys if check.asset_key == key}
        if CONTRACT_CHECK in selected and contract.name not in self._contracts_checked:
            from event_pipeline.quality.contract_check import check_contract

            session = self._session
            yield from self._contract_checked(
                contract, check_contract(session.backend.con, contract, session.settings.validation)
            )
        if selected - {CONTRACT_CHECK}:
            yield from self._check_expectations(contract, selected)

    def _check_expectations(self, contract: Contract, selected: set[str]) -> Iterator[dg.AssetCheckResult]:
        """The table's Great Expectations suite; its outcome is kept in ops.data_quality."""
        from event_pipeline.quality.recheck import check_again

        quality = check_again(self._session.backend.con, self._session.settings, contract, datetime.now(UTC))
        for result in expectation_check_results(contract, quality):
            if result.check_name in selected:
                yield result

    def _check_again_if_it_failed(self, contract: Contract) -> None:
        """In a run without expectations, checks the table if it failed before, so that its alert ends at once."""
        checked_at = self._session.failing.get(contract.name) if self._context.run.tags.get(RECHECK_TAG) else None
        if checked_at is None or not self._session.settings.features.quality_checks:
            return
        from event_pipeline.quality.recheck import check_again, has_changed

        connection, settings = self._session.backend.con, self._session.settings
        if has_changed(connection, settings, contract, checked_at):
            quality = check_again(connection, settings, contract, datetime.now(UTC))
            for result in expectation_check_results(contract, quality):
                self._log(result)
