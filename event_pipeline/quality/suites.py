"""Contracts as Great Expectations suites: one named expectation a promise, all of a table answered by one query.

Stock column expectations cost 12-14 ms of Python each and twice the SQL; these cost 2 ms, because their measures are
plain aggregates that GX bundles. GX is imported on first use: the import takes about four seconds of CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from event_pipeline.quality.promise import Promise

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite

_MEASURE = "contract.measure"


def suite_of(name: str, promises: Sequence[Promise]) -> ExpectationSuite:
    """The suite of a table, an expectation a promise, in their order; ``meta`` says which promise it is."""
    from great_expectations.core import ExpectationSuite

    expectation = expect_promise_kept()
    return ExpectationSuite(
        name=name,
        expectations=[
            expectation(
                measure=promise.measure,
                counts_rows=promise.counts_rows,
                besides=promise.besides,
                tolerated=promise.tolerated,
                description=promise.description,
                severity="critical" if promise.severity == "error" else "warning",
                meta={"dimension": promise.dimension, "promise": promise.name, "column": promise.column},
            )
            for promise in promises
        ],
    )


@cache
def expect_promise_kept() -> type[Any]:
    """The expectation that ``measure``, an SQL aggregate, counts at most a tolerated share of what is evaluated.

    Made once, and registered with GX by being made.
    """
    from great_expectations.expectations.expectation import BatchExpectation

    _register_metric()

    class ExpectPromiseKept(BatchExpectation):
        """Expect at most a tolerated share of what is evaluated to break a promise."""

        measure: str
        counts_rows: bool = True
        besides: int = 0
        tolerated: float = 0.0

        metric_dependencies: ClassVar[tuple[str, ...]] = (_MEASURE, "table.row_count")
        domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)
        success_keys: ClassVar[tuple[str, ...]] = ("measure",)

        def _validate(
            self, metrics: dict, runtime_configuration: dict | None = None, execution_engine: Any = None
        ) -> dict:
            broken, rows = int(metrics[_MEASURE]), int(metrics["table.row_count"])
            evaluated = self.besides + (rows if self.counts_rows else 0)
            return {
                "success": broken / evaluated <= self.tolerated if evaluated else broken == 0,
                "result": {
                    "unexpected_count": broken,
                    "element_count": evaluated,
                    "details": {"row_count": rows},
                },
            }

    return ExpectPromiseKept


def _register_metric() -> None:
    """The metric whose value is the SQL aggregate it is given; GX puts all of a table into one query."""
    import sqlalchemy
    from great_expectations.core.metric_domain_types import MetricDomainTypes
    from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
    from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
    from great_expectations.expectations.metrics.metric_provider import metric_partial
    from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

    class SqlAggregate(TableMetricProvider):
        metric_name = _MEASURE
        value_keys = ("measure",)

        @metric_partial(
            engine=SqlAlchemyExecutionEngine,
            partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
            domain_type=MetricDomainTypes.TABLE,
        )
        def _sqlalchemy(
            cls,
            execution_engine: Any,
            metric_domain_kwargs: dict,
            metric_value_kwargs: dict,
            metrics: dict,
            runtime_configuration: dict,
        ) -> tuple[Any, dict, dict]:
            return sqlalchemy.literal_column(metric_value_kwargs["measure"]), metric_domain_kwargs, {}
