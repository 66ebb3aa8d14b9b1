"""Marks of a sheet mean yes or no in the words that organisers use, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import pytest

from event_pipeline.sources.sheet_columns import REGISTRATIONS
from event_pipeline.sources.sheet_dates import SheetLocale
from event_pipeline.sources.sheet_layout import read_rows
from event_pipeline.sources.sheet_readings import read_cells

LOCALE = SheetLocale.of("en_IN", "Asia/Kolkata", "IN", "Asia/Kolkata")


def marks(header: str, *cells: Any) -> list[str | None]:
    rows = read_rows([["Name", "Email", header], *(["A", "a@x.in", cell] for cell in cells)], REGISTRATIONS)
    field = "attendance_status" if header == "Attendance" else "payment_verified"
    return [fields.get(field) for fields, _ in read_cells(rows, LOCALE)]


def test_marks_of_attendance_are_read_in_usual_words() -> None:
    came = [
        "Present",
        "P",
        "p.",
        "x",
        "✓",
        "√",
        "✔️",
        "👍",
        "TRUE",
        True,
        1,
        "1",
        "Y",
        "YES!",
        "Done",
        "Checked-in",
        "Came",
    ]
    assert marks("Attendance", *came) == ["attended"] * len(came)
    absent = [
        "Absent",
        "A",
        "AB",
        "✗",
        False,
        0,
        "no",
        "no-show",
        "No show",
        "Didn’t come",
        "did not attend",
        "not present",
    ]
    assert marks("Attendance", *absent) == ["not_attended"] * len(absent)


@pytest.mark.parametrize("cell", ["late", "Registered", "OD", "-", "Yes (late)", "2", "Attended", "not-attended"])
def test_other_marks_of_attendance_stay_as_typed(cell: str) -> None:
    assert marks("Attendance", cell) == [cell]


def test_letters_say_nothing_of_a_payment() -> None:
    assert marks("Payment Verified", "P", "A", "Done", "Paid", "1", "unpaid", 0) == [
        "P",
        "A",
        "yes",
        "yes",
        "yes",
        "no",
        "no",
    ]
