"""Our own workbook of an event, uploaded as its spreadsheet, changes nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.api.queries.workbook import _SELECT
from event_pipeline.exports.event_workbook import EventHead, EventWorkbook
from event_pipeline.models.registry import MODELS
from event_pipeline.settings import Settings, Spreadsheet
from event_pipeline.sources.change import Change
from event_pipeline.sources.google_sheets import GoogleSheetsSource
from event_pipeline_tests.exports.written import excel_sheets
from event_pipeline_tests.sheets_server import SheetsServer
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.warehouse.documents import changed, event, payment_event, qr_code, registration, scan
from event_pipeline_tests.warehouse.fixtures import memory_pipeline
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

__all__ = ["memory_pipeline"]

SHEET = "spreadsheet-of-the-event"
QUESTIONS = [{"id": "q1", "label": "Payment Status"}, {"id": "q2", "label": "Remarks"}]
VERIFIED = {"payment_status": "verified", "payment_amount": 150}
TYPED = [
    ["S.No.", "Name", "Email", "Phone", "Department", "Attendance Status", "Attendance Time", "Registration Date",
     "Payment Verified", "Payment Amount", "Notes"],
    ["1", "Typed", "typed@example.org", "", "", "", "", "", "Yes", "₹150", "paid in cash"],
    ["2", "Walk In", "walk-in@example.org", "", "ECE", "Attended", "8/6/2025, 10:20:00 am", "8/6/2025, 10:15:00 am",
     "Yes", "₹100", ""],
    ["3", "No Mail", "", "98765 43210", "", "Attended", "8/6/2025, 10:21:00 am", "8/6/2025, 10:16:00 am", "", "",
     "late"],
    ["4", "Unpaid", "unpaid@example.org", "", "", "", "", "8/6/2025, 10:17:00 am", "No", "₹100", ""],
]  # fmt: skip


def registered(key: str, person: str, **more: Any) -> Change:
    return changed("registrations", key, registration(person, **more))


STORY: list[Change] = [
    changed("events", "e1", event(requires_payment=True, payment_amount=150, custom_fields=QUESTIONS)),
    registered("typed", "typed", payment_status="pending", payment_amount=150),
    registered("scanned", "scanned", **VERIFIED, additional_info={"custom_fields": {"q1": "Yes", "q2": "vegan"}}),
    changed("scans", "s1", scan(qr_code("scanned", "scanned"), "2025-06-08T04:40:00.750Z")),
    changed("payment_events", "p1", payment_event("scanned")),
    registered("refunded", "refunded", **VERIFIED),
    changed("payment_events", "p2", payment_event("refunded")),
    changed("payment_events", "p3", payment_event("refunded", "refunded", occurred_at="2025-06-04T00:00:00.000Z")),
    registered("marked", "marked", attendance_status="attended", attendance_timestamp="2025-06-08T04:45:30.250Z"),
    registered("cancelled", "cancelled", **VERIFIED, status="cancelled"),
    registered("twice-a", "twice"),
    registered("twice-b", "twice", registration_date="2025-06-02T00:00:00.000Z"),
    changed("scans", "s2", scan(qr_code("twice-b", "twice"), "2025-06-08T04:41:00.125Z")),
    registered("team", "team", registration_type="team", additional_info={
        "team_name": "Alpha", "team_members": [{"name": "Mina"}, {"name": "Ravi", "rollNumber": "22"}]}),
    registered("daughter", "parent", participant_name="Daughter Rao"),
    registered("son", "parent", participant_name="Son Rao", attendance_status="attended",
               attendance_timestamp="2025-06-08T04:46:00.000Z"),
    registered("unmailed-1", "unmailed", participant_email=None),
    registered("unmailed-2", "other", participant_email=None, participant_phone=None),
]  # fmt: skip


@pytest.fixture
def server() -> Iterator[SheetsServer]:
    with SheetsServer() as running:
        yield running


def shown(cell: Any) -> Any:
    """A cell as Google formats it."""
    if isinstance(cell, datetime):
        clock = cell.strftime("%I:%M:%S %p").lstrip("0").lower()
        return f"{cell.day}/{cell.month}/{cell.year}, {clock}"
    return "" if cell is None else str(cell)


def unformatted(cell: Any) -> Any:
    """A cell as Google's UNFORMATTED_VALUE and SERIAL_NUMBER give it."""
    if isinstance(cell, datetime):
        return (cell - datetime(1899, 12, 30)).total_seconds() / 86_400  # noqa: DTZ001
    return "" if cell is None else cell


