"""The course of an event: how it fills up beforehand and how its people arrive."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _
from ibis.common.deferred import Deferred

from event_pipeline.models.marts.measures import add_up, has_started, rate

_CHANGES = ("registrations", "cancellations", "participants", "cancelled_participants")
_BUCKET_SECONDS = 300
_EPOCH = ibis.timestamp("1970-01-01", timezone="UTC")


def agg_registration_pace(dim_events: ir.Table, fact_registrations: ir.Table, *, as_of: datetime) -> ir.Table:
    """One row per event and day before its start on which something changed; day 0 for every event that has started.

    From core.fact_registrations by the days on which each counted, with start and capacity in core.dim_events.
    Leaves out events without a start and registrations without a day; ``as_of`` decides what has started.
    """
    starts = dim_events.filter(has_started(as_of)).select("event_id", days_before_start=ibis.literal(0, type="int64"))
    scheduled = dim_events.filter(_.starts_at.notnull()).select("event_id", "capacity", "start_date")
    changes = [_by_lead_time(part, scheduled) for part in _changes_by_day(fact_registrations)]
    until_then = ibis.cumulative_window(group_by="event_id", order_by=ibis.desc("days_before_start"))
    return (
        add_up([*changes, starts], ("event_id", "days_before_start"), _CHANGES)
        .mutate(
            cumulative_registrations=(_.registrations - _.cancellations).sum().over(until_then),
            cumulative_participants=(_.participants - _.cancelled_participants).sum().over(until_then),
        )
        .join(scheduled.drop("start_date"), "event_id")
        .mutate(fill_rate=rate(_.cumulative_participants, _.capacity))
    )


def _changes_by_day(fact_registrations: ir.Table) -> list[ir.Table]:
    """Per event and day what began to count, and what was cancelled of it."""
    counted = fact_registrations.filter(_.counted_from_date.notnull())
    came = counted.group_by("event_id", date=_.counted_from_date).agg(
        registrations=_.count(), participants=_.team_size.sum()
    )
    left = (
        counted.filter(_.is_cancelled)
        .group_by("event_id", date=_.cancelled_date)
        .agg(cancellations=_.count(), cancelled_participants=_.team_size.sum())
    )
    return [came, left]


def _by_lead_time(by_day: ir.Table, scheduled: ir.Table) -> ir.Table:
    """The same per event and days before its start."""
    dated = by_day.join(scheduled.select("event_id", "start_date"), "event_id")
    return dated.mutate(days_before_start=dated.start_date.delta(dated.date, unit="day").cast("int64"))


def agg_arrivals(dim_events: ir.Table, fact_registrations: ir.Table, fact_attendance: ir.Table) -> ir.Table:
    """One row per event and five minutes, by the clock, with counted check-ins.

    From core.fact_attendance, with the start in core.dim_events and counted registrations of core.fact_registrations.
    Check-ins without a time are left out; people of deleted events arrive at the unknown one.
    """
    until_then = ibis.cumulative_window(group_by="event_id", order_by="bucket_second")
    buckets = (
        fact_attendance.filter(_.is_counted & _.occurred_at.notnull())
        .select("event_id", second=_minute_second(_.occurred_at))
        .group_by("event_id", bucket_second=_.second - _.second % _BUCKET_SECONDS)
        .agg(check_ins=_.count())
        .mutate(cumulative_check_ins=_.check_ins.sum().over(until_then))
    )
    registered = fact_registrations.filter(_.is_counted).group_by("event_id").agg(registered=_.count())
    starts = dim_events.select("event_id", start_second=_minute_second(_.starts_at))
    return (
        buckets.left_join(starts, "event_id")
        .drop("event_id_right")
        .left_join(registered, "event_id")
        .select(
            "event_id",
            "check_ins",
            "cumulative_check_ins",
            bucket_at=_.bucket_second.as_interval("s") + _EPOCH,
            minutes_from_start=(_.bucket_second - _.start_second) // 60,
            registered=_.registered.fill_null(0),
        )
    )


def _minute_second(instant: Deferred) -> Deferred:
    """Epoch seconds of the minute it is in: databases disagree on whether a fraction of a second rounds up."""
    return instant.truncate("m").epoch_seconds().cast("int64")
