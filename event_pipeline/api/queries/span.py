"""The days between which figures are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from event_pipeline.api.answers.analytics import Period

DAYS: Mapping[Period, int] = {"today": 1, "week": 7, "month": 30, "year": 365}
"""How many days each period has, today included."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days from first to last, both included; everything, undated things too, when there is no first."""

    first: date | None
    last: date

    @property
    def before(self) -> Span | None:
        """The equally many days before."""
        if self.first is None:
            return None
        return Span(self.first - (self.last - self.first) - timedelta(days=1), self.first - timedelta(days=1))

    @property
    def whole(self) -> Span | None:
        """As many days up to the day before the last, which is not over; None of a day or of everything."""
        if self.first is None or self.first == self.last:
            return None
        return Span(self.first - timedelta(days=1), self.last - timedelta(days=1))

    @property
    def days(self) -> dict[str, date | None]:
        """As parameters of a query."""
        return {"first": self.first, "last": self.last}


def span_of(period: Period, today: date) -> Span:
    """The days of a period that ends today."""
    return Span(today - timedelta(days=DAYS[period] - 1) if period in DAYS else None, today)
