"""Outcomes of checks as Dagster shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.ops import DIMENSIONS
from event_pipeline.definitions.asset_metadata import asset_key

if TYPE_CHECKING:
    from event_pipeline.quality.results import ContractResult, ExpectationOutcome, TableQuality


def contract_check_result(contract: Contract, result: ContractResult) -> dg.AssetCheckResult:
    """The blocking check of a table: what is wrong with it, and its row count."""
    return dg.AssetCheckResult(
        passed=result.is_successful,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"row_count": result.row_count, "problems": _list(result.problems)},
    )


def expectation_check_results(contract: Contract, quality: TableQuality) -> Iterator[dg.AssetCheckResult]:
    """A result per dimension, with its score and each broken promise: rows, sample, what to do."""
    for dimension in DIMENSIONS:
        outcomes = quality.of(dimension)
        broken = [outcome for outcome in outcomes if not outcome.is_successful]
        errors = any(outcome.severity == "error" for outcome in broken)
        score = quality.scores[dimension]
        yield dg.AssetCheckResult(
            asset_key=asset_key(contract.name),
            check_name=dimension,
            passed=not broken,
            severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
            metadata={
                **({} if score is None else {"score": score}),
                "expectations": len(outcomes),
                "row_count": quality.row_count,
                "broken": _list([outcome.message for outcome in broken]),
                "promises": dg.MetadataValue.table([_record(outcome) for outcome in outcomes], schema=_SCHEMA),
            },
        )


_SCHEMA = dg.TableSchema(
    columns=[
        dg.TableColumn("promise", "string"),
        dg.TableColumn("kept", "bool"),
        dg.TableColumn("broken_by", "int"),
        dg.TableColumn("of", "int"),
    ]
)


def _record(outcome: ExpectationOutcome) -> dg.TableRecord:
    return dg.TableRecord(
        {
            "promise": outcome.description,
            "kept": outcome.is_successful,
            "broken_by": outcome.unexpected_count,
            "of": outcome.evaluated_count,
        }
    )


def _list(lines: tuple[str, ...] | list[str]) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md("\n".join(f"- {line}" for line in lines) or "none")
