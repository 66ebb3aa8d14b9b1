"""The answer of a query as the page shows it: a grid of texts, and a chart where there is something to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from event_pipeline.api.dashboard.charts import Chart, Series
from event_pipeline.sql import Caps, Column, Query, Sandbox

ChartKind = Literal["auto", "line", "bar", "none"]

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "FLOAT", "DOUBLE", "DECIMAL")  # fmt: skip
_MIDNIGHT = "T00:00:00"
_TIMES = ("DATE", "TIMESTAMP")
_MOST_SERIES = 5
_MOST_POINTS = 1_000
_LONGEST = 500


@dataclass(frozen=True)
class Shown:
    """Rows as texts, None where a value is null; ``is_number`` says which columns are set to the right."""

    columns: list[Column]
    is_number: list[bool]
    rows: list[list[str | None]]
    truncated: bool
    milliseconds: float
    sql: str
    chart: Chart | None
    plan: str = ""


def shown(sandbox: Sandbox, query: Query, caps: Caps, kind: ChartKind) -> Shown:
    """The answer of that query. Raises QueryError."""
    with sandbox.stream(query, caps, "json") as result:
        rows = orjson.loads(b"[" + b"".join(result.chunks()).removesuffix(b",") + b"]")
    columns = result.columns
    _write_times(columns, rows)
    numbers = [column.type.startswith(_NUMBERS) and not column.type.endswith("]") for column in columns]
    return Shown(
        columns=columns,
        is_number=numbers,
        rows=[] if query.explain else [[_text(value) for value in row] for row in rows],
        truncated=result.truncated,
        milliseconds=result.milliseconds,
        sql=result.sql,
        chart=None if query.explain else _chart(columns, numbers, rows, kind),
        plan="\n".join(text for _, text in rows) if query.explain else "",
    )


def _write_times(columns: Sequence[Column], rows: list[list[Any]]) -> None:
    """Timestamps as people write them; those of a column that are all of midnight as days."""
    for place, column in enumerate(columns):
        if column.type.startswith("TIMESTAMP") and not column.type.endswith("]"):
            texts = [row[place] for row in rows if row[place] is not None]
            end = _MIDNIGHT if all(text.endswith(_MIDNIGHT) for text in texts) else ""
            for row in rows:
                row[place] = row[place] and row[place].removesuffix(end).replace("T", " ")


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _chart(columns: Sequence[Column], numbers: Sequence[bool], rows: list[list[Any]], kind: ChartKind) -> Chart | None:
    """Numbers over the first column that holds none, over the first one where all do."""
    if kind == "none" or not 2 <= len(rows) <= _MOST_POINTS or len(columns) < 2:
        return None
    label = numbers.index(False) if False in numbers else 0
    drawn = [place for place, is_number in enumerate(numbers) if is_number and place != label][:_MOST_SERIES]
    if not drawn:
        return None
    is_line = kind == "line" or (kind == "auto" and columns[label].type.startswith(_TIMES))
    series = [
        Series(columns[place].name, [_number(row[place]) for row in rows], "line" if is_line else "bar")
        for place in drawn
    ]
    names = ", ".join(one.name for one in series)
    labels = [_text(row[label]) or "" for row in rows]
    chart = Chart("result-chart", f"{names} by {columns[label].name}", columns[label].name, labels, series, "number")
    return None if chart.is_empty else chart


def _number(value: Any) -> float | None:
    """Numbers too long for JSON came as texts."""
    return None if value is None else float(value)
