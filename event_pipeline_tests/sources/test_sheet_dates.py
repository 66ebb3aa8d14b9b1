"""Dates of a sheet are those its spreadsheet means, or none."""

from __future__ import annotations

import pytest

from event_pipeline.sources.sheet_dates import SheetLocale

INDIA = SheetLocale.of("en_IN", "Asia/Kolkata", "IN", "Asia/Kolkata")
AMERICA = SheetLocale.of("en_US", "America/New_York", "IN", "Asia/Kolkata")
CANADA = SheetLocale.of("en_CA", None, "IN", "Asia/Kolkata")
UNTOLD = SheetLocale.of(None, None, "IN", "Asia/Kolkata")
UNTOLD_AMERICAN = SheetLocale.of(None, "Nowhere/Nothing", "US", "America/New_York")


@pytest.mark.parametrize(
    ("locale", "typed", "instant"),
    [
        (INDIA, "8/6/2025, 2:55:00 am", "2025-06-07T21:25:00Z"),
        (INDIA, "8/6/2025, 2:55:00\u202fam", "2025-06-07T21:25:00Z"),
        (INDIA, "8/6/2025, 12:00:00 am", "2025-06-07T18:30:00Z"),
        (INDIA, "08-06-2025 14:55", "2025-06-08T09:25:00Z"),
        (INDIA, "8/6/25", "2025-06-07T18:30:00Z"),
        (INDIA, "8 Jun 2025", "2025-06-07T18:30:00Z"),
        (INDIA, "June 8, 2025 2:55 PM", "2025-06-08T09:25:00Z"),
        (INDIA, "08-Jun-25", "2025-06-07T18:30:00Z"),
        (INDIA, "8-Jun-2025 2:55 PM", "2025-06-08T09:25:00Z"),
        (INDIA, "Sunday, June 8, 2025", "2025-06-07T18:30:00Z"),
        (INDIA, "Sun 8 Jun 2025", "2025-06-07T18:30:00Z"),
        (INDIA, "8th June 2025", "2025-06-07T18:30:00Z"),
        (INDIA, "June 8, 2025 at 2:55 PM", "2025-06-08T09:25:00Z"),
        (INDIA, "2025-06-08 2:55 PM", "2025-06-08T09:25:00Z"),
        (INDIA, "8/6/2025 2:55PM", "2025-06-08T09:25:00Z"),
        (INDIA, "८/६/२०२५", "2025-06-07T18:30:00Z"),
        (INDIA, "6/20/2025", "2025-06-19T18:30:00Z"),
        (AMERICA, "6/8/2025 14:55:00", "2025-06-08T18:55:00Z"),
        (AMERICA, "6/8/2025, 2:55:00\u202fPM", "2025-06-08T18:55:00Z"),
        (AMERICA, "8/6/2025, 2:55:00 am", "2025-06-07T21:25:00Z"),
        (AMERICA, "20/6/2025", "2025-06-20T04:00:00Z"),
        (AMERICA, "8.6.2025 14:55", "2025-06-08T18:55:00Z"),
        (AMERICA, "2025-06-08 14:55", "2025-06-08T18:55:00Z"),
        (AMERICA, "2025/06/08 14:55:00", "2025-06-08T18:55:00Z"),
        (AMERICA, "11/2/2025 1:30 AM", "2025-11-02T06:30:00Z"),
        (AMERICA, "3/9/2025 2:30 AM", "2025-03-09T07:30:00Z"),
        (CANADA, "6/6/2025", "2025-06-05T18:30:00Z"),
        (UNTOLD, "8/6/2025", "2025-06-07T18:30:00Z"),
        (UNTOLD_AMERICAN, "6/8/2025", "2025-06-08T04:00:00Z"),
    ],
)
def test_a_date_is_read_in_the_order_of_the_spreadsheet(locale: SheetLocale, typed: str, instant: str) -> None:
    assert locale.read(typed, False, False) == instant


@pytest.mark.parametrize(
    ("serial", "instant"), [("45816", "2025-06-07T18:30:00Z"), ("45816.621527777781", "2025-06-08T09:25:00Z")]
)
def test_a_serial_number_is_days_since_the_end_of_1899(serial: str, instant: str) -> None:
    assert INDIA.read(serial, True, False) == instant


@pytest.mark.parametrize(
    "typed",
    [
        "31/2/2025",
        "20/20/2025",
        "soon",
        "8/6",
        "12",
        "8/6/2025, 14:55:00 pm",
        "99999",
        "8 Jun",
        "8 Jun 2:55",
        "8 Jun 14:55",
    ],
)
def test_what_no_calendar_has_stays_as_typed(typed: str) -> None:
    assert INDIA.read(typed, False, False) == typed


def test_a_date_with_two_readings_is_none() -> None:
    assert CANADA.read("8/6/2025", False, False) == "8/6/2025 (day or month first?)"
    assert AMERICA.opposed_by(["6/8/2025", "20/6/2025"])
    assert AMERICA.read("6/8/2025", False, True) == "6/8/2025 (day or month first?)"
    assert not INDIA.opposed_by(["6/8/2025", "20/6/2025", "soon"])
