"""This machine's clock goes back or jumps ahead: what is written afterwards is not masked by what was seen before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from event_pipeline.settings import Firebase, Settings
from event_pipeline.sources import google_sheets
from event_pipeline.sources.realtime_database import RealtimeDatabaseSource
from event_pipeline.stream.heartbeat import Heartbeat, SourceBeat, Standing, covers, write_heartbeat
from event_pipeline_tests.realtime_database_server import running_realtime_database
from event_pipeline_tests.sheets_server import SheetsServer
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.sources.sheets_organiser import ASHA, HEADER, QUIZ, RAVI, Organiser

NOON = datetime(2026, 6, 8, 12, tzinfo=UTC)
BACK = timedelta(hours=-3)


class Clock:
    """Says what it is set to."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self, zone: object = None) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def organiser(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Organiser]:
    monkeypatch.setattr(google_sheets, "datetime", clock)
    with SheetsServer() as server:
        yield Organiser(server)


def test_what_is_typed_into_a_sheet_after_the_clock_went_back_counts(organiser: Organiser, clock: Clock) -> None:
    organiser.write(HEADER, ASHA, RAVI)
    organiser.poll()
    clock.at += BACK
    organiser.write(HEADER, [*RAVI[:4], "Attended"], at="2025-06-08T01:00:00.000Z")
    changes = organiser.poll()
    assert {change["operation"] for change in changes} == {"upsert", "delete"}
    assert organiser.rows() == [f"{QUIZ}/email:ravi@x.in"]
    assert '"Attended"' in organiser.lake.payload("sheet_rows", f"{QUIZ}/email:ravi@x.in")
    organiser.write(HEADER, [*RAVI[:4], "Attended"], at="2025-06-08T02:00:00.000Z")
    assert organiser.poll() == [], "it is not a change again at each look"


def test_what_is_written_to_the_realtime_database_after_the_clock_went_back_counts(clock: Clock) -> None:
    lake = MemoryLake()
    with running_realtime_database() as database:
        firebase = Firebase(backend="realtime_database", database_url=database.url)
        source = RealtimeDatabaseSource(firebase, now=clock.now, sleep=lambda _: None)
        database.data["clubs"] = {"c1": {"name": "Robotics"}, "c2": {"name": "Chess"}}
        assert len(lake.poll(source, "clubs")) == 2
        clock.at += BACK
        database.data["clubs"] = {"c1": {"name": "Robotics and more"}}
        assert len(lake.reconcile(source, "clubs")) == 2
        assert lake.payload("clubs", "c1") == '{"name":"Robotics and more"}'
        assert lake.ids("clubs") == ["c1"]
        assert lake.reconcile(source, "clubs") == []
        source.close()


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["ahead", "back"])
def test_a_heartbeat_of_another_time_covers_nothing(settings: Settings, jump: timedelta) -> None:
    beat = SourceBeat("inbox", {"*": Standing("live", NOON)})
    write_heartbeat(settings, Heartbeat(1, NOON, NOON, "following", {"inbox": beat}))
    assert covers(settings, "inbox", NOON)
    assert not covers(settings, "inbox", NOON + jump)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)
