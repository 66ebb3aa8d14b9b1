"""Turns outcomes of quality checks into what Dagster shows: passed or not, how grave, and the culprits."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from event_pipeline.contracts.contract import Contract
from event_pipeline.definitions.asset_metadata import asset_key
from event_pipeline.quality.promises import dimensions_of
from event_pipeline.quality.results import CONTRACT_CHECK, ContractResult, ExpectationOutcome, TableQuality


def contract_check_result(contract: Contract, result: ContractResult) -> dg.AssetCheckResult:
    """The blocking check of the table: an error with every problem in words, or passed."""
    return dg.AssetCheckResult(
        asset_key=asset_key(contract.name),
        check_name=CONTRACT_CHECK,
        passed=result.is_successful,
        severity=dg.AssetCheckSeverity.ERROR,
        description="\n".join(result.problems) or "Built as its contract declares.",
        metadata={"row_count": result.row_count, "problems": list(result.problems)},
    )


def expectation_check_results(contract: Contract, quality: TableQuality) -> Iterator[dg.AssetCheckResult]:
    """A result for each dimension with expectations, named after it; broken promises are errors unless all of them are
    warnings."""
    for dimension in dimensions_of(contract):
        outcomes = quality.of(dimension)
        failed = [outcome for outcome in quality.failed if outcome.dimension == dimension]
        is_error = any(outcome.severity == "error" for outcome in failed)
        yield dg.AssetCheckResult(
            asset_key=asset_key(contract.name),
            check_name=dimension,
            passed=not failed,
            severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
            description="\n".join(outcome.message for outcome in failed) or _kept(outcomes),
            metadata=_metadata(quality, dimension, outcomes, failed),
        )


def as_evaluation(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """The result as an event of its own, for a check that the run did not select."""
    if result.asset_key is None or result.check_name is None:
        raise ValueError("a check result must name its asset and its check")
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=bool(result.passed),
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
    )


def _kept(outcomes: tuple[ExpectationOutcome, ...]) -> str:
    return f"{len(outcomes)} promises kept." if outcomes else "Nothing could be asked of the stored table."


def _metadata(
    quality: TableQuality, dimension: str, outcomes: tuple[ExpectationOutcome, ...], failed: list[ExpectationOutcome]
) -> dict[str, dg.MetadataValue]:
    score = quality.scores[dimension]
    metadata: dict[str, dg.MetadataValue] = {
        "row_count": dg.MetadataValue.int(quality.row_count),
        "expectations": dg.MetadataValue.int(len(outcomes)),
        "failed": dg.MetadataValue.int(len(failed)),
    }
    if score is not None:
        metadata["score"] = dg.MetadataValue.float(score)
    if outcomes:
        metadata["promises"] = dg.MetadataValue.table([_verdict(outcome) for outcome in outcomes])
    if failed:
        metadata["failing_expectations"] = dg.MetadataValue.table([_record(outcome) for outcome in failed])
    return metadata


def _record(outcome: ExpectationOutcome) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "expectation": outcome.expectation,
            "column": outcome.column or "",
            "promise": outcome.description,
            "severity": outcome.severity,
            "unexpected_rows": outcome.unexpected_count,
            "evaluated_rows": outcome.evaluated_count,
            "sample": "\n".join(outcome.sample),
            "to_do": outcome.advice,
        }
    )


def _verdict(outcome: ExpectationOutcome) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "promise": outcome.description,
            "kept": outcome.is_successful,
            "broken_by": outcome.unexpected_count,
            "of": outcome.evaluated_count,
        }
    )
