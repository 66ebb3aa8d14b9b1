"""Spreadsheets followed live, on a local server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from event_pipeline.settings import Settings, Sheets, Spreadsheet, Stream
from event_pipeline.sources.google_sheets import GoogleSheetsSource
from event_pipeline.stream.sources.files_and_sheets import SheetsWatch
from event_pipeline_tests.sheets_server import SheetsServer
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.sources.sheets_organiser import ASHA, HEADER, QUIZ, RAVI
from event_pipeline_tests.stream.sources.following import following

ROWS = "sheet_rows"


@pytest.fixture
def server() -> Iterator[SheetsServer]:
    with SheetsServer() as server:
        yield server


def watch(server: SheetsServer, *spreadsheet_ids: str) -> SheetsWatch:
    settings = Settings(sheets=Sheets(reads_per_minute=1_000), stream=Stream(sheets_seconds=0.02))
    source = GoogleSheetsSource(settings, endpoint=server.endpoint, sleep=lambda seconds: None)
    wanted = [Spreadsheet(spreadsheet_id=item, event_id="event-1") for item in spreadsheet_ids or (QUIZ,)]
    return SheetsWatch(settings, lambda: wanted, source)


def write(server: SheetsServer, at: int, *rows: list[str]) -> None:
    server.put(QUIZ, f"2025-06-08T00:00:{at:02d}.000Z", Registrations=[HEADER, *rows])


def test_edits_and_removed_rows_come_by_themselves(server: SheetsServer, lake: MemoryLake):
    write(server, 1, ASHA)
    with following(watch(server), lake) as run:
        run.wait(lambda: len(lake.ids(ROWS)) == 1)
        write(server, 2, ASHA, RAVI)
        run.wait(lambda: len(lake.ids(ROWS)) == 2)
        write(server, 3, RAVI)
        run.wait(lambda: len(lake.ids(ROWS)) == 1)
    assert run.states() == ["connecting", "live"]
    assert len(run.changes()) >= 3


def test_restart_reads_nothing_that_did_not_change(server: SheetsServer, lake: MemoryLake):
    write(server, 1, ASHA)
    with following(watch(server), lake) as run:
        run.wait(lambda: lake.ids(ROWS))
    before = server.asked("values:batchGet")
    with following(watch(server), lake) as run:
        run.wait_state("live", ROWS)
    assert run.changes() == []
    assert server.asked("values:batchGet") == before


def test_an_outage_is_reported_and_outlived(server: SheetsServer, lake: MemoryLake):
    write(server, 1, ASHA)
    server.fail("/spreadsheets/", times=6, status=503, body={"error": {"code": 503, "message": "busy"}})
    with following(watch(server), lake) as run:
        run.wait_state("unavailable", ROWS)
        run.wait(lambda: lake.ids(ROWS))
        run.wait_state("live", ROWS)
    assert run.states() == ["connecting", "unavailable", "live"]


def test_a_refused_spreadsheet_is_reported_and_keeps_no_other(server: SheetsServer, lake: MemoryLake):
    write(server, 1, ASHA)
    with following(watch(server, "no-such-spreadsheet", QUIZ), lake) as run:
        run.wait(lambda: lake.ids(ROWS))
        assert "no-such-spreadsheet" in run.wait_state("refused", ROWS).message
        write(server, 2, ASHA, RAVI)
        run.wait(lambda: len(lake.ids(ROWS)) == 2)
