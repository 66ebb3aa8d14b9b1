"""Firestore followed live, against a scripted server for what the emulator cannot do."""

from __future__ import annotations

import threading
from typing import Any

import grpc
import pytest

from event_pipeline.settings import Firebase, Stream
from event_pipeline.sources.firestore import FirestoreSource
from event_pipeline.stream.sources import firestore_target
from event_pipeline.stream.sources.firestore_listen import FirestoreListen
from event_pipeline_tests.scripted_listen_server import PROJECT, ScriptedListen
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.stream.sources.following import following


def source_of(script: ScriptedListen, *collections: Any, **stream: Any) -> FirestoreListen:
    firebase = Firebase(backend="firestore", project_id=PROJECT, collections=collections or ("clubs",), page_size=4)
    return FirestoreListen(firebase, Stream(**stream), script.client())


class TestDeltas:
    def test_first_listing_edits_and_deletes_reach_the_lake(self, script: ScriptedListen, lake: MemoryLake):
        script.set("clubs", a={"name": "A"}, b={"name": "B"})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a", "b")
            script.set("clubs", a={"name": "A2"}, c={"name": "C"})
            run.wait_payload("clubs", "a", name="A2")
            script.delete("clubs", "b")
            run.wait_ids("clubs", "a", "c")
        assert [len(batch.changes) for batch in run.batches] == [2, 2, 1]
        assert run.states() == ["connecting", "live"]
        assert script.looked_up == []

    def test_token_commits_with_exactly_the_changes_it_covers(self, script: ScriptedListen, lake: MemoryLake):
        script.set("clubs", a={"name": "A"})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a")
            script.set("clubs", b={"name": "B"})
            run.wait_ids("clubs", "a", "b")
        tokens = [cursor["token"] for batch in run.batches if isinstance(cursor := batch.cursors["listen:clubs"], dict)]
        assert tokens == ["MQ==", "Mg=="]

    def test_versions_are_those_of_the_polling_source(self, script: ScriptedListen, lake: MemoryLake):
        script.set("clubs", a={"name": "A", "tags": [1, 2.5, None], "at": {"x": b"raw"}})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a")
        polled = FirestoreSource(Firebase(backend="firestore", project_id=PROJECT), script.client())
        (changes,) = polled._reader.documents("clubs", next(polled._reader.leaves("clubs")), ["a"])
        assert run.changes()[0]["version"] == changes[0].version
        assert run.changes()[0]["source_updated_at"] == changes[0].source_updated_at

    def test_a_document_that_only_left_the_target_is_looked_up(self, script: ScriptedListen, lake: MemoryLake):
        script.set("clubs", a={"name": "A"}, b={"name": "B"})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a", "b")
            script.delete("clubs", "a", is_told=False)
            script.remove("clubs", "b")
            script.remove("clubs", "a")
            run.wait_ids("clubs", "b")
        assert script.looked_up == ["b", "b", "a"]

    def test_changes_wait_for_the_consistent_point(self, script: ScriptedListen, lake: MemoryLake):
        with following(source_of(script, "clubs", "tags"), lake) as run:
            run.wait_state("live", "clubs")
            script.set("events", x={})
            script.documents.clear()
            script.set("clubs", a={"name": "A"})
            run.wait_ids("clubs", "a")
            (name,) = [name for name in script.documents if name.endswith("clubs/a")]
            held_back = script.change(name.replace("/a", "/b"), script.documents[name])
            held_back.document_change.document.name = name.replace("/a", "/b")
            script.send("clubs", held_back)
            script.set("tags", t={"name": "T"})
            run.wait_ids("tags", "t")
            assert lake.ids("clubs") == ["a"]
            script.send("clubs", script.consistent())
            run.wait_ids("clubs", "a", "b")

    def test_first_listing_is_emitted_in_pieces_and_only_the_last_has_the_token(
        self, script: ScriptedListen, lake: MemoryLake, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(firestore_target, "SPILL_CHANGES", 10)
        script.set("clubs", **{f"c{i}": {"name": "x"} for i in range(35)})
        with following(source_of(script), lake) as run:
            run.wait_state("live", "clubs")
        assert [(len(batch.changes), bool(batch.cursors)) for batch in run.batches] == [
            (10, False), (10, False), (10, False), (5, True),
        ]  # fmt: skip


class TestResuming:
    def test_restart_goes_on_from_the_token_without_listing_again(self, script: ScriptedListen, lake: MemoryLake):
        script.set("clubs", a={"name": "A"}, b={"name": "B"}, c={"name": "C"})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a", "b", "c")
        script.set("clubs", a={"name": "A2"})
        script.delete("clubs", "b")
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a", "c")
            run.wait_state("live", "clubs")
        assert sorted(row["document_id"] for row in run.changes()) == ["a", "b"]
        assert script.opened[-1].token == b"3"

    def test_what_was_not_committed_comes_again_after_a_crash(self, script: ScriptedListen, lake: MemoryLake):
        script.set("clubs", a={"name": "A"})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a")
            run.is_crashed = True
            script.set("clubs", a={"name": "lost"}, b={"name": "B"})
            script.delete("clubs", "a")
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "b")

    def test_a_stream_cut_in_the_middle_is_resumed(self, script: ScriptedListen, lake: MemoryLake):
        with following(source_of(script), lake) as run:
            run.wait_state("live", "clubs")
            script.set("clubs", a={"name": "A"})
            run.wait_ids("clubs", "a")
            script.end("clubs", grpc.StatusCode.UNAVAILABLE, "cut")
            run.wait_state("connecting", "clubs", times=2)
            script.set("clubs", b={"name": "B"})
            run.wait_ids("clubs", "a", "b")
            run.wait_state("live", "clubs", times=2)
        assert [stream.token for stream in script.opened] == [b"", b"1"]
        assert len(run.changes()) == 2

    @pytest.mark.parametrize(
        "codes",
        [
            [grpc.StatusCode.FAILED_PRECONDITION],
            [grpc.StatusCode.INVALID_ARGUMENT],
            [grpc.StatusCode.ABORTED, grpc.StatusCode.ABORTED],
        ],
        ids=lambda codes: codes[0].name,
    )
    def test_a_token_that_expired_leads_to_a_listing_that_finds_deletes(
        self, script: ScriptedListen, lake: MemoryLake, codes: list[grpc.StatusCode]
    ):
        script.set("clubs", a={"name": "A"}, b={"name": "B"})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a", "b")
        script.token_refusals = list(codes)
        script.set("clubs", c={"name": "C"})
        script.delete("clubs", "a", is_told=False)
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "b", "c")
            run.wait_state("live", "clubs")
        assert sorted(row["document_id"] for row in run.changes()) == ["a", "c"]
        assert [stream.token for stream in script.opened][1:] == [b"2"] * len(codes) + [b""]

    def test_one_abort_keeps_the_token(self, script: ScriptedListen, lake: MemoryLake):
        script.set("clubs", a={"name": "A"})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a")
        script.token_refusals = [grpc.StatusCode.ABORTED]
        with following(source_of(script), lake) as run:
            run.wait_state("live", "clubs")
        assert [stream.token for stream in script.opened] == [b"", b"1", b"1"]

    def test_a_token_of_another_database_is_not_used(self, script: ScriptedListen, lake: MemoryLake):
        lake.cursors["listen:clubs"] = {"target": "projects/other/databases/(default)/documents/clubs", "token": "MQ=="}
        with following(source_of(script), lake) as run:
            run.wait_state("live", "clubs")
        assert script.opened[0].token == b""


