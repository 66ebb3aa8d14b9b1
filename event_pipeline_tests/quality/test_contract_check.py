"""The blocking check: cheap, plain SQL, and clear about what is wrong."""

from __future__ import annotations

import duckdb
import pytest

from event_pipeline.quality.contract_check import check_contract
from event_pipeline_tests.quality.visits import PLACES, VISITS, store, visit


def test_sound_table_may_be_built_upon(connection: duckdb.DuckDBPyConnection) -> None:
    store(connection, VISITS, [visit("v1"), visit("v2", day=None)])
    result = check_contract(connection, VISITS)
    assert result.is_successful
    assert result.row_count == 2


def test_empty_table_may_be_built_upon(connection: duckdb.DuckDBPyConnection) -> None:
    store(connection, PLACES)
    assert check_contract(connection, PLACES).is_successful


def test_missing_table_blocks(connection: duckdb.DuckDBPyConnection) -> None:
    (problem,) = check_contract(connection, PLACES).problems
    assert problem.startswith("warehouse.core.dim_places does not exist. To do: ")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([visit("v1", seen_at=None)], 'by 1 of 1 rows that seen_at is filled in: visit_id="v1", day=2025-06-09, seen'),
        ([visit("v1"), visit("v1")], "by 1 of 2 rows that visit_id, day identifies one row per visit and day"),
    ],
)
def test_broken_key_or_required_column_blocks(connection: duckdb.DuckDBPyConnection, rows: list, problem: str) -> None:
    store(connection, VISITS, rows)
    (found,) = check_contract(connection, VISITS).problems
    assert problem in found
    assert "To do: " in found


def test_what_is_merely_invalid_does_not_block(connection: duckdb.DuckDBPyConnection) -> None:
    store(connection, VISITS, [visit("v1", fee_minor=-1, state="half", place_id="gone")])
    assert check_contract(connection, VISITS).is_successful


def test_changed_columns_block(connection: duckdb.DuckDBPyConnection) -> None:
    store(connection, VISITS, [visit("v1")])
    connection.execute(f"ALTER TABLE {VISITS.qualified} DROP COLUMN visit_id")
    (problem,) = check_contract(connection, VISITS).problems
    assert "has the 9 columns its contract declares: visit_id is missing. To do: " in problem
