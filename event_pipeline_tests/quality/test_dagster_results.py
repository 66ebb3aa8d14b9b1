"""What Dagster shows of quality outcomes."""

from __future__ import annotations

import dagster as dg

from event_pipeline.contracts.ops import DIMENSIONS
from event_pipeline.definitions.quality_results import contract_check_result, expectation_check_results
from event_pipeline.quality.results import ContractResult, ExpectationOutcome, TableQuality
from event_pipeline_tests.quality.visits import VISITS


def _outcome(dimension: str, *, broken: int = 0, severity: str = "error") -> ExpectationOutcome:
    return ExpectationOutcome(
        dimension=dimension,  # pyright: ignore[reportArgumentType]
        expectation="range",
        column="fee_minor",
        description="fee_minor is at least 0",
        is_successful=not broken,
        severity=severity,  # pyright: ignore[reportArgumentType]
        unexpected_count=broken,
        evaluated_count=4,
        sample=('visit_id="v1", fee_minor=-1',) if broken else (),
        advice="mend it",
    )


def test_each_dimension_has_a_result_of_its_own_severity() -> None:
    outcomes = (
        _outcome("validity", broken=1),
        _outcome("validity", broken=2, severity="warning"),
        _outcome("timeliness", broken=4, severity="warning"),
        _outcome("uniqueness"),
    )
    results = {r.check_name: r for r in expectation_check_results(VISITS, TableQuality(VISITS.name, 4, outcomes))}
    assert tuple(results) == DIMENSIONS
    assert {result.asset_key for result in results.values()} == {dg.AssetKey(["core", "fact_visits"])}
    verdicts = {name: (r.passed, r.severity.value) for name, r in results.items() if not r.passed}
    assert verdicts == {"validity": (False, "ERROR"), "timeliness": (False, "WARN")}
    assert results["completeness"].description == "Nothing could be asked of the stored table."
    assert "score" not in results["completeness"].metadata


def test_failing_expectations_are_a_table_with_sample_and_advice() -> None:
    quality = TableQuality(VISITS.name, 4, (_outcome("validity", broken=1), _outcome("validity")))
    result = next(r for r in expectation_check_results(VISITS, quality) if r.check_name == "validity")
    table = result.metadata["failing_expectations"]
    assert isinstance(table, dg.TableMetadataValue)
    (record,) = table.records
    assert record.data["sample"] == 'visit_id="v1", fee_minor=-1'
    assert record.data["to_do"] == "mend it"
    assert result.metadata["score"].value == 0.875


def test_contract_problems_are_one_error() -> None:
    failed = contract_check_result(VISITS, ContractResult(VISITS.name, 2, ("a is wrong", "b is wrong")))
    assert (failed.passed, failed.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert failed.description == "a is wrong\nb is wrong"
    assert contract_check_result(VISITS, ContractResult(VISITS.name, 2, ())).passed