def untidied(rows: list[list[Any]], seed: int) -> list[list[Any]]:
    """People's rows sorted anew and columns moved."""
    chance = random.Random(seed)
    title, header, body = rows[:2], rows[2], rows[3:]
    chance.shuffle(body)
    order = list(range(len(header)))
    chance.shuffle(order)
    return [*title, *([row[at] for at in order] for row in (header, *body))]


class Upload:
    """A pipeline whose event has one spreadsheet, which is read after each ``put``."""

    def __init__(self, pipeline: MemoryPipeline, server: SheetsServer) -> None:
        self.pipeline, self.server, self.lake = pipeline, server, MemoryLake()
        self.source = GoogleSheetsSource(Settings(), endpoint=server.endpoint)
        pipeline.clear()
        pipeline.commit(*STORY)

    def put(self, **worksheets: Sequence[Sequence[Any]]) -> None:
        self.server.put(SHEET, str(len(self.server.requests)), **worksheets)
        spreadsheets = [Spreadsheet(spreadsheet_id=SHEET, event_id="e1")]
        for batch in self.source.poll(spreadsheets, self.lake.cursors, self.lake):
            self.pipeline.commit(*(Change(**row) for row in self.lake.commit(batch)))
        self.pipeline.refresh()

    def tables(self) -> dict[str, list[str]]:
        """Every table of the warehouse, without what says when a row was last read."""
        names = [name for name in MODELS if name.startswith(("core.", "marts."))]
        return {
            name: sorted(str({key: _to_the_second(value) for key, value in row.items()
                              if (name, key) != ("core.fact_payments", "occurred_at")})
                         for row in self.pipeline.rows(name))
            for name in names
        }  # fmt: skip

    def workbook(self, path: Path) -> dict[str, list[list[Any]]]:
        head = EventHead("Robo Wars", True, json.dumps(QUESTIONS), "Asia/Kolkata", "INR", 100)
        book = EventWorkbook(path, head)
        query = _SELECT.replace(" AT (VERSION => {snapshot})", "").replace("$event_id", "'e1'")
        book.add(self.pipeline.connection.execute(query).to_arrow_table().to_pylist())
        book.close()
        return excel_sheets(path.read_bytes())


def _to_the_second(value: Any) -> Any:
    return value.replace(microsecond=0) if isinstance(value, datetime) else value


@pytest.mark.parametrize("written", [shown, unformatted])
def test_the_uploaded_workbook_changes_nothing(
    memory_pipeline: MemoryPipeline, server: SheetsServer, tmp_path: Path, written: Callable[[Any], Any]
) -> None:
    upload = Upload(memory_pipeline, server)
    upload.put(Registrations=TYPED)
    before = upload.tables()
    assert len(before["core.fact_registrations"]) == 15
    sheets = upload.workbook(tmp_path / "book.xlsx")
    cells = {title: [[written(cell) for cell in row] for row in rows] for title, rows in sheets.items()}
    for seed in (None, 1):
        rows = cells["Registrations"] if seed is None else untidied(cells["Registrations"], seed)
        upload.put(Registrations=rows, Team_Members=cells["Team Members"], Dashboard=[["Total", 3]])
        after = upload.tables()
        changed_rows = {name: set(after[name]) ^ set(before[name]) for name in before}
        assert {name: rows for name, rows in changed_rows.items() if rows} == {}
