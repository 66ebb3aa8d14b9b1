"""Dates and amounts are the numbers that a spreadsheet holds, not the part of them that it shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from event_pipeline.sources.sheet_columns import REGISTRATIONS
from event_pipeline.sources.sheet_numbers import number_columns, with_numbers
from event_pipeline_tests.sheets_server import Number, SheetsServer
from event_pipeline_tests.sources.sheets_organiser import Organiser

HEADER = ["Name", "Email", "Phone", "Attendance Status", "Attendance Time", "Registration Date", "Payment Amount"]


@pytest.fixture
def organiser() -> Iterator[Organiser]:
    with SheetsServer() as server:
        yield Organiser(server)


def fields(organiser: Organiser) -> list[dict[str, str]]:
    return [json.loads(change["payload"])["fields"] for change in organiser.poll()]


def test_a_display_cuts_nothing_off_dates_and_amounts(organiser: Organiser) -> None:
    phone: Any = Number("098765 43210", 9876543210)
    rows: list[Any] = [
        HEADER,
        ["A", "a@x.in", phone, "P", Number("8 Jun", 45816.4375), Number("Jun-25", 45809), Number("₹150", 150.4)],
        ["B", "b@x.in", "", "", "", "1/6/2025, 9:00:00 pm", Number("₹1,234.50", 1234.5)],
        ["C", "c@x.in", "", "", "", Number("1/6/2025, 9:00:00 pm", 45664.875), "₹150"],
    ]
    organiser.write(*rows)
    found = fields(organiser)
    assert found[0] == {
        "name": "A", "email": "a@x.in", "phone": "098765 43210", "attendance_status": "attended",
        "attendance_time": "2025-06-08T05:00:00Z", "registration_date": "2025-05-31T18:30:00Z",
        "payment_amount": "₹150.40",
    }  # fmt: skip
    assert [row["registration_date"] for row in found[1:]] == ["2025-06-01T15:30:00Z"] * 2
    assert [row["payment_amount"] for row in found[1:]] == ["₹1234.50", "₹150"]
    assert organiser.server.asked("batchGet") == 2
    assert fields(organiser) == []


def test_what_the_app_wrote_is_asked_for_once(organiser: Organiser) -> None:
    organiser.write(HEADER, ["A", "a@x.in", "", "Attended", "8/6/2025, 2:55:00 am", "1/6/2025, 9:00:00 pm", "N/A"])
    assert len(fields(organiser)) == 1
    assert organiser.server.asked("batchGet") == 1


@pytest.mark.parametrize(
    ("shown", "number", "read"),
    [
        ("₹150", 150, "₹150"), ("150", 149.5, "149.50"), ("$1,234", 1234.25, "$1234.25"),
        ("1.234,50 €", 1234.5, "1234.50 €"),
        ("150.00", 149.996, "150.00"), ("(150)", -150, "(150)"), ("15%", 0.15, "15%"), ("1.50E+02", 150, "1.50E+02"),
        ("-₹150", -150, "-₹150"), ("₹150 paid", 150.5, "₹150.50 paid"), ("12,5", 12.5, "12.50"),
    ],
)  # fmt: skip
def test_an_amount_keeps_its_currency_and_gets_its_decimals(shown: str, number: float, read: str) -> None:
    rows, exact = [["Name", "Email", "Amount"], ["A", "a@x.in", shown]], [[], ["A", "a@x.in", number]]
    assert with_numbers(rows, exact, number_columns(rows, REGISTRATIONS))[1] == ["A", "a@x.in", read]


def test_a_row_that_moved_between_the_readings_stays_as_shown() -> None:
    rows = [["Name", "Email", "Amount"], ["A", "a@x.in", "1"], ["B", "b@x.in", "2"]]
    exact = [["Name", "Email", "Amount"], ["B", "b@x.in", 2.5], ["B", "b@x.in", 2.5]]
    assert with_numbers(rows, exact, number_columns(rows, REGISTRATIONS)) == [*rows[:2], ["B", "b@x.in", "2.50"]]
    assert with_numbers(rows, [], number_columns(rows, REGISTRATIONS)) == rows
