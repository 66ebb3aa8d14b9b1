"""Reconciliation and nested collections of Firestore, on Google's emulator."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from event_pipeline.settings import Firebase
from event_pipeline.sources.firestore import FirestoreSource
from event_pipeline_tests.sources.firestore_organisation import ago, put, registrations, source_of
from event_pipeline_tests.sources.memory_lake import MemoryLake, ids_of

if TYPE_CHECKING:
    from google.cloud.firestore import Client

pytestmark = pytest.mark.emulator


@pytest.fixture
def source(firestore_client: Client) -> FirestoreSource:
    return source_of(firestore_client)


class TestReconcile:
    def test_edit_without_updated_at_is_found(self, source: FirestoreSource, firestore_client: Client, lake):
        put(firestore_client, "clubs", **{f"c{i}": {"name": "old"} for i in range(9)})
        lake.poll(source, "clubs")
        put(firestore_client, "clubs", c7={"name": "new"}, c99={"name": "unknown"})

        assert lake.poll(source, "clubs") == []
        assert ids_of(lake.reconcile(source, "clubs")) == ["c7", "c99"]
        assert lake.reconcile(source, "clubs") == []

    @pytest.mark.parametrize("gone", [["r00"], ["r03", "r04"], ["r10"], [f"r{i:02d}" for i in range(11)]])
    def test_deletes_become_tombstones(self, source: FirestoreSource, firestore_client: Client, lake, gone):
        put(firestore_client, "registrations", **registrations(11, ago(days=3)))
        lake.poll(source, "registrations")
        for key in gone:
            firestore_client.collection("registrations").document(key).delete()

        found = lake.reconcile(source, "registrations")

        assert ids_of(found) == gone
        assert {row["operation"] for row in found} == {"delete"}
        assert not set(gone) & set(lake.ids("registrations"))
        assert lake.reconcile(source, "registrations") == []

    def test_document_created_again_beats_its_tombstone(self, source: FirestoreSource, firestore_client: Client, lake):
        put(firestore_client, "tags", t={"name": "first"}, other={"name": "x"})
        lake.poll(source, "tags")
        firestore_client.collection("tags").document("t").delete()
        lake.reconcile(source, "tags")
        put(firestore_client, "tags", t={"name": "second"})

        lake.reconcile(source, "tags")

        assert json.loads(lake.payload("tags", "t")) == {"name": "second"}

    def test_document_that_appears_after_its_page_is_not_deleted(
        self, source: FirestoreSource, firestore_client: Client, lake
    ):
        put(firestore_client, "tags", **{f"t{i}": {"name": "x"} for i in range(6)})
        lake.poll(source, "tags")

        class LateLake(MemoryLake):
            def in_range(self, collection: str, after: str | None = None, until: str | None = None):
                put(firestore_client, "tags", t0a={"name": "late", "updated_at": ago(seconds=0)})
                lake.poll(source, "tags")
                return lake.in_range(collection, after, until)

        found = [row for batch in source.reconcile("tags", LateLake()) for row in batch.changes.to_pylist()]

        assert "delete" not in {row["operation"] for row in found}

    def test_keeps_the_pace(self, firestore_client: Client, lake):
        waits: list[float] = []
        firebase = Firebase(project_id="p", page_size=4, reconcile_reads_per_second=2)
        put(firestore_client, "clubs", **{f"c{i}": {"name": "x"} for i in range(8)})
        source = FirestoreSource(firebase, firestore_client, sleep=waits.append)

        lake.reconcile(source, "clubs")

        assert 6 < max(waits) <= 8  # eight ids and eight documents at two a second, less the time the test took


class TestNestedCollections:
    @pytest.fixture
    def chat(self, firestore_client: Client):
        def put_message(event: str, key: str, folder: str = "messages", **fields: Any) -> None:
            node = firestore_client.collection("event_chat").document(event).collection(folder)
            node.document(key).set({"message": "hi", **fields})

        return put_message

    def test_documents_lie_below_missing_parents(self, source: FirestoreSource, lake, chat):
        for event in ("e1", "e1-b", "e2"):
            for i in range(6):
                chat(event, f"m{i}", timestamp=ago(days=1))
        chat("e2", "u1", folder="updates", timestamp=ago(days=1))

        first = lake.poll(source, "event_chat", batches=2)
        rest = lake.poll(source, "event_chat")

        expected = [f"{event}/m{i}" for event in ("e1", "e1-b", "e2") for i in range(6)] + ["e2/u1"]
        assert sorted(ids_of(first) + ids_of(rest)) == sorted(expected)
        assert lake.poll(source, "event_chat") == []

    def test_sweep_follows_timestamp(self, source: FirestoreSource, lake, chat):
        chat("e1", "m1", timestamp=ago(days=1))
        lake.poll(source, "event_chat")
        chat("e1", "m2", timestamp=ago(seconds=0))
        chat("e9", "m1", timestamp=int(datetime.now(UTC).timestamp() * 1000))

        assert ids_of(lake.poll(source, "event_chat")) == ["e1/m2", "e9/m1"]
        assert lake.poll(source, "event_chat") == []

    def test_reconcile_finds_edits_and_deletes_below_their_events(
        self, source: FirestoreSource, firestore_client: Client, lake, chat
    ):
        for event in ("e1", "e1-b", "e2", "e3"):
            for i in range(5):
                chat(event, f"m{i}", timestamp=ago(days=1))
        chat("e3", "u1", folder="updates")
        lake.poll(source, "event_chat")
        events = firestore_client.collection("event_chat")
        for i in range(5):
            events.document("e2").collection("messages").document(f"m{i}").delete()
        events.document("e1").collection("messages").document("m4").delete()
        chat("e1-b", "m0", timestamp=ago(days=1), is_moderated=True)

        found = {row["document_id"]: row["operation"] for row in lake.reconcile(source, "event_chat")}

        gone = ["e1/m4", *(f"e2/m{i}" for i in range(5))]
        assert found == {"e1-b/m0": "upsert", **dict.fromkeys(gone, "delete")}
        assert lake.reconcile(source, "event_chat") == []
