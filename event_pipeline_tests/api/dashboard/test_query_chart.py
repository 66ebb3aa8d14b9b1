"""The chart that is drawn without being asked for shows amounts, never what tells rows apart."""

from __future__ import annotations

from typing import Any

import pytest

from event_pipeline.api.dashboard.query_results import ChartKind, chart_of
from event_pipeline.sql import Column


def drawn(columns: dict[str, str], rows: list[list[Any]], kind: ChartKind = "auto") -> tuple[str, list[str]] | None:
    """What names the points, and what is drawn."""
    chart = chart_of([Column(name, kind_of) for name, kind_of in columns.items()], rows, kind)
    return None if chart is None else (chart.label_name, [series.name for series in chart.series])


@pytest.mark.parametrize(
    "name",
    ["id", "event_id", "eventId", "ID", "user_key", "row_hash", "row_number", "rn", "S.No.", "year", "iso_week",
     "phone", "days_before_start", "snapshot", "postcode"],
)  # fmt: skip
def test_ids_row_numbers_and_years_are_not_drawn(name: str) -> None:
    rows = [["Run", 7, 31], ["Walk", 3, 12], ["Swim", 9, 55]]
    assert drawn({"title": "VARCHAR", name: "BIGINT", "registrations": "BIGINT"}, rows) == ("title", ["registrations"])
    assert drawn({"title": "VARCHAR", name: "BIGINT"}, [row[:2] for row in rows]) is None


def test_whole_numbers_that_count_the_rows_or_are_hashes_are_not_drawn() -> None:
    rows = [[f"e{n}", n, str(2**63 + n), n % 3 + 1] for n in range(1, 8)]
    columns = {"title": "VARCHAR", "n": "BIGINT", "h": "UBIGINT", "people": "BIGINT"}
    assert drawn(columns, rows) == ("title", ["people"])


def test_names_are_rather_on_the_axis_than_ids() -> None:
    columns = {"event_id": "VARCHAR", "title": "VARCHAR", "registrations": "BIGINT"}
    assert drawn(columns, [["-N1", "Run", 3], ["-N2", "Walk", 9]]) == ("title", ["registrations"])
    assert drawn({"event_id": "VARCHAR", "registrations": "BIGINT"}, [["-N1", 3], ["-N2", 9]]) == (
        "event_id",
        ["registrations"],
    )


def test_a_year_is_what_numbers_are_over() -> None:
    assert drawn({"registrations": "BIGINT", "year": "BIGINT"}, [[30, 2025], [12, 2026]]) == ("year", ["registrations"])


def test_what_somebody_asks_for_is_drawn_all_the_same() -> None:
    rows = [["Run", 7], ["Walk", 3]]
    assert drawn({"title": "VARCHAR", "year": "BIGINT"}, rows, "bar") == ("title", ["year"])
    assert drawn({"title": "VARCHAR", "year": "BIGINT"}, rows, "none") is None
