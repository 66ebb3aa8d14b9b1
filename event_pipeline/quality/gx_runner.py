"""Proves a stored table against its contract with Great Expectations, inside the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.ops import DATA_QUALITY
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.quality.blocking import schema_promise
from event_pipeline.quality.gx_engine import validate
from event_pipeline.quality.history import recorded_row_counts
from event_pipeline.quality.promise import Promise
from event_pipeline.quality.promises import promises_of, tables_asked_about
from event_pipeline.quality.quarantined import Quarantined, quarantined_documents
from event_pipeline.quality.results import ExpectationOutcome, TableQuality
from event_pipeline.quality.samples import sample_rows
from event_pipeline.quality.stored import Stored, stored_columns
from event_pipeline.quality.suites import suite_of
from event_pipeline.settings import Settings
from event_pipeline.warehouse.rows import first_row

if TYPE_CHECKING:
    import duckdb
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult


def check_table(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    contract: Contract,
    *,
    now: datetime,
    previous: Sequence[int] | None = None,
) -> TableQuality:
    """How well the committed rows of the table keep every promise of its contract, as of ``now`` (aware).

    ``previous`` are row counts of earlier checks, newest first; read from ``ops.data_quality`` when None. A table
    that does not exist has one outcome, which says so.
    """
    stored = stored_columns(connection, tables_asked_about(contract))
    if contract.qualified not in stored:
        missing = schema_promise(contract, stored)
        found = (f"{contract.qualified} does not exist",)
        return TableQuality(
            contract.name, 0, (_outcome(missing, False, len(contract.columns), len(contract.columns), found),)
        )
    if previous is None:
        is_recorded = DATA_QUALITY.qualified in stored
        history = recorded_row_counts(connection, [contract.name]) if is_recorded else {}
        previous = history.get(contract.name, ())
    counts = _quarantined(connection, contract, stored)
    promises = promises_of(contract, stored, settings.validation, now, previous, counts)
    results = validate(connection, contract, suite_of(contract.name, promises))
    outcomes = tuple(
        _settled(connection, contract, promise, result) for promise, result in zip(promises, results, strict=True)
    )
    return TableQuality(contract.name, int(results[0].result["details"]["row_count"]), outcomes)


def _quarantined(connection: duckdb.DuckDBPyConnection, contract: Contract, stored: Stored) -> Quarantined | None:
    if contract.layer != "staging" or QUARANTINE.qualified not in stored:
        return None
    return quarantined_documents(connection, contract)


def _settled(
    connection: duckdb.DuckDBPyConnection, contract: Contract, promise: Promise, result: ExpectationValidationResult
) -> ExpectationOutcome:
    """The outcome; a broken promise is recounted where its measure may overstate, and gets a sample."""
    unexpected, is_successful = int(result.result["unexpected_count"]), bool(result.success)
    if not is_successful and promise.exact is not None:
        row = first_row(connection.execute(promise.exact))
        unexpected = row[0] if row else 0
        is_successful = unexpected == 0
    sample = () if is_successful else sample_rows(connection, contract, promise)
    return _outcome(promise, is_successful, unexpected, int(result.result["element_count"]), sample)


def _outcome(
    promise: Promise, is_successful: bool, unexpected: int, evaluated: int, sample: tuple[str, ...]
) -> ExpectationOutcome:
    return ExpectationOutcome(
        dimension=promise.dimension,
        expectation=promise.name,
        column=promise.column,
        description=promise.description,
        is_successful=is_successful,
        severity=promise.severity,
        unexpected_count=unexpected,
        evaluated_count=evaluated,
        sample=sample,
        advice=promise.advice,
    )
