"""Great Expectations over an open DuckDB connection, so that it sees the attached lakes; nothing is written to disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from event_pipeline.contracts.contract import Contract
from event_pipeline.errors import PipelineError

if TYPE_CHECKING:
    import duckdb
    from great_expectations.core import ExpectationSuite
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult


def validate(
    connection: duckdb.DuckDBPyConnection, contract: Contract, suite: ExpectationSuite
) -> Sequence[ExpectationValidationResult]:
    """The results of the suite on the contract's stored table, in the suite's order.

    Reads what is committed: the caller's open transaction is not seen. Raises PipelineError when a query fails.
    """
    from great_expectations.core.batch import Batch
    from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
    from great_expectations.validator.validator import Validator

    with _engine_over(connection) as engine:
        schema = f"{contract.catalog}.{contract.layer}"
        data: Any = SqlAlchemyBatchData(execution_engine=engine, table_name=contract.table, schema_name=schema)
        validator = Validator(execution_engine=engine, data_context=_quiet_context(), batches=[Batch(data=data)])
        # A suite handed to the validator would drop expectations of one type on one table, taking them for the same.
        results = validator.graph_validate(
            configurations=suite.expectation_configurations,
            runtime_configuration={"catch_exceptions": True, "result_format": {"result_format": "BASIC"}},
        )
    _require_evaluated(contract, results)
    return results


def _require_evaluated(contract: Contract, results: Sequence[ExpectationValidationResult]) -> None:
    """GX can only report a query that failed as an expectation that is not met, which is not the same."""
    for result in results:
        if not result.result:
            error = _error_message(result.exception_info or {})
            raise PipelineError(
                f"{contract.name} could not be checked: {error}. To do: see that the table can be read with "
                f"SELECT count(*) FROM {contract.qualified}; if it can, its contract states something that is no SQL"
            )


def _error_message(info: Mapping[str, Any]) -> str:
    """The first line of the database's own message, wherever GX keeps it."""
    message = info.get("exception_message") or next(
        (inner["exception_message"] for inner in info.values() if isinstance(inner, dict)), "no reason given"
    )
    return (str(message).strip().splitlines() or ["no reason given"])[0][:500]


@cache
def _quiet_context() -> Any:
    """A context that lives in memory only and draws no progress bars."""
    import great_expectations
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


@cache
def _engine_type() -> type[Any]:
    from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine

    class OpenConnectionEngine(SqlAlchemyExecutionEngine):
        """Keeps its one connection open between query and fetch, which GX does for the dialects it knows only."""

        @contextmanager
        def get_connection(self) -> Iterator[Any]:
            """The connection, which stays open until the engine is disposed of."""
            if self._connection is None:
                self._connection = self.engine.connect()
            yield self._connection

    return OpenConnectionEngine


@contextmanager
def _engine_over(connection: duckdb.DuckDBPyConnection) -> Iterator[Any]:
    import sqlalchemy
    from duckdb_engine import ConnectionWrapper
    from sqlalchemy.pool import StaticPool

    # A cursor is a session of its own on the same database: it shares the lakes, not transactions nor settings.
    cursor = connection.cursor()
    cursor.execute("SET TimeZone = 'UTC'")
    database = sqlalchemy.create_engine("duckdb://", creator=lambda: ConnectionWrapper(cursor), poolclass=StaticPool)
    engine = _engine_type()(engine=database)
    try:
        yield engine
    finally:
        if engine._connection is not None:
            engine._connection.close()
        database.dispose()
        cursor.close()
