"""The answer of a query as the page shows it: a grid of texts, and a chart where there is something to draw."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_ROW_NUMBERS = 5
"""So many whole numbers, each one more than the one before, number the rows."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_IDENTIFIES = re.compile(
    r"(^|_)(ids?|uid|uuid|guid|rowid|oid|pk|fk|key|hash|checksum|code|phone|mobile|pin|pincode|postcode|zip"
    r"|version|snapshot)$"
)
_ORDERS = re.compile(
    r"(^|_)(rn|row|rownum|row_num|row_number|row_no|s_no|sno|serial|rank|dense_rank|position|place|index|idx|ordinal"
    r"|year|quarter|month|week|iso_week|weekday|day|day_of_week|day_of_year|dow|hour|minute)$"
    r"|(^|_)(days|weeks|months|minutes)_(before|after|since|from)(_|$)|^year_|^lead_time"
)


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
    return Shown(
        columns=columns,
        is_number=_are_numbers(columns),
        rows=[] if query.explain else [[_text(value) for value in row] for row in rows],
        truncated=result.truncated,
        milliseconds=result.milliseconds,
        sql=result.sql,
        chart=None if query.explain else chart_of(columns, rows, kind),
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


def _are_numbers(columns: Sequence[Column]) -> list[bool]:
    return [column.type.startswith(_NUMBERS) and not column.type.endswith("]") for column in columns]


def chart_of(columns: Sequence[Column], rows: list[list[Any]], kind: ChartKind) -> Chart | None:
    """Amounts over the first column that says what a row is about; nothing where no number is an amount."""
    if kind == "none" or not 2 <= len(rows) <= _MOST_POINTS or len(columns) < 2:
        return None
    numbers = _are_numbers(columns)
    amounts = [is_number and not _names_a_row(columns, rows, place) for place, is_number in enumerate(numbers)]
    if kind != "auto" and True not in amounts:
        # Somebody asked for this chart.
        amounts = list(numbers)
    label = _label(columns, numbers, amounts)
    drawn = [place for place, is_amount in enumerate(amounts) if is_amount and place != label][:_MOST_SERIES]
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


def _label(columns: Sequence[Column], numbers: Sequence[bool], amounts: Sequence[bool]) -> int:
    """The first column of texts or times, rather one that is no id; else the first number that is no amount."""
    places = range(len(columns))
    texts = [place for place in places if not numbers[place]]
    named = [place for place in texts if not _IDENTIFIES.search(_words(columns[place].name))]
    others = [place for place in places if numbers[place] and not amounts[place]]
    return next(iter([*named, *texts, *others]), 0)


def _names_a_row(columns: Sequence[Column], rows: list[list[Any]], place: int) -> bool:
    """Whether numbers tell rows apart or say when they are of, instead of how much: ids, row numbers, years."""
    column = columns[place]
    words = _words(column.name)
    if _IDENTIFIES.search(words) or _ORDERS.search(words):
        return True
    if not column.type.startswith(_WHOLE):
        return False
    values = [row[place] for row in rows]
    # Whole numbers too long for JSON came as texts: those are hashes.
    if any(isinstance(value, str) for value in values):
        return True
    steps = {after - before for before, after in pairwise(values)} if None not in values else set()
    return len(values) >= _ROW_NUMBERS and steps == {1}


def _words(name: str) -> str:
    """A column's name in lower case with ``_`` between its words."""
    return _HUMP.sub("_", name).strip("_").lower()


def _number(value: Any) -> float | None:
    """Numbers too long for JSON came as texts."""
    return None if value is None else float(value)
