"""Times without a zone mean the same instant wherever they are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest

from event_pipeline.clock_times import instant_of_clock
from event_pipeline.sources.sheet_dates import SheetLocale

CHANGES = [
    ("Europe/Berlin", "2025-03-30T02:00"),
    ("Europe/Berlin", "2025-10-26T02:00"),
    ("Pacific/Chatham", "2025-04-06T02:45"),
    ("Pacific/Chatham", "2025-09-28T02:45"),
    ("Australia/Lord_Howe", "2025-04-06T01:30"),
    ("America/New_York", "2025-11-02T01:00"),
    ("Asia/Kolkata", "2025-06-08T02:00"),
]
"""Zones, and clock times near which most of them put their clocks forward or back."""


@pytest.mark.parametrize(("zone", "near"), CHANGES)
def test_the_database_reads_them_alike(zone: str, near: str) -> None:
    clocks = [datetime.fromisoformat(near) + timedelta(minutes=15 * step) for step in range(-8, 12)]
    with duckdb.connect() as connection:
        query = "SELECT epoch_us(timezone(?, clock)) FROM unnest(?::TIMESTAMP[]) t(clock)"
        read = [micros for (micros,) in connection.execute(query, [zone, clocks]).fetchall()]
    ours = [instant_of_clock(clock, ZoneInfo(zone)) for clock in clocks]
    assert [datetime.fromtimestamp(micros / 1e6, UTC) for micros in read] == ours


def test_a_sheet_means_the_later_of_two() -> None:
    germany = SheetLocale.of("de_DE", "Europe/Berlin", "DE", "Europe/Berlin")
    assert germany.read("26.10.2025 02:30", False, False) == "2025-10-26T01:30:00Z"
