"""The workbook of an event as its organisers know it from the app's Google Sheet.

Worksheets ``Registrations`` (title, empty row, header in row 3, a row for each registration), ``Team Members`` (a row
for each member besides the lead), ``Dashboard``, and tables of the payments. Instants and amounts are real ones in the
organisation's zone and currency; what is not known is ``N/A``, as the app writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from xlsxwriter.worksheet import Worksheet

from event_pipeline.contracts.currencies import major_units
from event_pipeline.exports.excel_cells import Formats, write_text
from event_pipeline.exports.excel_file import constant_memory_workbook
from event_pipeline.exports.sheet_answers import answer_text, members_of, questions_of

NOT_KNOWN = "N/A"
_HEADER_ROW = 2
_WIDTH = 20
_TIME = "d/m/yyyy, h:mm:ss am/pm"

_COMMON = (
    "S.No.", "Name", "Email", "Phone", "Student ID", "Department", "Year", "Registration Type", "Registration Status",
    "Attendance Status", "Attendance Time", "Registration Date",
)  # fmt: skip
_PAYMENT = ("Payment Verified", "Payment Amount", "Payment Screenshot")
_MEMBERS = (
    "S.No.", "Team Name", "Team Lead", "Team Lead Email", "Team Lead Phone", "Member Name", "Member Email",
    "Member Phone", "Student ID", "Department", "Year", "Status",
)  # fmt: skip

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole minor units."""

    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class EventHead:
    """What of the event its sheets need; ``custom_fields`` are its questions as JSON text."""

    title: str
    is_paid: bool
    custom_fields: str | None
    time_zone: str
    currency: str
    minor_units: int


@dataclass
class Written:
    """How many registrations there are in the sheet, and how many of each kind."""

    rows: int = 0
    counted: int = 0
    cancelled: int = 0
    duplicates: int = 0
    members: int = 0

    def count(self, row: Row) -> None:
        """Take in a registration."""
        self.rows += 1
        self.counted += row["is_counted"]
        self.cancelled += row["is_cancelled"]
        self.duplicates += row["is_duplicate"]


