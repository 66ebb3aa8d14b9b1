"""Each kind of broken promise is found by the expectation that stands for it, in a real lake."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.ops import DIMENSIONS
from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.contracts.staging import STAGING_FIREBASE
from event_pipeline.contracts.stream import STREAM_STATUS
from event_pipeline.errors import PipelineError
from event_pipeline.quality.gx_runner import check_table
from event_pipeline.settings import Settings
from event_pipeline_tests.quality.conftest import CheckVisits, only_failure
from event_pipeline_tests.quality.visits import NOW, PLACES, VISITS, store, visit


def test_sound_table_keeps_every_promise(check_visits: CheckVisits) -> None:
    quality = check_visits(visit("v1"), visit("v2", place_id=None, day=None, note=None))
    assert quality.is_successful
    assert quality.row_count == 2
    assert dict(quality.scores) == dict.fromkeys(DIMENSIONS, 1.0)
    assert len(quality.outcomes) == 13
    assert {o.evaluated_count for o in quality.outcomes if o.expectation in ("range", "not_null", "unique_key")} == {2}


def test_empty_table_keeps_every_promise(check_visits: CheckVisits) -> None:
    quality = check_visits()
    assert quality.is_successful
    assert quality.row_count == 0
    assert dict(quality.scores) == dict.fromkeys(DIMENSIONS, 1.0)


@pytest.mark.parametrize(
    ("changed", "expectation", "dimension", "shown"),
    [
        ({"fee_minor": None}, "not_null", "completeness", "fee_minor=null"),
        ({"state": "half"}, "allowed", "validity", 'state="half"'),
        ({"fee_minor": -1}, "range", "validity", "fee_minor=-1"),
        ({"rating": 1.5}, "range", "validity", "rating=1.5"),
        ({"rating": float("nan")}, "range", "validity", "rating=nan"),
        ({"note": "eleven long"}, "too_long", "validity", 'note="eleven long"'),
        ({"place_id": "gone"}, "references", "consistency", 'place_id="gone"'),
    ],
)
def test_broken_row_is_found_counted_and_shown(
    check_visits: CheckVisits, changed: dict, expectation: str, dimension: str, shown: str
) -> None:
    quality = check_visits(visit("v1"), visit("v2"), visit("v3", **changed), visit("v4"))
    failure = only_failure(quality)
    assert (failure.expectation, failure.dimension, failure.severity) == (expectation, dimension, "error")
    assert failure.column == next(iter(changed))
    assert (failure.unexpected_count, failure.evaluated_count) == (1, 4)
    assert failure.sample == (f'visit_id="v3", day=2025-06-09, {shown}',)
    assert "broken by 1 of 4" in failure.message
    assert "To do: " in failure.message
    peers = quality.of(dimension)
    assert quality.scores[dimension] == pytest.approx((len(peers) - 0.25) / len(peers))
    assert {score for name, score in quality.scores.items() if name != dimension} == {1.0}


def test_text_of_many_bytes_is_measured_in_characters(check_visits: CheckVisits) -> None:
    assert check_visits(visit("v1", note="दससदससदसस🎉")).is_successful


def test_allowed_words_may_hold_quotes_and_percent_signs(check_visits: CheckVisits) -> None:
    assert check_visits(visit("v1", state='it\'s 100 %: "odd"')).is_successful


def test_repeated_key_is_counted_by_surplus_rows(check_visits: CheckVisits) -> None:
    failure = only_failure(check_visits(visit("v1"), visit("v1"), visit("v1"), visit("v1", day=None), visit("v2")))
    assert (failure.expectation, failure.dimension) == ("unique_key", "uniqueness")
    assert (failure.unexpected_count, failure.evaluated_count) == (2, 5)
    assert failure.sample == ('visit_id="v1", day=2025-06-09, rows="3"',)


def test_unknown_parts_of_a_key_repeat_like_known_ones(check_visits: CheckVisits) -> None:
    failure = only_failure(check_visits(visit("v1", day=None), visit("v1", day=None)))
    assert failure.expectation == "unique_key"
    assert failure.sample == ('visit_id="v1", day=null, rows="2"',)


def test_deleted_and_corrected_rows_no_longer_count(
    check_visits: CheckVisits, connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    assert len(check_visits(visit("v1", fee_minor=None), visit("v2", fee_minor=-5), visit("v3")).failed) == 2
    connection.execute(f"DELETE FROM {VISITS.qualified} WHERE visit_id = 'v1'")
    connection.execute(f"UPDATE {VISITS.qualified} SET fee_minor = 5 WHERE visit_id = 'v2'")
    corrected = check_table(connection, settings, VISITS, now=NOW)
    assert corrected.is_successful
    assert corrected.row_count == 2


def test_stale_table_is_a_warning_that_shows_its_newest_row(
    connection: duckdb.DuckDBPyConnection, settings: Settings, check_visits: CheckVisits
) -> None:
    check_visits(visit("v1"), visit("v2", seen_at="2025-06-01T00:00:00Z"))
    last_hour = NOW + timedelta(hours=46)
    assert check_table(connection, settings, VISITS, now=last_hour).is_successful
    stale = check_table(connection, settings, VISITS, now=last_hour + timedelta(seconds=1))
    failure = only_failure(stale)
    assert (failure.expectation, failure.severity) == ("fresh", "warning")
    assert failure.sample == ('seen_at=2025-06-10 10:00:00+00, last_heard="2025-06-10 10:00:00+00"',)
    assert stale.scores["timeliness"] == 0.0


@pytest.mark.parametrize(
    ("kept", "row", "is_fresh"),
    [
        (SOURCE_STATE, {"source": "export", "state": "ok"}, True),
        (SOURCE_STATE, {"source": "firestore", "collection": "clubs", "state": "ok"}, True),
        (SOURCE_STATE, {"source": "firestore", "state": "refused"}, False),
        (SOURCE_STATE, {"source": "inbox", "state": "ok"}, False),
        (STREAM_STATUS, {"source": "realtime_database", "state": "live"}, True),
        (STREAM_STATUS, {"source": "realtime_database", "state": "stopped"}, False),
    ],
)
def test_table_nothing_changes_in_is_fresh_while_its_source_is_looked_at(
    connection: duckdb.DuckDBPyConnection, settings: Settings, kept: Contract, row: dict[str, str], is_fresh: bool
) -> None:
    clubs = STAGING_FIREBASE["clubs"]
    store(connection, clubs, [{"club_id": "c1", "version_at": "2024-01-01T00:00:00Z"}])
    at = {name: NOW.isoformat() for name in ("changed_at", "read_at", "written_at") if name in kept.column_names}
    store(connection, kept, [{"collection": "*", **row, **at}])
    within = NOW + timedelta(hours=settings.validation.freshness_hours)
    assert check_table(connection, settings, clubs, now=within).scores["timeliness"] == float(is_fresh)
    later = check_table(connection, settings, clubs, now=within + timedelta(seconds=1))
    assert later.scores["timeliness"] == 0.0


def test_fallen_row_count_is_a_warning(
    connection: duckdb.DuckDBPyConnection, settings: Settings, check_visits: CheckVisits
) -> None:
    check_visits(visit("v1"), visit("v2"))
    assert check_table(connection, settings, VISITS, now=NOW, previous=(4, 4, 100)).is_successful
    failure = only_failure(check_table(connection, settings, VISITS, now=NOW, previous=(5, 6, 6)))
    assert (failure.expectation, failure.dimension, failure.severity) == ("volume", "completeness", "warning")
    assert (failure.unexpected_count, failure.evaluated_count) == (1, 3)
    assert failure.sample == ('rows="2"',)


def test_emptied_table_falls_below_its_history(
    connection: duckdb.DuckDBPyConnection, settings: Settings, check_visits: CheckVisits
) -> None:
    check_visits()
    failure = only_failure(check_table(connection, settings, VISITS, now=NOW, previous=(10,)))
    assert failure.expectation == "volume"


def test_missing_table_has_one_outcome_that_says_so(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    quality = check_table(connection, settings, VISITS, now=NOW)
    assert only_failure(quality).sample == ("warehouse.core.fact_visits does not exist",)
    assert quality.scores["consistency"] == 0.0
    assert quality.scores["validity"] is None


def test_changed_columns_are_named_and_the_others_still_checked(
    connection: duckdb.DuckDBPyConnection, settings: Settings, check_visits: CheckVisits
) -> None:
    check_visits(visit("v1", fee_minor=-1))
    connection.execute(f"ALTER TABLE {VISITS.qualified} DROP COLUMN state")
    connection.execute(f"ALTER TABLE {VISITS.qualified} DROP COLUMN rating")
    connection.execute(f"ALTER TABLE {VISITS.qualified} ADD COLUMN rating VARCHAR")
    connection.execute(f"ALTER TABLE {VISITS.qualified} ADD COLUMN extra VARCHAR")
    quality = check_table(connection, settings, VISITS, now=NOW)
    assert {outcome.expectation for outcome in quality.failed} == {"columns_as_declared", "range"}
    schema = next(outcome for outcome in quality.failed if outcome.expectation == "columns_as_declared")
    assert set(schema.sample) == {"state is missing", "rating is VARCHAR instead of DOUBLE", "extra is not declared"}


def test_references_to_a_missing_table_are_broken_not_an_error(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    store(connection, VISITS, [visit("v1"), visit("v2", place_id=None)])
    failure = only_failure(check_table(connection, settings, VISITS, now=NOW))
    assert (failure.expectation, failure.unexpected_count) == ("references", 1)


def test_rows_are_read_as_committed_and_the_callers_transaction_is_left_alone(
    connection: duckdb.DuckDBPyConnection, settings: Settings, check_visits: CheckVisits
) -> None:
    check_visits(visit("v1"))
    connection.execute("BEGIN TRANSACTION")
    store(connection, VISITS, [visit("v2", fee_minor=-1)])
    assert check_table(connection, settings, VISITS, now=NOW, previous=()).row_count == 1
    connection.execute("COMMIT")
    assert check_table(connection, settings, VISITS, now=NOW).row_count == 2


def test_broken_rows_are_found_in_files_and_forgotten_when_deleted(
    connection: duckdb.DuckDBPyConnection, settings: Settings, check_visits: CheckVisits
) -> None:
    check_visits(visit("v1"))
    _store_in_files(connection)
    assert check_table(connection, settings, VISITS, now=NOW).is_successful
    _store_in_files(connection, prefix="null", fee_minor="NULL")
    _store_in_files(connection, prefix="low", fee_minor="i - 1")
    broken = check_table(connection, settings, VISITS, now=NOW)
    assert {(o.expectation, o.unexpected_count) for o in broken.failed} == {("not_null", 3000), ("range", 1)}
    connection.execute(f"DELETE FROM {VISITS.qualified} WHERE fee_minor IS NULL OR fee_minor < 0")
    mended = check_table(connection, settings, VISITS, now=NOW)
    assert mended.is_successful
    assert mended.row_count == 6000


def test_query_that_fails_is_an_error_not_a_verdict(
    connection: duckdb.DuckDBPyConnection, settings: Settings, check_visits: CheckVisits
) -> None:
    check_visits(visit("v1"))
    _store_in_files(connection)
    files = list(settings.data_dir.rglob("*.parquet"))
    assert files, "rows stayed in the catalog"
    for file in files:
        file.unlink()
    with pytest.raises(PipelineError, match=r"core\.fact_visits could not be checked"):
        check_table(connection, settings, VISITS, now=NOW, previous=())


def _store_in_files(connection: duckdb.DuckDBPyConnection, prefix: str = "more", fee_minor: str = "i") -> None:
    """Three thousand copies of the visit v1, too many to be kept in the catalog itself."""
    connection.execute(
        f"INSERT INTO {VISITS.qualified} "
        f"SELECT fact_visits.* REPLACE ('{prefix}' || i AS visit_id, {fee_minor} AS fee_minor) "
        f"FROM {VISITS.qualified}, range(3000) AS numbers(i) WHERE visit_id = 'v1'"
    )


def test_dimension_without_promises_has_no_score(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    store(connection, PLACES, [{"place_id": "p1"}])
    scores = check_table(connection, settings, PLACES, now=NOW).scores
    assert scores["timeliness"] is None
    assert scores["uniqueness"] == 1.0