class TestReconciling:
    @pytest.mark.parametrize("limit", [1, 50_000], ids=["beyond what is held", "held"])
    def test_reset_finds_edits_and_deletes_and_emits_nothing_else(
        self, script: ScriptedListen, lake: MemoryLake, monkeypatch: pytest.MonkeyPatch, limit: int
    ):
        monkeypatch.setattr(firestore_target.Listing.__init__, "__defaults__", (limit, 2))
        script.set("clubs", **{f"c{i}": {"name": "x"} for i in range(12)})
        with following(source_of(script), lake) as run:
            run.wait_state("live", "clubs")
            script.delete("clubs", "c3", "c7", is_told=False)
            script.is_silent = True
            script.set("clubs", c5={"name": "y"})
            script.send("clubs", script.reset(), *script.listed("clubs"), script.current(), script.consistent())
            run.wait(lambda: len(lake.ids("clubs")) == 10)
            run.wait_payload("clubs", "c5", name="y")
        assert sorted(row["document_id"] for row in run.changes()[12:]) == ["c3", "c5", "c7"]
        assert script.looked_up == ["c3", "c7"]

    def test_a_listing_that_lacks_a_document_the_database_has_deletes_nothing(
        self, script: ScriptedListen, lake: MemoryLake
    ):
        script.set("clubs", a={"name": "A"}, b={"name": "B"})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a", "b")
            script.send("clubs", script.reset(), script.current(), script.consistent())
            script.set("clubs", c={"name": "C"})
            run.wait_ids("clubs", "a", "b", "c")
        assert sorted(script.looked_up) == ["a", "b"]

    def test_a_count_that_agrees_changes_nothing(self, script: ScriptedListen, lake: MemoryLake):
        script.keeps_counts = True
        script.set("clubs", a={"name": "A"}, b={"name": "B"})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a", "b")
        script.set("clubs", c={"name": "C"})
        script.delete("clubs", "a")
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "b", "c")
            run.wait_state("live", "clubs")
            script.send("clubs", script.count("clubs"), script.consistent())
            script.set("clubs", d={"name": "D"})
            run.wait_ids("clubs", "b", "c", "d")
        assert [stream.token for stream in script.opened] == [b"", b"2"]

    @pytest.mark.parametrize("is_at_start", [True, False])
    def test_a_count_that_differs_lists_everything_again(
        self, script: ScriptedListen, lake: MemoryLake, is_at_start: bool
    ):
        script.keeps_counts = True
        script.set("clubs", a={"name": "A"}, b={"name": "B"})
        with following(source_of(script), lake) as run:
            run.wait_ids("clubs", "a", "b")
            if not is_at_start:
                script.delete("clubs", "a", is_told=False)
                script.send("clubs", script.count("clubs"), script.consistent())
                run.wait_ids("clubs", "b")
        if is_at_start:
            script.delete("clubs", "a", is_told=False)
            with following(source_of(script), lake) as run:
                run.wait_ids("clubs", "b")
                run.wait_state("live", "clubs")
        assert script.opened[-1].token == b""
        assert "counts 1 documents" in next(item.message for item in run.reports if item.message)


