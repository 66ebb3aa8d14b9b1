"""The Firestore source on Google's emulator: backfill, sweeps and hostile documents."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from event_pipeline.settings import Firebase
from event_pipeline.sources.change import epoch_micros
from event_pipeline.sources.firestore import FirestoreSource
from event_pipeline_tests.sources.firestore_organisation import ago, iso, put, registrations, source_of
from event_pipeline_tests.sources.memory_lake import ids_of

if TYPE_CHECKING:
    from google.cloud.firestore import Client

pytestmark = pytest.mark.emulator


@pytest.fixture
def source(firestore_client: Client) -> FirestoreSource:
    return source_of(firestore_client)


class TestBackfill:
    def test_reads_every_page_and_then_nothing_new(self, source: FirestoreSource, firestore_client: Client, lake):
        put(firestore_client, "registrations", **registrations(11, ago(days=30)))

        assert ids_of(lake.poll(source, "registrations")) == [f"r{i:02d}" for i in range(11)]
        assert lake.poll(source, "registrations") == []

    def test_resumes_in_the_middle(self, source: FirestoreSource, firestore_client: Client, lake):
        put(firestore_client, "registrations", **registrations(11, ago(days=30)))

        first = lake.poll(source, "registrations", batches=1)
        rest = lake.poll(source_of(firestore_client), "registrations")

        assert ids_of(first) == ["r00", "r01", "r02", "r03"]
        assert ids_of(rest) == [f"r{i:02d}" for i in range(4, 11)]

    def test_write_behind_a_running_backfill_is_seen_by_the_sweep(
        self, source: FirestoreSource, firestore_client: Client, lake
    ):
        put(firestore_client, "registrations", **registrations(6, ago(days=30)))
        lake.poll(source, "registrations", batches=1)

        put(firestore_client, "registrations", r00={"participant_name": "edited", "updated_at": ago(seconds=0)})
        put(firestore_client, "registrations", a={"participant_name": "behind", "updated_at": ago(seconds=0)})

        assert {"r00", "a"} <= set(ids_of(lake.poll(source, "registrations")))

    def test_versions_are_the_exact_update_times(self, source: FirestoreSource, firestore_client: Client, lake):
        put(firestore_client, "clubs", c1={"name": "Robotics"})
        updated = firestore_client.collection("clubs").document("c1").get().update_time
        assert updated is not None

        (change,) = lake.poll(source, "clubs")

        assert int(change["version"][:17]) == epoch_micros(updated)
        assert epoch_micros(change["source_updated_at"]) == epoch_micros(updated)
        assert change["observed_at"] >= change["source_updated_at"]

    def test_empty_collection_leaves_a_cursor_to_sweep_from(
        self, source: FirestoreSource, firestore_client: Client, lake
    ):
        assert lake.poll(source, "tags") == []
        put(firestore_client, "tags", t1={"name": "AI", "updated_at": ago(seconds=0)})
        assert ids_of(lake.poll(source, "tags")) == ["t1"]


class TestSweep:
    def test_edit_is_seen_once(self, source: FirestoreSource, firestore_client: Client, lake):
        put(firestore_client, "registrations", **registrations(5, ago(days=3)))
        lake.poll(source, "registrations")

        put(firestore_client, "registrations", r03={"status": "cancelled", "updated_at": ago(seconds=0)})

        assert ids_of(lake.poll(source, "registrations")) == ["r03"]
        assert json.loads(lake.payload("registrations", "r03"))["status"] == "cancelled"
        assert lake.poll(source, "registrations") == []

    @pytest.mark.parametrize("write", [iso, lambda now: now, lambda now: int(now.timestamp() * 1000)])
    def test_each_type_of_updated_at_is_seen(self, source: FirestoreSource, firestore_client: Client, lake, write):
        put(firestore_client, "events", e1={"title": "before", "updated_at": write(datetime.now(UTC))})
        lake.poll(source, "events")

        put(firestore_client, "events", e1={"title": "after", "updated_at": write(datetime.now(UTC))})
        put(firestore_client, "events", e2={"title": "new", "updated_at": write(datetime.now(UTC))})

        assert ids_of(lake.poll(source, "events")) == ["e1", "e2"]
        assert lake.poll(source, "events") == []

    @pytest.mark.parametrize(
        "future",
        [
            "9999-12-31T23:59:59.999Z",
            datetime(9999, 12, 31, tzinfo=UTC),
            9e15,
            float("inf"),
            "zzz",
            "2999" + "x" * 3000,
        ],
    )
    def test_value_of_the_far_future_does_not_blind(
        self, source: FirestoreSource, firestore_client: Client, lake, future
    ):
        put(firestore_client, "registrations", hostile={"updated_at": future})
        lake.poll(source, "registrations")
        put(firestore_client, "registrations", hostile={"updated_at": future, "again": 1})
        lake.poll(source, "registrations")

        put(firestore_client, "registrations", honest={"updated_at": ago(seconds=0)})

        assert "honest" in ids_of(lake.poll(source, "registrations"))

    def test_wrong_clocks_cost_at_most_a_page(self, source: FirestoreSource, firestore_client: Client, lake):
        put(firestore_client, "registrations", **registrations(12, "9999-01-01T00:00:00.000Z"))
        lake.poll(source, "registrations")

        for document in (edited := registrations(12, "9999-01-01T00:00:00.000Z")).values():
            document["status"] = "attended"
        put(firestore_client, "registrations", **edited)

        assert len(lake.poll(source, "registrations")) == 4
        assert len(lake.reconcile(source, "registrations")) == 8

    def test_clock_within_the_overlap_behind_is_seen(self, source: FirestoreSource, firestore_client: Client, lake):
        put(firestore_client, "registrations", a={"updated_at": ago(seconds=0)})
        lake.poll(source, "registrations")

        put(firestore_client, "registrations", late={"updated_at": ago(minutes=4)})

        assert ids_of(lake.poll(source, "registrations")) == ["late"]

    def test_many_pages_of_one_instant_are_read_even_when_stopped_after_each(
        self, source: FirestoreSource, firestore_client: Client, lake
    ):
        lake.poll(source, "registrations")
        put(firestore_client, "registrations", **registrations(11, ago(seconds=0)))

        seen = [ids_of(lake.poll(source, "registrations", batches=1)) for _ in range(3)]

        assert [key for keys in seen for key in keys] == [f"r{i:02d}" for i in range(11)]


class TestDocuments:
    def test_native_values_keep_their_meaning(self, source: FirestoreSource, firestore_client: Client, lake):
        from google.cloud.firestore import GeoPoint

        put(
            firestore_client,
            "events",
            e1={
                "start_date": datetime(2025, 6, 8, 2, 55, 0, 123456, tzinfo=UTC),
                "place": GeoPoint(24.75, 92.79),
                "poster": b"\x00\xff",
                "club": firestore_client.collection("clubs").document("c1"),
                "fees": [1.5, float("nan"), float("-inf"), None, True],
            },
        )

        lake.poll(source, "events")

        assert json.loads(lake.payload("events", "e1")) == {
            "start_date": "2025-06-08T02:55:00.123456Z",
            "place": {"latitude": 24.75, "longitude": 92.79},
            "poster": "AP8=",
            "club": "clubs/c1",
            "fees": [1.5, "nan", "-inf", None, True],
        }

    def test_hostile_documents_survive(self, source: FirestoreSource, firestore_client: Client, lake):
        deep: Any = "bottom"
        for _ in range(19):
            deep = {"d": deep}
        hostile = {
            "megabyte": {"text": "x" * 1_000_000},
            "deep": deep,
            "keys": {f"key {i}": i for i in range(10_000)},
            "nul": {"a\x00b": "c\x00d"},
            "types": {"updated_at": [1], "participant_email": {"not": "text"}, "status": -0.0},
            "long_time": {"updated_at": ago(seconds=0) + "x" * 900_000},
            "empty": {},
            "ünï 📅 ' %&+#?": {"name": "odd id"},
        }
        for key, document in hostile.items():
            put(firestore_client, "registrations", **{key: document})

        assert ids_of(lake.poll(source, "registrations")) == sorted(hostile)
        assert lake.poll(source, "registrations") == []
        assert lake.reconcile(source, "registrations") == []
        assert len(lake.payload("registrations", "megabyte")) > 1_000_000
        assert len(json.loads(lake.payload("registrations", "keys"))) == 10_000
        assert lake.payload("registrations", "empty") == "{}"

    def test_page_of_large_documents_is_cut(self, firestore_client: Client, lake, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("event_pipeline.sources.firestore_reader.MAX_PAGE_BYTES", 250_000)
        source = source_of(firestore_client, page_size=100)
        put(firestore_client, "clubs", **{f"c{i}": {"text": "x" * 100_000} for i in range(7)})

        sizes = [batch.changes.num_rows for batch in source.poll("clubs", None, lake)]

        assert sizes == [3, 3, 1, 0]
        assert len(lake.reconcile(source, "clubs")) == 7


def test_source_opens_its_own_client_where_the_emulator_is_in_force(firestore_client: Client, lake):
    put(firestore_client, "clubs", c1={"name": "Robotics"})
    source = FirestoreSource(Firebase(backend="firestore", project_id=str(firestore_client.project)))

    assert ids_of(lake.poll(source, "clubs")) == ["c1"]
    source.close()
