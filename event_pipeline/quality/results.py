"""Outcomes of checks as plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Literal

from event_pipeline.contracts.ops import DIMENSIONS

CONTRACT_CHECK = "contract"
"""Name of the blocking check: schema, key and required columns."""

Dimension = Literal["completeness", "validity", "uniqueness", "consistency", "timeliness"]
Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class ExpectationOutcome:
    """Whether a table kept one promise.

    ``unexpected_count`` of ``evaluated_count`` rows break it; promises about the table as a whole evaluate 1.
    ``sample`` shows a few of those rows by their key, personal values masked.
    """

    dimension: Dimension
    expectation: str
    column: str | None
    description: str
    is_successful: bool
    severity: Severity
    unexpected_count: int
    evaluated_count: int
    sample: tuple[str, ...]
    advice: str

    @property
    def kept_fraction(self) -> float:
        """Share of what was evaluated that keeps the promise; 1 where there was nothing to break it."""
        if not self.evaluated_count:
            return 1.0
        return max(0.0, 1 - self.unexpected_count / self.evaluated_count)

    @property
    def message(self) -> str:
        """What was promised, how far it is kept, examples, and what to do when it is not."""
        if self.is_successful:
            return f"{self.description}: kept"
        counts = (
            f"broken by {self.unexpected_count} of {self.evaluated_count}" if self.evaluated_count > 1 else "broken"
        )
        examples = f", such as {'; '.join(self.sample)}" if self.sample else ""
        return f"{self.description}: {counts}{examples}. To do: {self.advice}"


@dataclass(frozen=True)
class TableQuality:
    """How well one table, named ``layer.table``, keeps its contract."""

    table: str
    row_count: int
    outcomes: tuple[ExpectationOutcome, ...]

    def of(self, dimension: str) -> tuple[ExpectationOutcome, ...]:
        """The outcomes of one dimension."""
        return tuple(outcome for outcome in self.outcomes if outcome.dimension == dimension)

    @cached_property
    def scores(self) -> Mapping[str, float | None]:
        """By dimension, the mean share kept of its promises, 0 to 1; None where the contract makes none."""
        outcomes = {dimension: self.of(dimension) for dimension in DIMENSIONS}
        return {
            dimension: fmean(outcome.kept_fraction for outcome in kept) if kept else None
            for dimension, kept in outcomes.items()
        }

    @cached_property
    def failed(self) -> tuple[ExpectationOutcome, ...]:
        """Broken promises, errors before warnings."""
        broken = [outcome for outcome in self.outcomes if not outcome.is_successful]
        return tuple(sorted(broken, key=lambda outcome: outcome.severity))

    @property
    def is_successful(self) -> bool:
        """Whether every promise is kept, warnings included."""
        return not self.failed


@dataclass(frozen=True, slots=True)
class ContractResult:
    """Whether a table may be built upon: ``problems`` say what is wrong and what to do; none means it may."""

    table: str
    row_count: int
    problems: tuple[str, ...]

    @property
    def is_successful(self) -> bool:
        """Whether there is no problem."""
        return not self.problems
