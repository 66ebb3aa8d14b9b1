"""The cheap check that blocks: a table is there, as declared, with its key unique and required columns filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.errors import BrokenTableError
from event_pipeline.quality.blocking import blocking_promises
from event_pipeline.quality.promise import Promise
from event_pipeline.quality.results import ContractResult
from event_pipeline.quality.samples import sample_rows
from event_pipeline.quality.stored import stored_columns
from event_pipeline.settings import Validation
from event_pipeline.warehouse.rows import first_row

if TYPE_CHECKING:
    import duckdb


def check_contract(
    connection: duckdb.DuckDBPyConnection, contract: Contract, validation: Validation | None = None
) -> ContractResult:
    """Whether the table may be built upon, in one scan of its key and required columns; nothing heavy is imported.

    ``validation`` names the rules of staging tables that are switched off; none is when it is None.
    """
    stored = stored_columns(connection, [contract.qualified])
    if contract.qualified not in stored:
        advice = "run the refresh job, which creates every table"
        return ContractResult(contract.name, 0, (f"{contract.qualified} does not exist. To do: {advice}",))
    promises = blocking_promises(contract, stored, validation or Validation())
    measures = ", ".join(promise.measure for promise in promises)
    row_count, *counts = connection.execute(f"SELECT count(*), {measures} FROM {contract.qualified}").fetchall()[0]
    problems = (
        _problem(connection, contract, promise, count, row_count)
        for promise, count in zip(promises, counts, strict=True)
        if count
    )
    return ContractResult(contract.name, row_count, tuple(problem for problem in problems if problem is not None))


def require_contract(connection: duckdb.DuckDBPyConnection, contract: Contract, validation: Validation) -> None:
    """Raises BrokenTableError when the table, as this transaction sees it, breaks its contract."""
    result = check_contract(connection, contract, validation)
    if not result.is_successful:
        raise BrokenTableError(contract.name, result.problems)


def _problem(
    connection: duckdb.DuckDBPyConnection, contract: Contract, promise: Promise, count: int, row_count: int
) -> str | None:
    """What is wrong, where and what to do; None when an exact count finds nothing."""
    if promise.exact is not None:
        row = first_row(connection.execute(promise.exact))
        count = row[0] if row else 0
        if not count:
            return None
    found = "; ".join(sample_rows(connection, contract, promise))
    counted = "" if promise.found else f" by {count} of {row_count} rows"
    return f"{contract.name}: not kept{counted} that {promise.description}: {found}. To do: {promise.advice}"
