"""Firestore followed live on Google's emulator, which lists everything anew at each change and honours no token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from event_pipeline.settings import Firebase, Stream
from event_pipeline.stream.sources.firestore_listen import FirestoreListen
from event_pipeline_tests.sources.firestore_organisation import ago, put, registrations, source_of
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.stream.sources.following import following

if TYPE_CHECKING:
    from google.cloud.firestore import Client

pytestmark = pytest.mark.emulator


def live(client: Client, *collections: Any, **stream: Any) -> FirestoreListen:
    firebase = Firebase(
        backend="firestore", project_id=str(client.project), collections=collections or ("registrations",)
    )
    return FirestoreListen(firebase, Stream(**stream), client)


class CountingLake(MemoryLake):
    """Counts how often all its ids were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.ranges_asked = 0

    def in_range(self, collection: str, after: str | None = None, until: str | None = None):
        self.ranges_asked += 1
        return super().in_range(collection, after, until)

    def of_ids(self, collection: str, document_ids: Any):
        held = super().in_range(collection)
        return {key: held[key] for key in document_ids if key in held}


def test_inserts_edits_and_deletes_are_seen_once_each(firestore_client: Client, lake: MemoryLake):
    put(firestore_client, "registrations", **registrations(20, ago(days=1)))
    with following(live(firestore_client), lake) as run:
        run.wait(lambda: len(lake.ids("registrations")) == 20)
        put(firestore_client, "registrations", new={"participant_name": "N"})
        run.wait_payload("registrations", "new", participant_name="N")
        firestore_client.document("registrations/r03").update({"status": "attended"})
        run.wait_payload("registrations", "r03", status="attended")
        firestore_client.document("registrations/r05").delete()
        run.wait(lambda: "r05" not in lake.ids("registrations"))
    changes = [(row["document_id"], row["operation"]) for row in run.changes()[20:]]
    assert changes == [("new", "upsert"), ("r03", "upsert"), ("r05", "delete")]


def test_restart_leaves_no_gap(firestore_client: Client, lake: MemoryLake):
    put(firestore_client, "registrations", **registrations(6, ago(days=1)))
    with following(live(firestore_client), lake) as run:
        run.wait(lambda: len(lake.ids("registrations")) == 6)
    firestore_client.document("registrations/r01").update({"status": "attended"})
    firestore_client.document("registrations/r02").delete()
    put(firestore_client, "registrations", r99={"participant_name": "while away"})
    with following(live(firestore_client), lake) as run:
        run.wait_state("live", "registrations")
        run.wait_payload("registrations", "r99", participant_name="while away")
        run.wait_payload("registrations", "r01", status="attended")
        assert "r02" not in lake.ids("registrations")
    assert sorted(row["document_id"] for row in run.changes()) == ["r01", "r02", "r99"]


def test_the_polling_source_finds_nothing_left_to_do(firestore_client: Client, lake: MemoryLake):
    put(firestore_client, "registrations", **registrations(6, ago(days=1)))
    with following(live(firestore_client), lake) as run:
        run.wait(lambda: len(lake.ids("registrations")) == 6)
        firestore_client.document("registrations/r01").update({"nested": {"at": 1.5, "list": [1, "x", None]}})
        run.wait(lambda: "nested" in (run.payload("registrations", "r01") or {}))
        firestore_client.document("registrations/r02").delete()
        run.wait(lambda: len(lake.ids("registrations")) == 5)
    assert lake.poll(source_of(firestore_client), "registrations") == []
    assert lake.reconcile(source_of(firestore_client), "registrations") == []


def test_the_lake_is_asked_for_its_ids_once_however_often_the_emulator_lists_anew(firestore_client: Client):
    lake = CountingLake()
    put(firestore_client, "registrations", **registrations(20, ago(days=1)))
    with following(live(firestore_client), lake) as run:
        run.wait_state("live", "registrations")
        for number in range(10):
            put(firestore_client, "registrations", r00={"number": number})
            run.wait_payload("registrations", "r00", number=number)
    assert lake.ranges_asked == 1
    assert len(run.changes()) == 30


def test_nested_collections_are_followed_below_every_event(firestore_client: Client, lake: MemoryLake):
    messages = "event_chat/{}/messages/{}".format
    firestore_client.document(messages("e1", "m1")).set({"message": "hi"})
    firestore_client.document("elsewhere/e1/messages/m9").set({"message": "not ours"})
    with following(live(firestore_client, "event_chat", discovery_seconds=0.2), lake) as run:
        run.wait_ids("event_chat", "e1/m1")
        firestore_client.document(messages("e2", "m2")).set({"message": "a new event"})
        run.wait_ids("event_chat", "e1/m1", "e2/m2")
        firestore_client.document("event_chat/e3/replies/p1").set({"message": "a new name"})
        run.wait_ids("event_chat", "e1/m1", "e2/m2", "e3/p1")
        firestore_client.document(messages("e1", "m1")).delete()
        run.wait_ids("event_chat", "e2/m2", "e3/p1")
    assert set(lake.cursors) == {"listen:event_chat/messages", "listen:event_chat/replies"}
    assert json.loads(lake.payload("event_chat", "e3/p1")) == {"message": "a new name"}
    assert lake.reconcile(source_of(firestore_client), "event_chat") == []


def test_a_quiet_emulator_is_asked_again_and_changes_nothing(firestore_client: Client, lake: MemoryLake):
    put(firestore_client, "registrations", **registrations(6, ago(days=1)))
    with following(live(firestore_client, silent_seconds=0.3), lake) as run:
        run.wait_state("live", "registrations", times=3)
    assert len(run.changes()) == 6
    assert run.states()[:4] == ["connecting", "live", "silent", "live"]
