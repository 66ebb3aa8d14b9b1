"""Reconciliation and nested collections of the Realtime Database, against a local server."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from event_pipeline.errors import PermanentError
from event_pipeline.sources.realtime_database import RealtimeDatabaseSource
from event_pipeline_tests.realtime_database_server import Fault
from event_pipeline_tests.sources.memory_lake import ids_of
from event_pipeline_tests.sources.realtime_organisation import ago, source_of


@pytest.fixture
def source(realtime_source: RealtimeDatabaseSource) -> RealtimeDatabaseSource:
    return realtime_source


class TestReconcile:
    def test_finds_edits_without_updated_at_new_documents_and_deletes(self, source, database, lake):
        database.data["clubs"] = {f"c{i}": {"name": "old"} for i in range(11)}
        lake.poll(source, "clubs")
        database.data["clubs"]["c7"] = {"name": "new"}
        database.data["clubs"]["x"] = {"name": "unknown"}
        del database.data["clubs"]["c0"], database.data["clubs"]["c10"]

        found = {row["document_id"]: row["operation"] for row in lake.reconcile(source, "clubs")}

        assert found == {"c0": "delete", "c10": "delete", "c7": "upsert", "x": "upsert"}
        assert lake.reconcile(source, "clubs") == []

    def test_whole_collection_can_be_deleted_and_come_back(self, source, database, lake):
        database.data["tags"] = {f"t{i}": {"name": "x"} for i in range(9)}
        before = deepcopy(database.data["tags"])
        lake.poll(source, "tags")
        del database.data["tags"]

        assert {row["operation"] for row in lake.reconcile(source, "tags")} == {"delete"}
        assert lake.ids("tags") == []
        database.data["tags"] = before
        assert len(lake.reconcile(source, "tags")) == 9

    @pytest.mark.parametrize("garbage", ["null", "{}", "[]", '{"t0": true}'])
    def test_one_odd_listing_deletes_nothing(self, source, database, lake, garbage):
        database.data["tags"] = {f"t{i}": {"name": "x"} for i in range(3)}
        lake.poll(source, "tags")
        database.faults.append(Fault(body=garbage))

        assert lake.reconcile(source, "tags") == []

    @pytest.mark.parametrize(
        "fault",
        [
            Fault(keep=10),
            Fault(keep=10, announces_length=False),
            Fault(keep=0, announces_length=False),
            Fault(body="<html>Sign in to the network</html>"),
            Fault(status=502, body="<html>Bad gateway</html>"),
        ],
    )
    def test_cut_or_garbled_answers_are_asked_for_again(self, source, database, lake, waits, fault):
        database.data["tags"] = {f"t{i}": {"name": "x"} for i in range(3)}
        lake.poll(source, "tags")
        database.faults += [fault, fault]

        assert lake.reconcile(source, "tags") == []
        assert lake.ids("tags") == ["t0", "t1", "t2"]
        assert len([wait for wait in waits if wait >= 0.5]) == 2

    def test_bare_value_in_place_of_a_collection_stops_the_source(self, source, database, lake):
        database.data["tags"] = {"t0": {"name": "x"}}
        lake.poll(source, "tags")
        database.data["tags"] = "hello"

        with pytest.raises(PermanentError, match="/tags holds a single str"):
            lake.reconcile(source, "tags")
        assert lake.ids("tags") == ["t0"]

    def test_write_during_the_listing_is_not_masked_by_a_tombstone(self, database, lake, waits):
        database.data["tags"] = {"t0": {"name": "x"}, "t1": {"name": "x"}}
        lake.poll(source_of(database, waits), "tags")
        del database.data["tags"]["t0"]
        (batch,) = source_of(database, waits).reconcile("tags", lake)
        database.data["tags"]["t0"] = {"name": "again", "updated_at": ago(seconds=0)}

        # The stream saw the document come back before the tombstone was committed.
        lake.poll(source_of(database, waits), "tags")
        lake.cursors.clear()
        lake.commit(batch)
        lake.poll(source_of(database, waits), "tags")

        assert json.loads(lake.payload("tags", "t0"))["name"] == "again"


class TestNestedCollections:
    def test_documents_lie_below_their_events(self, source, database, lake):
        database.data["event_chat"] = {
            event: {f"m{i}": {"message": "hi", "timestamp": ago(days=1)} for i in range(6)}
            for event in ("e1", "e1-b", "7")
        }
        first = lake.poll(source, "event_chat", batches=2)
        rest = lake.poll(source, "event_chat")
        assert len(first) + len(rest) == 18
        assert lake.poll(source, "event_chat") == []

        database.data["event_chat"]["e1"]["m9"] = {"message": "new", "timestamp": ago(seconds=0)}
        database.data["event_chat"]["e5"] = {"m1": {"message": "new", "timestamp": ago(seconds=0)}}
        assert ids_of(lake.poll(source, "event_chat")) == ["e1/m9", "e5/m1"]

        del database.data["event_chat"]["e1-b"], database.data["event_chat"]["e1"]["m0"]
        database.data["event_chat"]["7"]["m3"]["is_moderated"] = True
        found = {row["document_id"]: row["operation"] for row in lake.reconcile(source, "event_chat")}
        assert found == {"7/m3": "upsert", "e1/m0": "delete", **{f"e1-b/m{i}": "delete" for i in range(6)}}

    def test_bare_value_in_place_of_messages_does_not_stop_the_others(self, source, database, lake):
        database.data["event_chat"] = {"e1": "spam", "e2": {"m1": {"message": "hi", "timestamp": ago(days=1)}}}

        assert ids_of(lake.poll(source, "event_chat")) == ["e2/m1"]
        assert lake.reconcile(source, "event_chat") == []
