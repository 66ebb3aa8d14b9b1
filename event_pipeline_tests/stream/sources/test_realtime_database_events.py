"""The Realtime Database followed live, against a server speaking its protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from event_pipeline.settings import Firebase, Stream
from event_pipeline.sources.firebase_cursor import utc_now
from event_pipeline.stream.sources import event_stream
from event_pipeline.stream.sources.realtime_database_events import RealtimeDatabaseEvents
from event_pipeline_tests.realtime_database_server import Fault, RealtimeDatabase, running_realtime_database
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.sources.realtime_organisation import source_of as polling
from event_pipeline_tests.stream.sources.following import following


@pytest.fixture
def database() -> Iterator[RealtimeDatabase]:
    with running_realtime_database() as database:
        yield database


def source_of(database: RealtimeDatabase, *collections: Any, **stream: Any) -> RealtimeDatabaseEvents:
    firebase = Firebase(
        backend="realtime_database", database_url=database.url, collections=collections or ("clubs",), page_size=4
    )
    return RealtimeDatabaseEvents(firebase, Stream(**stream))


class TestEvents:
    def test_puts_and_deletes_of_documents_need_no_request(self, database: RealtimeDatabase, lake: MemoryLake):
        database.data = {"clubs": {"a": {"name": "A"}}}
        with following(source_of(database), lake) as run:
            run.wait_ids("clubs", "a")
            database.put("/clubs/b", {"name": "B"})
            run.wait_payload("clubs", "b", name="B")
            database.put("/clubs/a", {"name": "A2"})
            run.wait_payload("clubs", "a", name="A2")
            database.put("/clubs/b", None)
            run.wait_ids("clubs", "a")
        assert run.states() == ["connecting", "live"]
        assert [path for path in database.requests if "left" not in path] == ["/clubs.json?ns=college"]

    @pytest.mark.parametrize("is_patch", [True, False])
    def test_a_write_below_a_document_yields_the_whole_document(
        self, database: RealtimeDatabase, lake: MemoryLake, is_patch: bool
    ):
        database.data = {"clubs": {"a": {"name": "A", "links": {"x": 1, "y": 2}}}}
        with following(source_of(database), lake) as run:
            run.wait_ids("clubs", "a")
            if is_patch:
                database.patch("/clubs/a", {"status": "ongoing", "links/x": 3})
            else:
                database.put("/clubs/a/status", "ongoing")
                database.put("/clubs/a/links/x", 3)
            run.wait_payload("clubs", "a", links={"x": 3, "y": 2})
        assert run.payload("clubs", "a") == {"name": "A", "status": "ongoing", "links": {"x": 3, "y": 2}}

    def test_a_document_whose_last_field_goes_is_deleted(self, database: RealtimeDatabase, lake: MemoryLake):
        database.data = {"clubs": {"a": {"name": "A"}, "b": {"name": "B"}}}
        with following(source_of(database), lake) as run:
            run.wait_ids("clubs", "a", "b")
            database.put("/clubs/a/name", None)
            run.wait_ids("clubs", "b")

    def test_a_patch_of_the_collection_touches_each_document_it_names(
        self, database: RealtimeDatabase, lake: MemoryLake
    ):
        database.data = {"clubs": {"a": {"name": "A"}, "b": {"name": "B"}, "c": {"name": "C"}}}
        with following(source_of(database), lake) as run:
            run.wait_ids("clubs", "a", "b", "c")
            database.patch("/clubs", {"a": None, "b/name": "B2", "d": {"name": "D"}})
            run.wait_ids("clubs", "b", "c", "d")
            run.wait_payload("clubs", "b", name="B2")
        assert [row["document_id"] for row in run.changes()[3:]].count("c") == 0

    def test_a_collection_put_anew_deletes_what_it_lacks(self, database: RealtimeDatabase, lake: MemoryLake):
        database.data = {"clubs": {"a": {"name": "A"}, "b": {"name": "B"}}}
        with following(source_of(database), lake) as run:
            run.wait_ids("clubs", "a", "b")
            database.put("/clubs", {"b": {"name": "B"}, "c": {"name": "C"}})
            run.wait_ids("clubs", "b", "c")
            database.put("/clubs", None)
            run.wait_ids("clubs")
        assert sorted(row["document_id"] for row in run.changes()[2:]) == ["a", "b", "c", "c"]

    def test_nested_collections_by_event(self, database: RealtimeDatabase, lake: MemoryLake):
        database.data = {"event_chat": {"e1": {"m1": {"message": "hi"}, "m2": {"message": "ho"}}, "bare": "text"}}
        with following(source_of(database, "event_chat"), lake) as run:
            run.wait_ids("event_chat", "e1/m1", "e1/m2")
            database.put("/event_chat/e2/m3", {"message": "new"})
            database.patch("/event_chat/e1/m1", {"message": "edited"})
            run.wait_payload("event_chat", "e1/m1", message="edited")
            database.put("/event_chat/e1", {"m2": {"message": "ho"}, "m4": {"message": "late"}})
            run.wait_ids("event_chat", "e1/m2", "e1/m4", "e2/m3")
            database.patch("/event_chat", {"e1/m2": None, "e2/m3/message": "edited too"})
            run.wait_payload("event_chat", "e2/m3", message="edited too")
            database.put("/event_chat/e1", None)
            run.wait_ids("event_chat", "e2/m3")
        assert lake.poll(polling(database, []), "event_chat") == []
        assert lake.reconcile(polling(database, []), "event_chat") == []

    def test_arrays_stand_for_documents_with_numbers_as_keys(self, database: RealtimeDatabase, lake: MemoryLake):
        database.data = {"clubs": {"0": {"name": "zero"}, "2": {"name": "two"}}}
        with following(source_of(database), lake) as run:
            run.wait_ids("clubs", "0", "2")

    def test_content_is_what_the_polling_source_gives(self, database: RealtimeDatabase, lake: MemoryLake):
        odd = {"name": "é\u0000", "n": 2**70, "f": 1.50, "list": [1, None, {"b": 1, "a": 2}]}
        database.data = {"clubs": {"a": odd}}
        with following(source_of(database), lake) as run:
            run.wait_ids("clubs", "a")
            database.put("/clubs/b", odd)
            database.put("/clubs/c", {"name": "x"})
            database.patch("/clubs/c", odd)
            run.wait(lambda: "n" in (run.payload("clubs", "c") or {}))
        assert lake.poll(polling(database, []), "clubs") == []


class TestResuming:
    def test_restart_brings_edits_and_deletes_and_nothing_known(self, database: RealtimeDatabase, lake: MemoryLake):
        database.data = {"clubs": {key: {"name": key} for key in "abcdef"}}
        with following(source_of(database), lake) as run:
            run.wait(lambda: len(lake.ids("clubs")) == 6)
        database.put("/clubs/a", None)
        database.put("/clubs/b/name", "B")
        database.put("/clubs/g", {"name": "g"})
        with following(source_of(database), lake) as run:
            run.wait_state("live", "clubs")
            run.wait_ids("clubs", *"bcdefg")
        assert sorted(row["document_id"] for row in run.changes()) == ["a", "b", "g"]

    def test_a_cut_connection_is_opened_again_without_gap(self, database: RealtimeDatabase, lake: MemoryLake):
        with following(source_of(database), lake) as run:
            run.wait_state("live", "clubs")
            database.faults = [Fault(503, '{"error": "busy"}'), Fault(503, '{"error": "busy"}')]
            database.cut()
            database.put("/clubs/a", {"name": "A"})
            run.wait_ids("clubs", "a")
            run.wait_state("live", "clubs", times=2)
        assert run.states() == ["connecting", "live", "connecting", "unavailable", "live"]

    def test_a_first_event_cut_in_the_middle_deletes_nothing(
        self, database: RealtimeDatabase, lake: MemoryLake, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(event_stream, "_BLOCK_BYTES", 64)
        database.data = {"clubs": {f"c{i:02d}": {"name": f"Club {i}"} for i in range(20)}}
        with following(source_of(database), lake) as run:
            run.wait(lambda: len(lake.ids("clubs")) == 20)
            whole = 'event: put\ndata: {"path":"/","data":' + json.dumps(database.data["clubs"]) + "}\n\n"
            database.faults = [Fault(body=whole, keep=300)]
            database.cut()
            run.wait_state("live", "clubs", times=2)
        assert len(lake.ids("clubs")) == 20
        assert len(run.changes()) == 20

    def test_an_empty_answer_deletes_nothing_unless_a_second_look_agrees(
        self, database: RealtimeDatabase, lake: MemoryLake
    ):
        database.data = {"clubs": {"a": {"name": "A"}}}
        with following(source_of(database), lake) as run:
            run.wait_ids("clubs", "a")
            database.say("put", {"path": "/", "data": None})
            database.put("/clubs/b", {"name": "B"})
            run.wait_ids("clubs", "a", "b")

    def test_what_was_seen_stays_newest_when_the_clock_goes_back(self, database: RealtimeDatabase, lake: MemoryLake):
        database.data = {"clubs": {"a": {"name": "A"}, "b": {"name": "B"}}}
        ahead = timedelta(0)
        source = source_of(database)
        source._now = lambda: utc_now() + ahead
        with following(source, lake) as run:
            run.wait_ids("clubs", "a", "b")
            ahead = -timedelta(hours=1)
            database.put("/clubs/a", {"name": "after"})
            run.wait_payload("clubs", "a", name="after")
            database.put("/clubs/b", None)
            run.wait_ids("clubs", "a")
            database.put("/clubs/b", {"name": "again"})
            run.wait_payload("clubs", "b", name="again")

    def test_a_first_event_of_many_documents_is_emitted_in_pieces(
        self, database: RealtimeDatabase, lake: MemoryLake, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(event_stream, "_BLOCK_BYTES", 4096)
        database.data = {"clubs": {f"c{i:03d}": {"name": "x" * 200} for i in range(300)}}
        with following(source_of(database, batch_changes=10), lake) as run:
            run.wait_state("live", "clubs")
        assert len(lake.ids("clubs")) == 300
        assert max(len(batch.changes) for batch in run.batches) == 10


class TestFaring:
    def test_a_cancelled_stream_is_refused_while_others_go_on(self, database: RealtimeDatabase, lake: MemoryLake):
        with following(source_of(database, "clubs", "tags"), lake) as run:
            run.wait_state("live", "clubs")
            run.wait_state("live", "tags")
            with database._changed:
                (clubs,) = [stream for stream in database.streams if stream.path == ("clubs",)]
                clubs.events.put(("cancel", "Permission denied"))
            assert "roles/firebasedatabase.viewer" in run.wait_state("refused", "clubs").message
            database.put("/tags/t", {"name": "T"})
            run.wait_ids("tags", "t")
        assert database.opened == 2

    def test_a_refused_collection_is_tried_again_after_a_while(self, database: RealtimeDatabase, lake: MemoryLake):
        database.faults = [Fault(403, '{"error": "Permission denied"}')] * 2
        with following(source_of(database, refused_seconds=0.2), lake) as run:
            assert "Permission denied" in run.wait_state("refused", "clubs").message
            run.wait_state("live", "clubs")
        assert run.states() == ["connecting", "refused", "live"]

    def test_revoked_credentials_are_renewed_by_a_new_connection(self, database: RealtimeDatabase, lake: MemoryLake):
        with following(source_of(database), lake) as run:
            run.wait_state("live", "clubs")
            database.say("auth_revoked", "credential is no longer valid")
            run.wait_state("live", "clubs", times=2)
        assert run.states() == ["connecting", "live", "connecting", "live"]

    def test_missing_keep_alives_end_the_connection(self, database: RealtimeDatabase, lake: MemoryLake):
        with following(source_of(database, silent_seconds=0.4), lake) as run:
            run.wait_state("live", "clubs")
            assert "0.4 s" in run.wait_state("silent", "clubs").message
            run.wait_state("live", "clubs", times=2)
            database.wait_opened(2)

    def test_keep_alives_and_unknown_events_are_signs_of_life(self, database: RealtimeDatabase, lake: MemoryLake):
        with following(source_of(database), lake) as run:
            run.wait_state("live", "clubs")
            database.say("keep-alive")
            database.say("rules_debug", "text")
            database.put("/clubs/a", {"name": "A"})
            run.wait_ids("clubs", "a")
        assert database.opened == 1

    @pytest.mark.parametrize("event", ['{"path": 1, "data": 2}', "[]", '{"data": {}}', '{"path": "/a"'])
    def test_a_garbled_event_leads_to_a_new_connection(self, database: RealtimeDatabase, lake: MemoryLake, event: str):
        database.data = {"clubs": {"a": {"name": "A"}}}
        garbled = 'event: put\ndata: {"path":"/","data":null}\n\nevent: put\ndata: ' + event + "\n\n"
        database.faults = [Fault(body=garbled)]
        with following(source_of(database), lake) as run:
            run.wait_ids("clubs", "a")
        assert "opened anew" in run.reports[2].message

    def test_documents_told_in_parts_during_an_outage_come_with_the_next_connection(
        self, database: RealtimeDatabase, lake: MemoryLake
    ):
        database.data = {"clubs": {"a": {"name": "A"}}}
        with following(source_of(database), lake) as run:
            run.wait_ids("clubs", "a")
            database.faults = [Fault(403, '{"error": "Permission denied"}')]
            database.put("/clubs/a/name", "A2")
            run.wait_state("refused", "clubs")
        with following(source_of(database), lake) as run:
            run.wait_payload("clubs", "a", name="A2")

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9/?ns=x", "http://127.0.0.1:9"])
    def test_an_address_where_nobody_answers_is_reported(self, lake: MemoryLake, url: str):
        firebase = Firebase(backend="realtime_database", database_url=url, collections=("clubs",))
        with following(RealtimeDatabaseEvents(firebase, Stream()), lake) as run:
            run.wait(lambda: {"refused", "unavailable"} & set(run.states("clubs")))


def test_observed_times_follow_the_clock(database: RealtimeDatabase, lake: MemoryLake):
    before: datetime = utc_now()
    database.data = {"clubs": {"a": {"name": "A"}}}
    with following(source_of(database), lake) as run:
        run.wait_ids("clubs", "a")
    assert before <= run.changes()[0]["observed_at"] <= utc_now()
