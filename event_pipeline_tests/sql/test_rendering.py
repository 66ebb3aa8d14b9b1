"""Every kind of value has one way to be written, in each shape."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from event_pipeline.sql import InvalidQueryError, Query, Sandbox
from event_pipeline.sql.query import Shape
from event_pipeline_tests.sql.conftest import Run

VALUES: list[tuple[str, Any]] = [
    ("NULL", None),
    ("true", True),
    ("42", 42),
    ("9007199254740992::HUGEINT", 9007199254740992),
    ("170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"),
    ("sum(2) FROM range(3)", 6),
    ("12.50::DECIMAL(6,2)", 12.5),
    ("'nan'::DOUBLE", None),
    ("'é\n\"x\"'", 'é\n"x"'),
    ("'\\xFF\\x00'::BLOB", "ff00"),
    ("DATE '2026-01-31'", "2026-01-31"),
    ("TIMESTAMP '2026-01-31 10:00:00.5'", "2026-01-31T10:00:00.500000"),
    ("TIMESTAMPTZ '2026-01-31 10:00:00+05:30'", "2026-01-31T04:30:00Z"),
    ("'2026-01-31 10:00:00.123456789'::TIMESTAMP_NS", "2026-01-31T10:00:00.123456"),
    ("TIME '10:00'", "10:00:00"),
    ("INTERVAL '14 months 2 days 3.5 seconds'", "P14M2DT3.5S"),
    ("INTERVAL 0 DAY", "P0D"),
    ("-INTERVAL 90 MINUTES", "PT-5400S"),
    ("[1, NULL]", [1, None]),
    ("{'a': 1, 'b': [36893488147419103232::HUGEINT]}", {"a": 1, "b": ["36893488147419103232"]}),
    ("MAP {'k': 1}", [["k", 1]]),
    ("'a'::ENUM('a', 'b')", "a"),
    ("'5e2b8f5a-0000-4000-8000-000000000001'::UUID", "5e2b8f5a-0000-4000-8000-000000000001"),
    ("'{\"a\": 1}'::JSON", '{"a": 1}'),
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), VALUES)
def test_a_value_is_written_as(run: Run, written: str, expected: Any) -> None:
    assert run(f"SELECT {written}") == [[expected]]


@pytest.mark.parametrize("written", ["'infinity'::DATE", "DATE '300000-01-01'", "'101'::BIT", "TIMETZ '10:00:00+02'"])
def test_what_cannot_be_written_is_refused_with_the_way_out(run: Run, written: str) -> None:
    with pytest.raises(InvalidQueryError, match="cast it to VARCHAR"):
        run(f"SELECT {written} AS value")
    assert run(f"SELECT ({written})::VARCHAR")


def _text(sandbox: Sandbox, sql: str, shape: Shape) -> str:
    with sandbox.stream(Query(sql), None, shape) as result:
        return b"".join(result.chunks()).decode()


def test_lines_of_csv_do_not_run_in_a_spreadsheet(sandbox: Sandbox) -> None:
    sql = "SELECT '=1+1' AS \"=x\", '@a' AS b, '-5' AS c, '-a' AS d, NULL AS e, 'a,\"b' AS f, [1, 2] AS g, true AS h"
    assert _text(sandbox, sql, "csv").splitlines() == [
        "'=x,b,c,d,e,f,g,h",
        '\'=1+1,\'@a,-5,\'-a,,"a,""b","[1,2]",true',
    ]


def test_a_csv_without_rows_has_its_head(sandbox: Sandbox) -> None:
    assert _text(sandbox, "SELECT event_id, title FROM dim_events LIMIT 0", "csv") == "event_id,title\r\n"


def test_columns_of_one_name_are_all_kept(sandbox: Sandbox) -> None:
    (line,) = _text(sandbox, "SELECT 1 AS x, 2 AS x, 3 AS x_2", "ndjson").splitlines()
    assert sorted(orjson.loads(line).values()) == [1, 2, 3]
