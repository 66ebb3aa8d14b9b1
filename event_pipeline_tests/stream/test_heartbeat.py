"""The sign of life: believed while it is fresh, and only for the sources that are followed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from event_pipeline.increments.rebuild import marker
from event_pipeline.settings import Settings, Stream
from event_pipeline.stream.heartbeat import (
    Heartbeat,
    Phase,
    SourceBeat,
    Standing,
    covers,
    heartbeat_path,
    read_heartbeat,
    uncovered,
    write_heartbeat,
)
from event_pipeline.stream.pulse import REBUILD_SECONDS, STUCK_SECONDS, Pulse
from event_pipeline.stream.register import REPEATED_SECONDS, Register
from event_pipeline.stream.sources.live_source import LiveReport, LiveState

NOW = datetime(2025, 6, 8, 4, 30, tzinfo=UTC)


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, stream=Stream(heartbeat_seconds=15))


def beat(
    states: dict[str, LiveState],
    *,
    at: datetime = NOW,
    phase: Phase = "following",
    failing_since: datetime | None = None,
) -> Heartbeat:
    standings = {collection: Standing(state, NOW, "") for collection, state in states.items()}
    source = SourceBeat("firestore", standings, NOW)
    return Heartbeat(7, NOW, at, phase, {"firestore": source}, 3, 20, 0.25, 4, failing_since, "")


def test_what_is_written_is_read(here: Settings) -> None:
    said = beat({"events": "live"})
    write_heartbeat(here, said)
    assert read_heartbeat(here) == said


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "at": 3}', "\x00\xff"])
def test_a_file_that_is_no_heartbeat_covers_nothing(here: Settings, text: str) -> None:
    heartbeat_path(here).parent.mkdir(parents=True)
    heartbeat_path(here).write_text(text)
    assert read_heartbeat(here) is None
    assert not covers(here, "firestore", NOW)


def test_nothing_is_covered_where_no_worker_runs(here: Settings) -> None:
    assert not covers(here, "firestore", NOW)
    assert uncovered(here, "firestore", ["events"], NOW) == ["events"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [("live", True), ("connecting", True), ("silent", False), ("unavailable", False), ("refused", False)],
)
def test_a_source_is_covered_while_it_is_followed(here: Settings, state: LiveState, expected: bool) -> None:
    write_heartbeat(here, beat({"*": state}))
    assert covers(here, "firestore", NOW) is expected
    assert not covers(here, "inbox", NOW)
    assert (uncovered(here, "firestore", ["events"], NOW) == []) is expected


def test_only_the_collections_that_fare_badly_are_left_to_others(here: Settings) -> None:
    write_heartbeat(here, beat({"events": "refused", "registrations": "live"}))
    assert not covers(here, "firestore", NOW)
    assert uncovered(here, "firestore", ["registrations", "events", "clubs"], NOW) == ["events", "clubs"]


@pytest.mark.parametrize(("seconds", "expected"), [(15, True), (15.1, False), (-15, True), (-3600, False)])
def test_it_is_believed_for_so_long(here: Settings, seconds: float, expected: bool) -> None:
    write_heartbeat(here, beat({"events": "live"}))
    assert covers(here, "firestore", NOW + timedelta(seconds=seconds)) is expected


def test_a_worker_that_cannot_commit_for_long_or_stops_covers_nothing(here: Settings) -> None:
    write_heartbeat(here, beat({"events": "live"}, failing_since=NOW - timedelta(seconds=50)))
    assert covers(here, "firestore", NOW)
    write_heartbeat(here, beat({"events": "live"}, failing_since=NOW - timedelta(seconds=70)))
    assert not covers(here, "firestore", NOW)
    write_heartbeat(here, beat({"events": "live"}, phase="stopping"))
    assert not covers(here, "firestore", NOW)


class TestPulse:
    @pytest.fixture
    def pulse(self, here: Settings) -> Pulse:
        self.now = 0.0
        return Pulse(here, lambda at, phase: beat({"events": "live"}, at=at, phase=phase), clock=lambda: self.now)

    def written(self, here: Settings) -> Phase | None:
        """The phase of a heartbeat written since the last look."""
        found = read_heartbeat(here)
        heartbeat_path(here).unlink(missing_ok=True)
        return found.phase if found else None

    def test_beats_while_the_loop_goes_on_and_not_when_it_hangs(self, here: Settings, pulse: Pulse) -> None:
        pulse.progress("following")
        self.now += STUCK_SECONDS
        pulse.beat()
        assert self.written(here) == "following"
        self.now += 1
        pulse.beat()
        assert self.written(here) is None
        pulse.progress("following")
        pulse.beat()
        assert self.written(here) == "following"

    def test_a_rebuild_may_take_longer_but_not_for_ever(self, here: Settings, pulse: Pulse) -> None:
        marker(here).parent.mkdir(parents=True)
        marker(here).touch()
        pulse.progress("following")
        pulse.beat()
        assert self.written(here) == "following", "the loop goes on beside somebody else's rebuild"
        self.now += REBUILD_SECONDS
        pulse.beat()
        assert self.written(here) == "rebuilding"
        self.now += 1
        pulse.beat()
        assert self.written(here) is None

    def test_a_first_start_may_take_as_long(self, here: Settings, pulse: Pulse) -> None:
        self.now += REBUILD_SECONDS
        pulse.beat()
        assert self.written(here) == "starting"

    def test_a_disk_that_takes_nothing_stops_nothing(self, here: Settings, pulse: Pulse) -> None:
        (here.data_dir / "stream").write_text("a file where the folder should be")
        pulse.beat()
        assert read_heartbeat(here) is None

    def test_it_ends_with_the_worker(self, here: Settings, pulse: Pulse) -> None:
        pulse.start()
        pulse.end()
        assert not pulse.is_alive()
        assert not heartbeat_path(here).exists()


class TestRegister:
    def report(self, state: LiveState, collection: str = "events", message: str = "") -> LiveReport:
        return LiveReport("firestore", collection, state, message, datetime.now(UTC))

    def test_the_latest_report_of_each_collection_waits_to_be_committed(self) -> None:
        woken: list[None] = []
        register = Register(lambda: woken.append(None))
        register.expect("firestore", ["events", "clubs"])
        live = self.report("live")
        register.report(live)
        assert [(r.collection, r.state) for r in register.pending()] == [("events", "live"), ("clubs", "connecting")]
        assert len(woken) == 3

    def test_what_was_said_during_the_commit_still_waits_after_it(self) -> None:
        register = Register()
        register.report(self.report("live"))
        committing = register.pending()
        register.report(self.report("refused", message="grant a role"))
        register.written(committing)
        assert [report.state for report in register.pending()] == ["refused"]

    def test_the_same_state_said_again_is_no_news_and_keeps_its_beginning(self) -> None:
        register = Register()
        first = self.report("live")
        register.report(first)
        register.written(register.pending())
        register.report(self.report("live"))
        assert register.pending() == []
        assert register.beats()["firestore"].collections["events"].since == first.at

    def test_a_source_that_stays_live_is_written_again_after_a_while(self) -> None:
        now = [0.0]
        register = Register(clock=lambda: now[0])
        live, refused = self.report("live"), self.report("refused", "clubs")
        register.report(live)
        register.report(refused)
        register.written(register.pending())
        now[0] = REPEATED_SECONDS - 1
        assert register.pending() == []
        now[0] = REPEATED_SECONDS
        assert register.pending() == [live]
        register.written([live])
        assert register.pending() == []

    def test_a_source_that_broke_is_unavailable_in_all_it_follows(self) -> None:
        register = Register()
        register.expect("firestore", ["events", "clubs"])
        register.report(self.report("live"))
        register.fail("firestore", "it broke")
        beats = register.beats()["firestore"]
        assert {standing.state for standing in beats.collections.values()} == {"unavailable"}
        assert beats.worst.message == "it broke"

    def test_once_closed_everything_is_stopped_whatever_sources_say(self) -> None:
        register = Register()
        register.expect("firestore", ["events"])
        register.close()
        register.report(self.report("unavailable", message="the worker is stopping"))
        assert [(report.state, report.message) for report in register.pending()] == [("stopped", "")]
