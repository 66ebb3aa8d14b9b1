"""When a scan counts: the phone's time where it is believable, else the time at which it was received."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts.door_scans import CLOCK_AHEAD, DAYS_AROUND, OFFLINE_FOR, RECEIVER_AHEAD
from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import local_date


def timed_scans(scans: ir.Table, dim_events: ir.Table, locale: Locale) -> ir.Table:
    """One row per scan, with occurred_at, is_clock_corrected and is_other_day. From staging.scans, core.dim_events.

    The door decides by the same rules in api.door.scan_times. A corrected time says nothing about the day.
    """
    joined = scans.left_join(_days(dim_events, locale), "claimed_event_id").drop("claimed_event_id_right")
    # Without a time of receipt any time before the record was observed is believed: old files are imported so.
    is_told = (joined.received_at <= joined.version_at + ibis.literal(RECEIVER_AHEAD)).fill_null(False)
    received_at = ibis.ifelse(is_told, joined.received_at, joined.version_at)
    seen = joined.mutate(
        _received_at=received_at,
        _oldest_at=ibis.ifelse(is_told, received_at - ibis.literal(OFFLINE_FOR), joined.scanned_at),
    )
    day = local_date(seen.scanned_at, locale.time_zone)
    of_event = seen.mutate(_is_of_event=day.between(seen._first_day, seen._last_day))
    is_recent = of_event.scanned_at.between(of_event._oldest_at, of_event._received_at + ibis.literal(CLOCK_AHEAD))
    is_late = of_event._is_of_event & (of_event.scanned_at <= of_event._received_at)
    believed = of_event.mutate(_is_believed=(is_recent | is_late).fill_null(False))
    return believed.mutate(
        occurred_at=ibis.ifelse(believed._is_believed, believed.scanned_at, believed._received_at),
        is_clock_corrected=~believed._is_believed,
        is_other_day=(believed._is_believed & ~believed._is_of_event).fill_null(False),
    )


def _days(dim_events: ir.Table, locale: Locale) -> ir.Table:
    """The days on which codes of each event are good; one without an end lasts a day."""
    started = dim_events.filter(dim_events.start_date.notnull())
    end_date = local_date(started.ends_at, locale.time_zone)
    around = ibis.interval(days=DAYS_AROUND)
    last_date = ibis.greatest(started.start_date, end_date.fill_null(started.start_date))
    return started.select(
        claimed_event_id=started.event_id,
        _first_day=(started.start_date - around).cast("date"),
        _last_day=(last_date + around).cast("date"),
    )