class TestFaring:
    def test_a_refused_collection_is_reported_and_tried_again_while_others_go_on(
        self, script: ScriptedListen, lake: MemoryLake
    ):
        script.refusals["clubs"] = (grpc.StatusCode.PERMISSION_DENIED, "Missing or insufficient permissions.")
        script.set("clubs", a={"name": "A"})
        with following(source_of(script, "clubs", "tags", refused_seconds=0.2), lake) as run:
            assert "roles/datastore.viewer" in run.wait_state("refused", "clubs").message
            script.wait_opened(2, "clubs")
            script.set("tags", t={"name": "T"})
            run.wait_ids("tags", "t")
            assert run.states("clubs") == ["connecting", "refused"]
            script.refusals.clear()
            run.wait_ids("clubs", "a")
            run.wait_state("live", "clubs")
        assert run.states("tags") == ["connecting", "live"]

    def test_a_target_that_is_dropped_for_lack_of_permission_is_refused(self, script: ScriptedListen, lake: MemoryLake):
        with following(source_of(script), lake) as run:
            run.wait_state("live", "clubs")
            script.send("clubs", script.removed(7, "Missing or insufficient permissions."))
            assert "PermissionDenied" in run.wait_state("refused", "clubs").message
        assert len(script.opened) == 1

    def test_silence_is_noticed_reported_and_ended_by_a_new_connection(self, script: ScriptedListen, lake: MemoryLake):
        with following(source_of(script, silent_seconds=0.3), lake) as run:
            run.wait_state("live", "clubs")
            script.is_silent = True
            script.set("clubs", a={"name": "A"})
            assert "0.3 s" in run.wait_state("silent", "clubs").message
            script.wait_opened(3)
            assert run.states("clubs") == ["connecting", "live", "silent"]
            script.is_silent = False
            run.wait_ids("clubs", "a")
            run.wait_state("live", "clubs", times=2)

    def test_signs_of_life_keep_a_quiet_connection_and_save_no_token_each(
        self, script: ScriptedListen, lake: MemoryLake
    ):
        with following(source_of(script, "clubs"), lake) as run:
            run.wait_state("live", "clubs")
            script.set("tags", t={})
            for _ in range(20):
                script.send("clubs", script.consistent())
            script.set("clubs", a={"name": "A"})
            run.wait_ids("clubs", "a")
        assert [len(batch.changes) for batch in run.batches] == [0, 1]
        assert len(script.opened) == 1

    def test_an_outage_is_reported_once_and_outlived(self, script: ScriptedListen, lake: MemoryLake):
        with following(source_of(script), lake) as run:
            run.wait_state("live", "clubs")
            script.refusals["clubs"] = (grpc.StatusCode.UNAVAILABLE, "down for a while")
            script.end("clubs", grpc.StatusCode.UNAVAILABLE, "going down")
            script.wait_opened(4)
            script.set("clubs", a={"name": "A"})
            del script.refusals["clubs"]
            run.wait_ids("clubs", "a")
        assert run.states("clubs") == ["connecting", "live", "connecting", "unavailable", "live"]

    def test_a_worker_that_is_behind_holds_the_source_back(
        self, script: ScriptedListen, lake: MemoryLake, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(firestore_target, "SPILL_BYTES", 500_000)
        text = "x" * 300_000
        script.set("clubs", **{f"c{i:03d}": {"text": text} for i in range(200)})
        with following(source_of(script), lake, is_gated=True) as run:
            (stream,) = script.wait_opened(1)
            assert run.is_asked.wait(10)
            before = 0
            while before != (before := stream.sent.qsize()):
                threading.Event().wait(0.3)
            assert before > 80
            run.gate.set()
            run.wait(lambda: len(lake.ids("clubs")) == 200)
        assert max(batch.changes.nbytes for batch in run.batches) < 1_500_000
