"""What checks leave behind in ops.data_quality."""

from __future__ import annotations

import json
from datetime import timedelta

import duckdb

from event_pipeline.contracts.ops import DATA_QUALITY, DIMENSIONS
from event_pipeline.quality.contract_check import check_contract
from event_pipeline.quality.gx_runner import check_table
from event_pipeline.quality.history import previous_row_counts, record_quality, row_count_history
from event_pipeline.quality.results import TableQuality
from event_pipeline.settings import Settings
from event_pipeline_tests.quality.conftest import CheckVisits, only_failure
from event_pipeline_tests.quality.visits import FORMS, NOW, PLACES, VISITS, form, store, visit


def test_each_table_leaves_a_row_per_dimension(
    connection: duckdb.DuckDBPyConnection, settings: Settings, check_visits: CheckVisits
) -> None:
    visits = check_visits(visit("v1", fee_minor=-1), visit("v2"))
    places = check_table(connection, settings, PLACES, now=NOW)
    assert record_quality(connection, settings, [visits, places], NOW) == 10
    assert check_contract(connection, DATA_QUALITY).is_successful
    rows = connection.execute(
        "SELECT dimension, score, expectations, failed, row_count, failed_expectations FROM warehouse.ops.data_quality "
        "WHERE table_name = 'core.fact_visits'"
    ).fetchall()
    by_dimension = {row[0]: row[1:] for row in rows}
    assert set(by_dimension) == set(DIMENSIONS)
    assert by_dimension["uniqueness"] == (1.0, 1, 0, 2, "[]")
    score, expectations, failed, _, broken = by_dimension["validity"]
    assert (score, expectations, failed) == (0.9, 5, 1)
    (entry,) = json.loads(broken)
    assert (entry["expectation"], entry["column"], entry["unexpected_count"]) == ("range", "fee_minor", 1)
    timeliness = connection.execute(
        "SELECT score FROM warehouse.ops.data_quality WHERE table_name = 'core.dim_places' AND dimension = 'timeliness'"
    ).fetchone()
    assert timeliness == (None,)


def test_history_holds_nothing_of_the_private_rows(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    store(connection, FORMS, [form("asha@example.org", "call me on 9876543210")])
    quality = check_table(connection, settings, FORMS, now=NOW)
    assert "9876543210" in only_failure(quality).message
    record_quality(connection, settings, [quality], NOW)
    recorded = str(connection.execute("SELECT * FROM warehouse.ops.data_quality").fetchall())
    assert "9876543210" not in recorded
    assert "asha" not in recorded


def test_recording_again_appends_nothing(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    quality = TableQuality("core.dim_places", 3, ())
    assert record_quality(connection, settings, [quality], NOW) == 5
    assert record_quality(connection, settings, [quality], NOW) == 0
    assert record_quality(connection, settings, [quality], NOW + timedelta(seconds=1)) == 5
    assert record_quality(connection, settings, [], NOW) == 0


def test_latest_ten_counts_come_newest_first(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    assert previous_row_counts(connection, "core.dim_places") == ()
    for hour in range(12):
        tables = [TableQuality("core.dim_places", hour, ()), TableQuality("core.fact_visits", 100, ())]
        record_quality(connection, settings, tables, NOW + timedelta(hours=hour))
    assert previous_row_counts(connection, "core.dim_places") == tuple(range(11, 1, -1))
    assert previous_row_counts(connection, "core.dim_events") == ()
    assert row_count_history(connection, ["core.dim_places", "core.fact_visits"], limit=2) == {
        "core.dim_places": (11, 10),
        "core.fact_visits": (100, 100),
    }


def test_volume_is_compared_with_what_was_recorded(
    connection: duckdb.DuckDBPyConnection, settings: Settings, check_visits: CheckVisits
) -> None:
    before = check_visits(*(visit(f"v{n}") for n in range(6)))
    record_quality(connection, settings, [before], NOW)
    connection.execute(f"DELETE FROM {VISITS.qualified} WHERE visit_id > 'v1'")
    after = check_table(connection, settings, VISITS, now=NOW)
    assert only_failure(after).expectation == "volume"
