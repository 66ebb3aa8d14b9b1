"""Four real sources in one worker: while one of them is away, slow, cut or answers garbage, the others go on.

Its state shows, and what was written meanwhile comes in once it answers again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import grpc
import pytest

from event_pipeline.settings import Firebase, Settings, Spreadsheet, Stream
from event_pipeline.sources.google_sheets import GoogleSheetsSource
from event_pipeline.stream.build import PlannedSource
from event_pipeline.stream.sources import follower
from event_pipeline.stream.sources.files_and_sheets import InboxWatch, SheetsWatch
from event_pipeline.stream.sources.firestore_listen import FirestoreListen
from event_pipeline.stream.sources.live_source import ALL, LiveState
from event_pipeline.stream.sources.realtime_database_events import RealtimeDatabaseEvents
from event_pipeline.warehouse.connection import connect
from event_pipeline_tests.faults.verdict import wait_until
from event_pipeline_tests.realtime_database_server import Fault, RealtimeDatabase, running_realtime_database
from event_pipeline_tests.scripted_listen_server import PROJECT, ScriptedListen, scripted_listen_server
from event_pipeline_tests.sheets_server import SheetsServer
from event_pipeline_tests.sources.firestore_organisation import ago
from event_pipeline_tests.sources.sheets_organiser import HEADER, QUIZ
from event_pipeline_tests.stream.conftest import SharedCommits, shared, worked
from event_pipeline_tests.stream.live import Run, running
from event_pipeline_tests.warehouse.documents import qr_code, registration, scan

__all__ = ["shared", "worked"]

pytestmark = pytest.mark.slow

TABLES = {
    "firestore": "raw.firebase_registrations",
    "realtime_database": "raw.firebase_clubs",
    "google_sheets": "raw.sheets_rows",
    "inbox": "raw.inbox_scans",
}
GARBAGE = "<html>Bad gateway</html>"


@dataclass
class World:
    """Where the four sources read, and what was written there."""

    settings: Settings
    script: ScriptedListen
    database: RealtimeDatabase
    sheets: SheetsServer
    run: Run | None = None
    wrote: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TABLES, 0))

    def write(self, source: str) -> None:
        """One more document there."""
        self.wrote[source] += 1
        name = f"n{self.wrote[source]}"
        if source == "firestore":
            self.script.set("registrations", **{name: registration(name)})
        elif source == "realtime_database":
            self.database.put(f"/clubs/{name}", {"name": name})
        elif source == "google_sheets":
            people = [["1", f"n{at}", f"n{at}@x.in"] for at in range(1, self.wrote[source] + 1)]
            self.sheets.put(QUIZ, ago(seconds=0) + name, Registrations=[HEADER, *people])
        else:
            path = self.settings.inbox_dir / f"{name}.part"
            path.write_text(json.dumps(scan(qr_code(name))) + "\n")
            path.rename(path.with_suffix(".ndjson"))

    def wait_committed(self, source: str) -> None:
        """Until the lake holds all that was written there, once."""
        wait_until(lambda: self._counts(source) == (self.wrote[source],) * 2, lambda: (source, self._counts(source)))

    def wait_state(self, source: str, *states: LiveState) -> str:
        """Until the source is in one of the states; returns its message."""

        def worst() -> tuple[LiveState, str]:
            assert self.run is not None
            standing = self.run.worker._register.beats()[source].worst
            return standing.state, standing.message

        wait_until(lambda: worst()[0] in states, worst)
        return worst()[1]

    def _counts(self, source: str) -> tuple[int, int]:
        with connect(self.settings, ("lake",), read_only=True) as connection:
            ((rows, documents),) = connection.execute(
                f"SELECT count(*), count(DISTINCT document_id) FROM lake.{TABLES[source]} WHERE source = ?", [source]
            ).fetchall()
        return rows, documents


def planned(world: World) -> list[PlannedSource]:
    """As ``plan_sources`` does, but at the servers of this test and with waits that are over soon."""
    stream = Stream(inbox_milliseconds=20, sheets_seconds=0.1, silent_seconds=2, refused_seconds=0.3)
    firestore = Firebase(backend="firestore", project_id=PROJECT, collections=("registrations",))
    database = Firebase(backend="realtime_database", database_url=world.database.url, collections=("clubs",))
    settings = world.settings.model_copy(update={"stream": stream})
    sheets = GoogleSheetsSource(settings, endpoint=world.sheets.endpoint, timeout_seconds=0.5, sleep=lambda _: None)
    spreadsheet = Spreadsheet(spreadsheet_id=QUIZ, event_id="e1")
    return [
        PlannedSource("inbox", (ALL,), lambda _: InboxWatch(settings.inbox_dir, 100, stream, 30)),
        PlannedSource(
            "firestore", ("registrations",), lambda _: FirestoreListen(firestore, stream, world.script.client())
        ),
        PlannedSource("realtime_database", ("clubs",), lambda _: RealtimeDatabaseEvents(database, stream)),
        PlannedSource("google_sheets", ("sheet_rows",), lambda _: SheetsWatch(settings, lambda: [spreadsheet], sheets)),
    ]


@pytest.fixture(scope="module")
def world(worked: Settings, shared: SharedCommits) -> Iterator[World]:
    """A worker that follows all four, for every test here."""
    worked.inbox_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(follower, "backoff_seconds", lambda attempts: 0.2)
        world = World(
            worked,
            stack.enter_context(scripted_listen_server()),
            stack.enter_context(running_realtime_database()),
            stack.enter_context(SheetsServer()),
        )
        for source in TABLES:
            world.write(source)
        world.run = stack.enter_context(running(worked, planned(world), open_commits=shared.open))
        for source in TABLES:
            world.wait_committed(source)
        yield world


Act = Callable[[World], object]


def _lift_firestore(world: World) -> None:
    world.script.refusals.clear()
    world.script.is_silent = False
    world.script.end("registrations", grpc.StatusCode.UNAVAILABLE, "back again")


def _refuse_firestore(code: grpc.StatusCode) -> Act:
    def act(world: World) -> None:
        world.script.refusals["registrations"] = (code, "as the test says")
        world.script.end("registrations", code, "as the test says")

    return act


def _fail_database(*faults: Fault) -> Act:
    def act(world: World) -> None:
        world.database.faults += list(faults) * 1_000
        world.database.cut()

    return act


def _fail_sheets(**fault: object) -> Act:
    return lambda world: world.sheets.fail(QUIZ, times=100_000, **fault)


FAULTS: dict[str, tuple[str, Act, tuple[LiveState, ...]]] = {
    "firestore is down": ("firestore", _refuse_firestore(grpc.StatusCode.UNAVAILABLE), ("unavailable",)),
    "firestore resets": ("firestore", _refuse_firestore(grpc.StatusCode.INTERNAL), ("unavailable",)),
    "firestore refuses": ("firestore", _refuse_firestore(grpc.StatusCode.PERMISSION_DENIED), ("refused",)),
    "firestore is silent": ("firestore", lambda world: setattr(world.script, "is_silent", True), ("silent",)),
    "database is down": ("realtime_database", _fail_database(Fault(503, "{}")), ("unavailable",)),
    "database answers garbage": ("realtime_database", _fail_database(Fault(body=GARBAGE)), ("unavailable", "refused")),
    "database is cut short": ("realtime_database", _fail_database(Fault(keep=9)), ("unavailable",)),
    "sheets are down": ("google_sheets", _fail_sheets(status=503, body={}), ("unavailable",)),
    "sheets are slow": ("google_sheets", _fail_sheets(stall=True), ("unavailable",)),
    "sheets are cut short": ("google_sheets", _fail_sheets(cut=0.5), ("unavailable",)),
    "sheets answer garbage": ("google_sheets", _fail_sheets(body=GARBAGE), ("unavailable", "refused")),
}


def _lift(world: World, source: str) -> None:
    if source == "firestore":
        _lift_firestore(world)
    elif source == "realtime_database":
        world.database.faults.clear()
    else:
        world.sheets.faults.clear()


@pytest.mark.parametrize("name", FAULTS)
def test_one_source_fails_and_the_others_go_on(world: World, name: str) -> None:
    source, fail, states = FAULTS[name]
    fail(world)
    try:
        assert world.wait_state(source, *states)
        world.write(source)
        for other in TABLES.keys() - {source}:
            world.write(other)
        for other in TABLES.keys() - {source}:
            world.wait_committed(other)
    finally:
        _lift(world, source)
    world.wait_committed(source)
    world.wait_state(source, "live")
