"""The worker over a real lake: what sources emit is in the tables once, whatever fails on the way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from event_pipeline.contracts.stream import BATCHES, STREAM_STATUS
from event_pipeline.errors import SettingsError, TransientError
from event_pipeline.settings import Settings, Stream
from event_pipeline.stream.claim import AlreadyFollowingError, claim_worker
from event_pipeline.stream.committing import Commits, OpenCommits, open_committer
from event_pipeline.stream.heartbeat import covers, heartbeat_path, read_heartbeat
from event_pipeline.stream.intake import StoppingError
from event_pipeline.stream.sources.live_source import LiveReport
from event_pipeline.stream.worker import Worker
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.stream.conftest import SharedCommits
from event_pipeline_tests.stream.live import PATIENCE_SECONDS, FakeSource, running

pytestmark = pytest.mark.usefixtures("_short_waits")


def query(settings: Settings, text: str, *values: Any) -> list[tuple[Any, ...]]:
    with connect(settings, read_only=True) as connection:
        return connection.execute(text, values).fetchall()


def facts(settings: Settings, prefix: str) -> list[str]:
    """Ids of the facts that begin so, as often as they are there."""
    found = query(
        settings,
        "SELECT registration_id FROM warehouse.core.fact_registrations "
        "WHERE starts_with(registration_id, ?) ORDER BY 1",
        prefix,
    )
    return [key for (key,) in found]


def versions(settings: Settings, prefix: str) -> list[tuple[str, int]]:
    return query(
        settings,
        "SELECT document_id, count(*) FROM lake.raw.firebase_registrations WHERE starts_with(document_id, ?) "
        "GROUP BY 1 ORDER BY 1",
        prefix,
    )


@dataclass
class Faults:
    """Commits in earnest, but for the faults: each an error, and whether the commit had been made when it came."""

    really: OpenCommits
    planned: list[tuple[Exception, bool]] = field(default_factory=list)
    opened: int = 0
    failed: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def open(self, settings: Settings) -> Iterator[Commits]:
        self.opened += 1
        with self.really(settings) as commits:
            yield FaultyCommits(self, commits)


@dataclass
class FaultyCommits:
    faults: Faults
    commits: Commits

    def commit(self, batches: Any, reports: Any) -> Any:
        if not batches or not self.faults.planned:
            return self.commits.commit(batches, reports)
        error, is_made = self.faults.planned.pop(0)
        if is_made:
            self.commits.commit(batches, reports)
        self.faults.failed.set()
        raise error


class TestFollowing:
    def test_what_a_source_emits_is_in_the_tables_and_the_source_is_told(
        self, worked: Settings, shared: SharedCommits
    ) -> None:
        source = FakeSource()
        with running(worked, [source], open_commits=shared.open) as run:
            batch = source.brings("plain-1", "plain-2")
            source.wait_committed(batch)
            assert facts(worked, "plain-") == ["plain-1", "plain-2"]
            assert covers(worked, "firestore")
        assert run.is_whole
        ((rows_in, rows_new, lag),) = query(
            worked, f"SELECT rows_in, rows_new, lag_seconds FROM {BATCHES.qualified} ORDER BY committed_at DESC LIMIT 1"
        )
        assert (rows_in, rows_new) == (2, 2)
        assert 0 <= lag < PATIENCE_SECONDS

    def test_batches_of_one_source_are_committed_in_their_order(self, worked: Settings, shared: SharedCommits) -> None:
        source = FakeSource()
        with running(worked, [source], open_commits=shared.open):
            batches = [source.brings("ordered", status=status) for status in ("registered", "cancelled", "attended")]
            source.wait_committed(*batches)
        assert [batch for batch in source.done if batch in batches] == batches

    def test_states_are_committed_and_all_is_stopped_in_the_end(self, worked: Settings, shared: SharedCommits) -> None:
        source = FakeSource(name="sheets", collection="sheet_rows")
        with running(worked, [source], open_commits=shared.open):
            source.says(LiveReport("sheets", "sheet_rows", "refused", "share the sheet", datetime.now(UTC)))
            source.wait_committed(source.brings("said-1"))
            said = f"SELECT state, message FROM {STREAM_STATUS.qualified} WHERE source = 'sheets'"
            assert query(worked, said) == [("refused", "share the sheet")]
            assert not covers(worked, "sheets")
        assert query(worked, said) == [("stopped", None)]
        assert not heartbeat_path(worked).exists()

    def test_states_alone_are_committed_too(
        self, worked: Settings, shared: SharedCommits, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("event_pipeline.stream.housekeeping.REPORTS_SECONDS", 0.0)
        source, written = FakeSource(), threading.Event()

        class Watched:
            @contextmanager
            def open(self, settings: Settings) -> Iterator[Commits]:
                with shared.open(settings) as commits:
                    self.commits = commits
                    yield self

            def commit(self, batches: Any, reports: Any) -> Any:
                done = self.commits.commit(batches, reports)
                if any(report.state == "silent" for report in reports):
                    written.set()
                return done

        with running(worked, [source], open_commits=Watched().open):
            source.says(LiveReport("firestore", "registrations", "silent", "nothing was heard", datetime.now(UTC)))
            assert written.wait(PATIENCE_SECONDS)

    def test_a_source_that_breaks_is_followed_anew_from_what_is_committed_and_stops_no_other(
        self, worked: Settings, shared: SharedCommits
    ) -> None:
        breaks, other = FakeSource(), FakeSource(name="realtime_database")
        with running(worked, [breaks, other], open_commits=shared.open):
            breaks.brings("broken-1", cursors={"listen:registrations": {"token": "one"}})
            breaks.breaks(RuntimeError("a defect"))
            breaks.wait(lambda: len(breaks.cursors) == 2)
            other.wait_committed(other.brings("whole-1"))
            breaks.wait_committed(breaks.brings("broken-2"))
        assert breaks.cursors[1]["listen:registrations"] == {"token": "one"}
        assert len(other.cursors) == 1
        assert facts(worked, "broken-") == ["broken-1", "broken-2"]

    def test_whatever_a_source_raises_it_is_told_and_followed_again(
        self, worked: Settings, shared: SharedCommits, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cannot_tell(source: str, message: str) -> None:
            raise MemoryError

        source, name = FakeSource(), "follow-firestore"
        faults: list[BaseException] = [RuntimeError("odd"), MemoryError(), SystemExit(3), TransientError("away")]
        with running(worked, [source], open_commits=shared.open) as run:
            for number, fault in enumerate(faults, start=1):
                source.breaks(fault)
                source.wait(lambda number=number: len(source.cursors) == number + 1)
                state = run.worker.tasks.state(name)
                assert (state.failures, state.failure.split(";")[0]) == (
                    number,
                    str(fault) if number == 4 else type(fault).__name__,
                )
            with monkeypatch.context() as patched:
                patched.setattr(run.worker._register, "fail", cannot_tell)
                source.breaks(RuntimeError("odd"))
                source.wait(lambda: len(source.cursors) == len(faults) + 2)
            heartbeat = run.worker._describe(datetime.now(UTC), "following")
            assert heartbeat.tasks[name].failing_since is not None, "it may break again at once"
            assert "MemoryError in telling so" in heartbeat.tasks[name].failure
            source.wait_committed(source.brings("raised-1"))
            monkeypatch.setattr("event_pipeline.background_task.MOST_WAIT_SECONDS", 0.0)
            heartbeat = run.worker._describe(datetime.now(UTC), "following")
            assert heartbeat.tasks[name].failing_since is None
        assert run.is_whole

    def test_a_broken_source_is_shown_until_it_is_followed_again(self, worked: Settings, shared: SharedCommits) -> None:
        source, seen = FakeSource(), []

        def look(emit: object, report: object) -> None:
            raise OSError("postgresql://user:a-secret@db/x is away")

        source.then(look)
        with running(worked, [source], open_commits=shared.open) as run:
            source.wait(lambda: len(source.cursors) == 2)
            register = run.worker._register
            seen.append(register.beats()["firestore"].worst)
        assert seen[0].state == "live"
        messages = query(worked, f"SELECT message FROM {STREAM_STATUS.qualified} WHERE message LIKE '%a-secret%'")
        assert messages == []

    def test_a_source_asks_what_is_committed_and_sees_each_commit(
        self, worked: Settings, shared: SharedCommits
    ) -> None:
        source, found = FakeSource(), []

        def ask(emit: object, report: object) -> None:
            assert source.known is not None
            found.append((source.known.of_ids("registrations", ["asked"]), source.known.count("registrations")))  # pyright: ignore[reportAttributeAccessIssue]

        with running(worked, [source], open_commits=shared.open):
            source.then(ask)
            batch = source.brings("asked")
            source.wait_committed(batch)
            source.then(ask)
            source.wait_committed(source.brings("asked-after"))
        (before, count_before), (after, count_after) = found
        assert (before, after) == ({}, {"asked": batch.changes["version"][0].as_py()})
        assert count_after == count_before + 1


class TestFailingCommits:
    @pytest.mark.parametrize("is_made", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(
        "error",
        [
            TransientError("another process has been writing for 600 s"),
            duckdb.IOException("No space left on device"),
            duckdb.TransactionException("database is locked"),
            OSError(28, "No space left on device"),
            RuntimeError("a defect"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_a_batch_is_tried_again_until_it_is_in_once(
        self, worked: Settings, shared: SharedCommits, error: Exception, is_made: bool
    ) -> None:
        faults, source = Faults(shared.open, [(error, is_made), (error, is_made)]), FakeSource()
        prefix = f"fault-{type(error).__name__}-{is_made}-"
        with running(worked, [source], open_commits=faults.open) as run:
            source.wait_committed(source.brings(f"{prefix}1", f"{prefix}2"), source.brings(f"{prefix}3"))
            assert run.worker._committing.failing_since is None
        assert run.is_whole
        assert faults.planned == []
        assert faults.opened == (3 if isinstance(error, RuntimeError) else 1), "only a doubtful connection is replaced"
        assert facts(worked, prefix) == [f"{prefix}{number}" for number in (1, 2, 3)]
        assert versions(worked, prefix) == [(f"{prefix}{number}", 1) for number in (1, 2, 3)]

    def test_meanwhile_the_failure_shows_and_sources_are_held_back(
        self, worked: Settings, shared: SharedCommits, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("event_pipeline.stream.committing.backoff_seconds", lambda attempts: 60.0)
        narrow = worked.model_copy(update={"stream": Stream(batch_milliseconds=10, queue_changes=1)})
        faults, source = Faults(shared.open, [(TransientError("the disk is full"), False)] * 1000), FakeSource()
        with running(narrow, [source], open_commits=faults.open, drain_seconds=0.05) as run:
            source.brings("held-1")
            source.brings("held-2")
            assert faults.failed.wait(PATIENCE_SECONDS)
            run.worker._pulse.beat()
            beat = read_heartbeat(narrow)
            assert beat is not None
            assert (beat.failure, beat.failing_since is not None) == ("the disk is full", True)
        assert run.is_whole is False, "it could not commit in the time it had"
        assert [type(error) for error in source.refused] == [StoppingError]
        assert facts(narrow, "held-") == []
        with running(worked, [source], open_commits=shared.open):
            source.wait_committed(source.brings("held-1", "held-2"))
        assert facts(worked, "held-") == ["held-1", "held-2"]


class TestStarting:
    def test_only_one_worker_follows_a_data_folder(self, worked: Settings, shared: SharedCommits) -> None:
        source = FakeSource()
        with running(worked, [source], open_commits=shared.open):
            source.wait_committed(source.brings("alone"))
            with pytest.raises(AlreadyFollowingError, match=r"already \(process \d+\)"), claim_worker(worked):
                pass

    def test_what_no_retry_mends_ends_the_start_and_lets_go_of_the_folder(self, worked: Settings) -> None:
        @contextmanager
        def refuse(settings: Settings) -> Iterator[Commits]:
            raise SettingsError("the catalog is of another organisation")
            yield

        with pytest.raises(SettingsError, match="another organisation"):
            Worker(worked, [], open_commits=refuse).run()
        assert not heartbeat_path(worked).exists()
        with claim_worker(worked):
            pass

    def test_a_lock_held_by_others_at_the_start_is_waited_for(self, worked: Settings, shared: SharedCommits) -> None:
        waits = [TransientError("another process has been writing for 600 s")]

        @contextmanager
        def busy(settings: Settings) -> Iterator[Commits]:
            if waits:
                raise waits.pop()
            with shared.open(settings) as commits:
                yield commits

        source = FakeSource()
        with running(worked, [source], open_commits=busy):
            source.wait_committed(source.brings("waited"))


class TestStopping:
    def test_what_was_emitted_is_committed(self, worked: Settings, shared: SharedCommits) -> None:
        patient = worked.model_copy(update={"stream": Stream(batch_milliseconds=60_000)})
        source, is_emitted = FakeSource(), threading.Event()
        with running(patient, [source], open_commits=shared.open) as run:
            source.wait(lambda: source.cursors)
            source.brings("drained-1", "drained-2")
            source.then(lambda _, __: is_emitted.set())
            assert is_emitted.wait(PATIENCE_SECONDS)
            assert source.done == []
        assert run.is_whole
        assert facts(worked, "drained-") == ["drained-1", "drained-2"]

    def test_a_source_that_does_not_stop_is_not_waited_for_without_end(
        self, worked: Settings, shared: SharedCommits
    ) -> None:
        source, let_go = FakeSource(), threading.Event()

        def hang(emit: object, report: object) -> None:
            let_go.wait(PATIENCE_SECONDS)

        with running(worked, [source], open_commits=shared.open, drain_seconds=0.1) as run:
            source.wait_committed(source.brings("hangs"))
            source.then(hang)
        let_go.set()
        assert run.is_whole is False


def test_a_broken_connection_is_replaced_by_a_whole_one(worked: Settings, shared: SharedCommits) -> None:
    shared.close()
    source = FakeSource()
    faults = Faults(open_committer, [(duckdb.FatalException("database has been invalidated"), False)])
    with running(worked, [source], open_commits=faults.open):
        source.wait_committed(source.brings("replaced"))
    assert faults.opened == 2
    assert facts(worked, "replaced") == ["replaced"]
