"""The Realtime Database source against a local server that speaks its REST protocol: backfill, sweeps, documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from event_pipeline.errors import PermanentError
from event_pipeline.settings import Firebase
from event_pipeline.sources.realtime_database import RealtimeDatabaseSource
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.realtime_database_server import RealtimeDatabase
from event_pipeline_tests.sources.memory_lake import MemoryLake, ids_of
from event_pipeline_tests.sources.realtime_organisation import ago, registrations


@pytest.fixture
def source(realtime_source: RealtimeDatabaseSource) -> RealtimeDatabaseSource:
    return realtime_source


class TestBackfill:
    def test_reads_every_page_and_then_nothing_new(self, source, database, lake):
        database.data["registrations"] = registrations(11, days=30)

        assert ids_of(lake.poll(source, "registrations")) == sorted(registrations(11, days=0))
        assert lake.poll(source, "registrations") == []

    def test_resumes_in_the_middle(self, source, database, lake):
        database.data["registrations"] = registrations(11, days=30)

        first = lake.poll(source, "registrations", batches=1)
        rest = lake.poll(source, "registrations")

        assert ids_of(first) == ["-r00", "-r01", "-r02", "-r03"]
        assert ids_of(rest) == [f"-r{i:02d}" for i in range(4, 11)]

    def test_absent_collection_is_empty(self, source, lake):
        assert lake.poll(source, "tags") == []

    @pytest.mark.parametrize("count", [1, 4, 5, 9])
    def test_integer_keys_that_arrive_as_arrays_keep_their_ids(self, source, database, lake, count):
        database.data["categories"] = {str(i): {"name": f"C{i}", "updated_at": ago(seconds=0)} for i in range(count)}

        lake.poll(source, "categories")

        assert lake.ids("categories") == [str(i) for i in range(count)]
        database.data["categories"]["0"]["name"] = "edited"
        database.data["categories"]["0"]["updated_at"] = ago(seconds=0)
        assert ids_of(lake.poll(source, "categories")) == ["0"]

    def test_keys_with_characters_that_mean_something_in_addresses(self, source, database, lake):
        keys = ["a&b", "a+b", "a%26b", "a b", 'a"b', "a\\b", "a?b=c", "ünï📅", "\U0010ffff", "\ufffd", "007", "7", "-3"]
        database.data["tags"] = {key: {"name": key, "updated_at": ago(days=1)} for key in keys}

        assert ids_of(lake.poll(source, "tags")) == sorted(keys)
        assert lake.reconcile(source, "tags") == []

    def test_answers_above_the_limit_are_asked_for_in_smaller_pages(self, source, database, lake):
        database.largest_answer = 30_000
        database.data["clubs"] = {f"c{i}": {"text": "x" * 10_000} for i in range(9)}

        assert len(lake.poll(source, "clubs")) == 9

    def test_document_above_the_limit_is_named(self, source, database, lake):
        database.largest_answer = 30_000
        database.data["clubs"] = {"a": {"name": "x"}, "b": {"text": "x" * 40_000}}

        with pytest.raises(PermanentError, match="Firebase console"):
            lake.poll(source, "clubs")


class TestSweep:
    def test_edit_is_seen_once(self, source, database, lake):
        database.data["registrations"] = registrations(9, days=3)
        lake.poll(source, "registrations")

        database.data["registrations"]["-r03"] |= {"status": "cancelled", "updated_at": ago(seconds=0)}

        assert ids_of(lake.poll(source, "registrations")) == ["-r03"]
        assert lake.poll(source, "registrations") == []

    def test_sweep_does_not_read_what_is_old(self, source, database, lake):
        database.data["registrations"] = registrations(9, days=3)
        lake.poll(source, "registrations")
        database.requests.clear()

        lake.poll(source, "registrations")

        assert ["orderBy=%22updated_at%22" in request for request in database.requests] == [True, True]

    def test_epoch_milliseconds_are_seen(self, source, database, lake):
        now = int(datetime.now(UTC).timestamp() * 1000)
        database.data["events"] = {"e1": {"title": "a", "updated_at": now}}
        lake.poll(source, "events")

        database.data["events"]["e2"] = {"title": "b", "updated_at": now + 1}

        assert ids_of(lake.poll(source, "events")) == ["e2"]

    @pytest.mark.parametrize("future", ["9999-12-31T00:00:00.000Z", "zzz", 9e14, 1e300, {"a": 1}, True])
    def test_value_of_the_far_future_does_not_blind(self, source, database, lake, future):
        database.data["registrations"] = {"hostile": {"updated_at": future}}
        lake.poll(source, "registrations")
        lake.poll(source, "registrations")

        database.data["registrations"]["honest"] = {"updated_at": ago(seconds=0)}

        assert ids_of(lake.poll(source, "registrations")) == ["honest"]

    def test_pages_go_on_among_equal_values(self, source, database, lake):
        lake.poll(source, "registrations")
        database.data["registrations"] = registrations(9, seconds=0)
        tied = ago(seconds=0)
        database.data["registrations"] |= {f"-t{i}": {"updated_at": tied} for i in range(7)}

        assert len(lake.poll(source, "registrations")) == 16
        assert lake.poll(source, "registrations") == []

    def test_more_equal_values_than_a_page_can_hold_are_read_by_key(self, source, database, lake):
        lake.poll(source, "registrations")
        tied = ago(seconds=0)
        database.data["registrations"] = {f"-t{i:03d}": {"updated_at": tied} for i in range(100)}

        lake.poll(source, "registrations")

        assert len(lake.ids("registrations")) == 100

    def test_without_an_index_everything_is_compared_until_there_is_one(self, database, waits, lake):
        clock = [datetime.now(UTC)]
        source = RealtimeDatabaseSource(Firebase(database_url=database.url, page_size=4), now=lambda: clock[0])
        database.indexes.clear()
        database.data["registrations"] = registrations(9, days=3)
        assert len(lake.poll(source, "registrations")) == 9
        database.requests.clear()

        database.data["registrations"]["-r05"]["status"] = "cancelled"
        clock[0] += timedelta(minutes=1)

        assert ids_of(lake.poll(source, "registrations")) == ["-r05"]
        assert not [request for request in database.requests if "updated_at" in request]
        database.indexes.add("updated_at")
        clock[0] += timedelta(hours=2)
        database.requests.clear()
        assert lake.poll(source, "registrations") == []
        assert all("updated_at" in request for request in database.requests)

    def test_index_removed_later_falls_back_in_the_same_poll(self, source, database, lake):
        database.data["registrations"] = registrations(9, days=3)
        lake.poll(source, "registrations")
        database.indexes.clear()
        database.data["registrations"]["-r05"]["status"] = "cancelled"

        assert ids_of(lake.poll(source, "registrations")) == ["-r05"]


_KEYS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters=".$#[]/"), min_size=1, max_size=6)
_VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.dictionaries(_KEYS, inner, min_size=1, max_size=4),
    max_leaves=8,
)


@settings(max_examples=scaled(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.dictionaries(_KEYS, _VALUES | st.fixed_dictionaries({"updated_at": _VALUES}), max_size=20))
def test_any_documents_survive_and_reconcile_to_the_same(
    source: RealtimeDatabaseSource, database: RealtimeDatabase, documents: dict[str, Any]
):
    lake = MemoryLake()
    database.data["registrations"] = documents

    lake.poll(source, "registrations")
    lake.poll(source, "registrations")

    assert lake.ids("registrations") == sorted(documents)
    assert lake.reconcile(source, "registrations") == []


def test_hostile_documents_survive(source, database, lake):
    hostile = {
        "megabyte": {"text": "x" * 1_000_000},
        "keys": {f"key {i}": i for i in range(10_000)},
        "nul": {"name": "c\x00d"},
        "bare": 5,
        "text": "just text",
        "array": [1, None, {"a": "b"}],
    }
    database.data["registrations"] = hostile

    assert ids_of(lake.poll(source, "registrations")) == sorted(hostile)
    assert lake.payload("registrations", "bare") == "5"
    assert len(lake.payload("registrations", "megabyte")) > 1_000_000
    assert lake.reconcile(source, "registrations") == []
