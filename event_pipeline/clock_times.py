"""Times that clocks showed, without a zone. Pure: no I/O."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def instant_of_clock(local: datetime, zone: ZoneInfo) -> datetime:
    """When the zone's clocks showed this time, in UTC.

    A time that they showed twice, as they were put back, is the later one; one that they left out is counted on from
    before. The database reads times of documents in the same way. Raises OverflowError at the ends of the calendar.
    """
    return max(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
