"""An organiser's spreadsheet on a local server, polled into a lake in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from event_pipeline.settings import Settings, Sheets, Spreadsheet
from event_pipeline.sources.google_sheets import GoogleSheetsSource
from event_pipeline_tests.sheets_server import SheetsServer
from event_pipeline_tests.sources.memory_lake import MemoryLake

QUIZ, HACKATHON = "quiz-spreadsheet", "hackathon-spreadsheet"
HEADER = ["S.No.", "Name", "Email", "Phone", "Attendance Status", "Notes"]
ASHA = ["1", "Asha", "asha@x.in", "987", "Attended", ""]
RAVI = ["2", "Ravi", "ravi@x.in", "986", "Not Attended", "came late"]
MEMBER_HEADER = ["Serial No.", "Team Name", "Team Lead Email", "Member Name"]


class Organiser:
    """A source on a local server, and the lake that its batches go to. Waits are noted, not waited."""

    def __init__(self, server: SheetsServer, reads_per_minute: int = 1_000, timeout_seconds: float = 10.0) -> None:
        self.server, self.lake = server, MemoryLake()
        self.waits: list[float] = []
        self.source = GoogleSheetsSource(
            Settings(sheets=Sheets(reads_per_minute=reads_per_minute)),
            endpoint=server.endpoint,
            sleep=self.waits.append,
            timeout_seconds=timeout_seconds,
        )

    def poll(self, *spreadsheet_ids: str, event_id: str | None = "event-1") -> list[dict[str, Any]]:
        """Poll and commit; returns the changes."""
        spreadsheets = [Spreadsheet(spreadsheet_id=item, event_id=event_id) for item in spreadsheet_ids or (QUIZ,)]
        changes = []
        for batch in self.source.poll(spreadsheets, self.lake.cursors, self.lake):
            changes += self.lake.commit(batch)
        return changes

    def write(
        self, *rows: Sequence[str], at: str = "2025-06-08T00:00:00.000Z", **more: Sequence[Sequence[str]]
    ) -> None:
        """The quiz spreadsheet with these rows in Registrations."""
        self.server.put(QUIZ, at, Registrations=rows, **more)

    def rows(self) -> list[str]:
        """Ids of the rows that the lake holds."""
        return sorted(self.lake.in_range("sheet_rows"))
