"""What each club has done so far."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.models.locale import Locale
from event_pipeline.models.marts.measures import add_up, count_where, has_started, rate, sum_where

_MILLION = 1_000_000
_FROM_METRICS = ("registrations", "participants", "revenue_minor")
_SUMMED = (
    "events",
    "events_started",
    "registrations",
    "participants",
    "attended",
    "expected",
    "expected_attended",
    "attended_people",
    "expected_people",
    "expected_attended_people",
    "revenue_minor",
    "people",
    "returning_people",
)


def agg_club_metrics(
    dim_clubs: ir.Table,
    dim_events: ir.Table,
    fact_registrations: ir.Table,
    agg_event_metrics: ir.Table,
    *,
    locale: Locale,
    as_of: datetime,
) -> ir.Table:
    """One row per club of core.dim_clubs, the unknown one included.

    From marts.agg_event_metrics by the events of core.dim_events; people and attendance from core.fact_registrations.
    ``as_of`` decides which events have started; registrations without a valid e-mail are of no known person.
    """
    events = dim_events.select("event_id", "club_id", "capacity", is_started=has_started(as_of))
    parts = [dim_clubs.select("club_id"), _by_event(events, agg_event_metrics), _by_person(events, fact_registrations)]
    return add_up(parts, ("club_id",), (*_SUMMED, "fill_millionths", "events_with_capacity")).select(
        "club_id",
        *_SUMMED,
        currency=ibis.literal(locale.currency),
        attendance_rate=rate(_.expected_attended, _.expected),
        average_fill_rate=rate(_.fill_millionths, _.events_with_capacity * _MILLION),
    )


def _by_event(events: ir.Table, agg_event_metrics: ir.Table) -> ir.Table:
    """One row per event, of its club. Fill rates are whole millionths: a sum of fractions depends on their order."""
    totals = add_up([agg_event_metrics], ("event_id",), _FROM_METRICS)
    return (
        events.left_join(totals, "event_id")
        .mutate(
            **{name: _[name].fill_null(0) for name in _FROM_METRICS},
            has_capacity=_.is_started & (_.capacity.fill_null(0) > 0),
        )
        .mutate(millionths=rate(_.participants * _MILLION, _.capacity).round().cast("int64"))
        .select(
            "club_id",
            *_FROM_METRICS,
            events=(_.event_id != UNKNOWN).ifelse(1, 0),
            events_started=_.is_started.ifelse(1, 0),
            expected=_.is_started.ifelse(_.registrations, 0),
            expected_people=_.is_started.ifelse(_.participants, 0),
            fill_millionths=_.has_capacity.ifelse(_.millionths, 0),
            events_with_capacity=_.has_capacity.ifelse(1, 0),
        )
    )


def _by_person(events: ir.Table, fact_registrations: ir.Table) -> ir.Table:
    """One row per club and person; different lowest and highest ids tell two events apart without listing them."""
    is_known = _.user_id != UNKNOWN
    return (
        fact_registrations.filter(_.is_counted)
        .select("event_id", "user_id", "is_attended", "team_size")
        .join(events.select("event_id", "club_id", "is_started"), "event_id")
        .group_by("club_id", "user_id")
        .agg(
            attended=count_where(_.is_attended),
            expected_attended=count_where(_.is_attended & _.is_started),
            attended_people=sum_where(_.is_attended, _.team_size),
            expected_attended_people=sum_where(_.is_attended & _.is_started, _.team_size),
            lowest_event_id=_.event_id.min(),
            highest_event_id=_.event_id.max(),
        )
        .select(
            "club_id",
            "attended",
            "expected_attended",
            "attended_people",
            "expected_attended_people",
            people=is_known.ifelse(1, 0),
            returning_people=(is_known & (_.lowest_event_id != _.highest_event_id)).ifelse(1, 0),
        )
    )