class EventWorkbook:
    """Written from top to bottom into a file; registrations first, then the dashboard, then ``close``."""

    def __init__(self, path: Path, event: EventHead) -> None:
        self._event = event
        self._zone = ZoneInfo(event.time_zone)
        self._questions = questions_of(event.custom_fields)
        self._book = constant_memory_workbook(path)
        self._formats = Formats(self._book, instant=_TIME)
        symbol = "₹" if event.currency == "INR" else f"{event.currency} "
        decimals = "." + "0" * (len(str(event.minor_units)) - 1) if event.minor_units > 1 else ""
        self._money = self._book.add_format({"num_format": f'"{symbol}"#,##0{decimals}'})
        self._share = self._book.add_format({"num_format": "0.0%"})
        paid = _PAYMENT if event.is_paid else ()
        labels = tuple(question.label for question in self._questions)
        self._registrations = self._sheet("Registrations", (*_COMMON, *labels, *paid, "Notes"))
        self._members = self._sheet("Team Members", _MEMBERS)
        self.written = Written()

    def add(self, rows: Iterable[Row]) -> None:
        """Registrations in the order of the sheet, with the members of their teams."""
        for row in rows:
            self.written.count(row)
            at = _HEADER_ROW + self.written.rows
            self._write_row(self._registrations, at, self._cells(row))
            for member in members_of(row):
                self.written.members += 1
                at = _HEADER_ROW + self.written.members
                self._write_row(self._members, at, self._member_cells(row, member))

    def add_dashboard(self, sections: Mapping[str, Sequence[tuple[str, Any]]]) -> None:
        """Figures by the section that they stand in."""
        sheet = self._sheet("Dashboard", ())
        at = _HEADER_ROW
        for section, figures in sections.items():
            sheet.write_string(at, 0, section, self._formats.heading)
            for label, value in figures:
                at += 1
                write_text(sheet, self._formats, at, 0, label)
                self._write(sheet, at, 1, value)
            at += 2

    def add_table(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """One more worksheet: the title, an empty row, the header in row 3, then the rows."""
        sheet = self._sheet(name, header)
        for number, cells in enumerate(rows, start=1):
            self._write_row(sheet, _HEADER_ROW + number, cells)

    def close(self) -> None:
        """Finish the file."""
        self._book.close()

    def _sheet(self, name: str, header: Sequence[str]) -> Worksheet:
        sheet = self._book.add_worksheet(name)
        sheet.set_column(0, max(len(header) - 1, 1), _WIDTH)
        write_text(sheet, self._formats, 0, 0, f"{self._event.title} - Event Registrations", self._formats.heading)
        for at, label in enumerate(header):
            write_text(sheet, self._formats, _HEADER_ROW, at, label, self._formats.heading)
        if header:
            sheet.freeze_panes(_HEADER_ROW + 1, 2)
        return sheet

    def _cells(self, row: Row) -> list[Any]:
        """The registration's values in the order of the header."""
        cells: list[Any] = [
            self.written.rows, row["name"], row["email"], row["phone"], row["student_id"], row["department"],
            row["year_of_study"], _word(row["registration_type"]), _word(row["registration_status"]),
            "Attended" if row["is_attended"] else "Not attended", row["attended_at"], row["registered_at"],
        ]  # fmt: skip
        cells += [answer_text(question, row) for question in self._questions]
        if self._event.is_paid:
            amount = row["amount_minor"]
            cells += [
                _payment_word(row),
                None if amount is None else Money(amount, row["payment_currency"] or self._event.currency),
                row["payment_screenshot_url"],
            ]
        return [*cells, row["notes"] or ""]

    def _member_cells(self, row: Row, member: Row) -> list[Any]:
        return [
            self.written.members, row["team_name"], row["name"], row["email"], row["phone"], member["name"],
            member["email"], member["phone"], member["student_id"], member["department"], member["year"],
            _word(row["registration_status"]),
        ]  # fmt: skip

    def _write_row(self, sheet: Worksheet, at: int, cells: Sequence[Any]) -> None:
        for column, value in enumerate(cells):
            self._write(sheet, at, column, value)

    def _write(self, sheet: Worksheet, at: int, column: int, value: Any) -> None:
        if value is None:
            sheet.write_string(at, column, NOT_KNOWN)
        elif isinstance(value, datetime):
            self._write_instant(sheet, at, column, value)
        elif isinstance(value, Money):
            self._write_money(sheet, at, column, value)
        elif isinstance(value, float):
            sheet.write_number(at, column, value, self._share)
        elif isinstance(value, int):
            sheet.write_number(at, column, value)
        else:
            write_text(sheet, self._formats, at, column, str(value))

    def _write_instant(self, sheet: Worksheet, at: int, column: int, value: datetime) -> None:
        local = value.astimezone(self._zone).replace(tzinfo=None)
        if local.year < 1900:
            sheet.write_string(at, column, local.isoformat())
        else:
            sheet.write_datetime(at, column, local, self._formats.instant)

    def _write_money(self, sheet: Worksheet, at: int, column: int, value: Money) -> None:
        if value.currency == self._event.currency:
            sheet.write_number(at, column, value.amount_minor / self._event.minor_units, self._money)
        else:
            sheet.write_string(at, column, f"{major_units(value.amount_minor, value.currency)} {value.currency}")


def _payment_word(row: Row) -> str | None:
    """Whether the payment is verified; a walk-in's mark as it was typed, as the sheet is all that tells it."""
    if row["is_payment_verified"]:
        return "Yes"
    if row.get("is_walk_in"):
        return {"pending": "No", "rejected": "Rejected"}.get(row.get("payment_status") or "")
    return "No"


def _word(text: str | None) -> str | None:
    """A state as the sheet shows it: Registered, Not attended."""
    return text.replace("_", " ").capitalize() if text else None
