"""Queries written for other databases answer what they would there."""

from __future__ import annotations

from typing import Any

import pytest

from event_pipeline.sql import Dialect, InvalidQueryError, RefusedQueryError
from event_pipeline.sql.dialects import to_duckdb
from event_pipeline_tests.sql.conftest import Run

WRITTEN: list[tuple[Dialect, str, Any, list[list[Any]]]] = [
    ("sqlite", "SELECT strftime('%Y-%m', max(date)), sum(registrations) FROM agg_daily_metrics", (), [["2026-01", 55]]),
    ("sqlite", "SELECT count(*) FROM fact_registrations WHERE event_id = ?", ["e1"], [[30]]),
    ("sqlite", "SELECT ifnull(NULL, 'x'), 7 || ''", (), [["x", "7"]]),
    ("postgres", "SELECT to_char(max(date), 'YYYY-MM'), count(*)::int FROM agg_daily_metrics", (), [["2026-01", 10]]),
    ("postgres", "SELECT count(*) FROM fact_registrations WHERE event_id = $1", ["e2"], [[30]]),
    ("postgres", "SELECT string_agg(event_id, ',' ORDER BY event_id) FROM dim_events", (), [["e1,e2,e3"]]),
    ("bigquery", "SELECT COUNTIF(fee_minor > 100) FROM `core.dim_events`", (), [[2]]),
    ("bigquery", "SELECT FORMAT_DATE('%Y', MAX(date)) FROM `marts`.`agg_daily_metrics`", (), [["2026"]]),
    ("bigquery", "SELECT SAFE_DIVIDE(1, 0), IF(TRUE, 'a', 'b')", (), [[None, "a"]]),
    ("bigquery", "SELECT COUNT(*) FROM dim_events WHERE event_id = @id", {"id": "e1"}, [[1]]),
    ("sqlite", "SELECT count(*) FROM dim_events WHERE event_id = :id", {"id": "e1"}, [[1]]),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql", "params", "expected"), WRITTEN)
def test_a_query_of_another_database_runs(run: Run, dialect: Dialect, sql: str, params: Any, expected: Any) -> None:
    assert run(sql, params, dialect=dialect) == expected


@pytest.mark.parametrize("dialect", ["sqlite", "postgres", "bigquery"])
def test_other_dialects_open_nothing_more(run: Run, dialect: Dialect) -> None:
    for sql in ("DELETE FROM dim_events", "SELECT 1; SELECT 2", "ATTACH 'x' AS y", "PRAGMA table_info('x')"):
        with pytest.raises(InvalidQueryError):
            run(sql, dialect=dialect)
    with pytest.raises(RefusedQueryError):
        run("SELECT * FROM read_text('/etc/passwd')", dialect=dialect)


def test_an_error_names_the_place_in_the_original() -> None:
    with pytest.raises(InvalidQueryError, match="postgres") as raised:
        to_duckdb("SELECT 1\nFROM (SELECT", "postgres")
    assert raised.value.line == 2


def test_nesting_without_end_is_an_error_of_the_query() -> None:
    with pytest.raises(InvalidQueryError):
        to_duckdb("SELECT " + "(" * 5_000 + "1" + ")" * 5_000, "postgres")
