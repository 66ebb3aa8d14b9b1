"""Events that fill more slowly than their earlier editions did, or than events of the organisation do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.scene import Row, Scene
from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.contracts.core import DIM_EVENTS
from event_pipeline.contracts.marts import AGG_REGISTRATION_PACE
from event_pipeline.settings.alert_rules import OffPace

EDITIONS = 3
"""How many earlier editions an event is compared with."""

_PACE = f"""
WITH events AS (
    SELECT * FROM {DIM_EVENTS.qualified}
    WHERE event_id <> '{UNKNOWN}' AND starts_at IS NOT NULL AND coalesce(event_status, '') <> 'cancelled'
), upcoming AS (
    SELECT event_id, coalesce(title, event_id) AS title, edition_series, club_id, starts_at, capacity,
        (start_date - $today::DATE)::BIGINT AS days_left
    FROM events WHERE starts_at > $now AND NOT is_archived AND start_date - $today::DATE BETWEEN 1 AND $days
        AND coalesce(registration_method, '') <> 'external' AND created_at <= $known_since
), compared AS (
    SELECT u.event_id, p.event_id AS past_id, p.starts_at, u.days_left, p.capacity AS past_capacity,
        coalesce(p.edition_series = u.edition_series AND p.club_id = u.club_id, false) AS is_edition
    FROM upcoming u JOIN events p ON p.starts_at < $now AND p.starts_at >= $far_back
), by_then AS (
    SELECT c.event_id, past_id, c.starts_at, is_edition, past_capacity,
        coalesce(max(cumulative_registrations) FILTER (WHERE days_before_start >= days_left), 0) AS registrations,
        coalesce(max(cumulative_participants) FILTER (WHERE days_before_start >= days_left), 0) AS participants
    FROM compared c JOIN {AGG_REGISTRATION_PACE.qualified} pace ON pace.event_id = c.past_id
    GROUP BY c.event_id, past_id, c.starts_at, is_edition, past_capacity
), editions AS (
    SELECT event_id, median(registrations) AS registrations FROM (
        SELECT * FROM by_then WHERE is_edition
        QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY starts_at DESC, past_id) <= {EDITIONS}
    ) GROUP BY event_id
), others AS (
    SELECT event_id, median(participants / past_capacity) AS fill, count(*) AS number
    FROM by_then WHERE past_capacity > 0 GROUP BY event_id
), own AS (
    SELECT event_id, max(cumulative_registrations) AS registrations, max(cumulative_participants) AS participants
    FROM {AGG_REGISTRATION_PACE.qualified} GROUP BY event_id
)
SELECT u.event_id, u.title, u.days_left, u.capacity, coalesce(own.registrations, 0) AS registrations,
    coalesce(own.participants, 0) AS participants, editions.registrations AS edition_registrations,
    others.fill AS usual_fill, coalesce(others.number, 0) AS past_events
FROM upcoming u LEFT JOIN own USING (event_id) LEFT JOIN editions USING (event_id) LEFT JOIN others USING (event_id)
ORDER BY u.event_id
"""
_FAR_BACK = timedelta(days=3 * 366)
_NEW_FOR = timedelta(days=2)
"""An event that was published only now has no pace yet."""


def off_pace(scene: Scene, rule: OffPace) -> Sequence[Condition]:
    """Events behind the median of earlier editions; without any, behind the organisation's median share of places."""
    if not (scene.tables.have(DIM_EVENTS) and scene.tables.have(AGG_REGISTRATION_PACE)):
        return []
    rows = scene.rows(
        _PACE,
        now=scene.now,
        today=scene.today,
        days=rule.days,
        far_back=scene.now - _FAR_BACK,
        known_since=scene.now - _NEW_FOR,
    )
    return [condition for row in rows if (condition := _judge(scene, row, rule)) is not None]


def _judge(scene: Scene, row: Row, rule: OffPace) -> Condition | None:
    if row["edition_registrations"] is not None:
        number, usual, who = row["registrations"], row["edition_registrations"], "earlier editions had"
    elif row["capacity"] and row["past_events"] >= rule.past_events:
        number, usual, who = row["participants"], row["usual_fill"] * row["capacity"], "events here usually have"
    else:
        return None
    if usual < rule.least or number >= rule.share * usual:
        return None
    event_id, days = row["event_id"], f"{row['days_left']} day{'' if row['days_left'] == 1 else 's'}"
    summary = f"{row['title']} has {number:,} registered {days} before its start; {who} {usual:,.0f} by then"
    share, labels = round(number / usual, 4), {"event_id": event_id}
    return Condition("off_pace", event_id, summary, share, labels, scene.event_link(event_id))
