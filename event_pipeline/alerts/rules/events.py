"""Upcoming events that fill up, and registrations that come in unusually fast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.scene import Row, Scene
from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.contracts.core import DIM_EVENTS, FACT_REGISTRATIONS
from event_pipeline.contracts.marts import AGG_EVENT_METRICS
from event_pipeline.settings.organiser_alert_rules import EventNearlyFull, EventSoldOut, RegistrationBurst

_UPCOMING = f"""
SELECT event_id, coalesce(title, event_id) AS title, capacity, taken
FROM {DIM_EVENTS.qualified} JOIN (
    SELECT event_id, sum(participants)::BIGINT AS taken FROM {AGG_EVENT_METRICS.qualified} GROUP BY event_id
) USING (event_id)
WHERE starts_at > $now AND NOT is_archived AND coalesce(event_status, '') NOT IN ('cancelled', 'completed')
    AND capacity > 0 AND event_id <> '{UNKNOWN}' ORDER BY event_id
"""
_RATES = f"""
SELECT event_id, coalesce(any_value(title), event_id) AS title,
    count(*) FILTER (WHERE registered_at > $burst) AS now, count(*) FILTER (WHERE registered_at <= $burst) AS before
FROM {FACT_REGISTRATIONS.qualified} LEFT JOIN {DIM_EVENTS.qualified} USING (event_id)
WHERE registered_at > $begin AND registered_at <= $now GROUP BY event_id ORDER BY event_id
"""
_USUAL_OVER = timedelta(days=7)


def event_sold_out(scene: Scene, _: EventSoldOut) -> Sequence[Condition]:
    """Upcoming events with no place left; people are counted, teams included."""
    return [
        _filling(scene, "event_sold_out", row, _sold_out(row))
        for row in _upcoming(scene)
        if row["taken"] >= row["capacity"]
    ]


def _sold_out(row: Row) -> str:
    people, places = _counted(row["taken"], "person", "people"), _counted(row["capacity"], "place", "places")
    return f"is {'overbooked' if row['taken'] > row['capacity'] else 'full'}: {people} for {places}"


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def event_nearly_full(scene: Scene, rule: EventNearlyFull) -> Sequence[Condition]:
    """Upcoming events with few places left."""
    return [
        _filling(
            scene,
            "event_nearly_full",
            row,
            f"is nearly full: {row['capacity'] - row['taken']:,} of {row['capacity']:,} places are left, "
            f"{_counted(row['taken'], 'person is', 'people are')} registered",
        )
        for row in _upcoming(scene)
        if rule.share * row["capacity"] <= row["taken"] < row["capacity"]
    ]


def registration_burst(scene: Scene, rule: RegistrationBurst) -> Sequence[Condition]:
    """Events for which far more people register within minutes than they do otherwise."""
    if not scene.tables.have(FACT_REGISTRATIONS):
        return []
    window = timedelta(minutes=rule.minutes)
    burst = scene.now - window
    rows = scene.rows(_RATES, now=scene.now, burst=burst, begin=burst - _USUAL_OVER)
    return [
        Condition(
            "registration_burst",
            row["event_id"],
            f"{row['now']:,} registrations for {row['title']} within {rule.minutes:g} minutes; "
            f"usual are {row['before'] * (window / _USUAL_OVER):,.1f}",
            row["now"],
            {"event_id": row["event_id"]},
            scene.event_link(row["event_id"]),
        )
        for row in rows
        if row["now"] >= rule.least and row["now"] >= rule.times * row["before"] * (window / _USUAL_OVER)
    ]


def _upcoming(scene: Scene) -> list[Row]:
    has_both = scene.tables.have(DIM_EVENTS) and scene.tables.have(AGG_EVENT_METRICS)
    return scene.rows(_UPCOMING, now=scene.now) if has_both else []


def _filling(scene: Scene, rule: str, row: Row, how: str) -> Condition:
    event_id, share = row["event_id"], round(row["taken"] / row["capacity"], 4)
    return Condition(rule, event_id, f"{row['title']} {how}", share, {"event_id": event_id}, scene.event_link(event_id))
