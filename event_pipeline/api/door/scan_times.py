"""When a scan counts, by the same rules as models.core.scan_times has for the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from event_pipeline.contracts.door_scans import CLOCK_AHEAD, OFFLINE_FOR


@dataclass(frozen=True, slots=True)
class ScanTime:
    """The time at which a scan counts; ``is_other_day`` when that is a believed time on no day of the event."""

    at: datetime
    is_corrected: bool
    is_other_day: bool


def scan_time(
    scanned_at: datetime | None, received_at: datetime, days: tuple[date, date] | None, zone: ZoneInfo
) -> ScanTime:
    """The time of a scan that the phone says was at ``scanned_at`` (None: unreadable) and that was received then.

    ``days`` are the first and last day on which the event's codes are good; None for an event without a start.
    """
    if scanned_at is not None:
        is_of_event = days is not None and days[0] <= _local_day(scanned_at, zone) <= days[1]
        is_recent = received_at - OFFLINE_FOR <= scanned_at <= received_at + CLOCK_AHEAD
        if is_recent or (is_of_event and scanned_at <= received_at):
            return ScanTime(scanned_at, is_corrected=False, is_other_day=days is not None and not is_of_event)
    return ScanTime(received_at, is_corrected=True, is_other_day=False)


def _local_day(at: datetime, zone: ZoneInfo) -> date:
    try:
        return at.astimezone(zone).date()
    except OverflowError:  # at the ends of the calendar
        return at.date()
