"""Charts as data: what the browser draws, and the table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import orjson

from event_pipeline.api.dashboard.formats import Formats

Unit = Literal["count", "money", "share", "number"]
"""Money is in minor units, shares are 0 to 1, numbers may be fractions."""


@dataclass(frozen=True)
class Series:
    """One line or set of bars, a value a label; None where there is none. ``is_reference`` is drawn back and dashed.

    ``partial`` are the places of values that are not of a whole day, week or month: dashed, or pale where it is a bar.
    """

    name: str
    values: Sequence[float | None]
    kind: Literal["line", "area", "bar"] = "line"
    is_reference: bool = False
    partial: Sequence[int] = ()


@dataclass(frozen=True)
class Mark:
    """A line across the chart: at a label (``at``) or at a value (``level``)."""

    name: str
    at: str | None = None
    level: float | None = None


@dataclass(frozen=True)
class Chart:
    """A chart; ``label_name`` heads the column of its labels, ``summary`` says in a sentence what is to be seen."""

    chart_id: str
    title: str
    label_name: str
    labels: Sequence[str]
    series: Sequence[Series]
    unit: Unit = "count"
    summary: str = ""
    marks: Sequence[Mark] = field(default=())
    height: Literal["short", "normal", "tall"] = "normal"
    label_every: int = 0
    """Labels that are numbers: those that this divides are written; 0 lets the browser choose."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for series in self.series for value in series.values)

    @property
    def json(self) -> str:
        """What the browser's script reads; safe inside a script element."""
        drawn = {
            "labels": self.labels,
            "unit": self.unit,
            "every": self.label_every,
            "series": [
                {
                    "name": one.name,
                    "values": one.values,
                    "kind": one.kind,
                    "reference": one.is_reference,
                    "partial": list(one.partial),
                }
                for one in self.series
            ],
            "marks": [{"name": mark.name, "at": mark.at, "level": mark.level} for mark in self.marks],
        }
        return orjson.dumps(drawn).decode().replace("<", "\\u003c")

    def rows(self, formats: Formats) -> list[list[str]]:
        """The table: each label with its values as they are written."""
        columns = [[self._written(value, formats) for value in series.values] for series in self.series]
        return [list(row) for row in zip(self.labels, *columns, strict=True)]

    def _written(self, value: float | None, formats: Formats) -> str:
        if value is None:
            return "–"
        if self.unit == "money":
            return formats.minor(round(value))
        return formats.share(value, 1) if self.unit == "share" else formats.number(value)
