"""Events that fill more slowly than their earlier editions did, or than events of the organisation do."""

from __future__ import annotations

from collections.abc import Sequence

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.pace import EDITIONS, OTHERS_OVER, Others, Reached, compare, is_watched
from event_pipeline.alerts.scene import Row, Scene
from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.contracts.core import DIM_EVENTS
from event_pipeline.contracts.marts import AGG_REGISTRATION_PACE
from event_pipeline.settings.organiser_alert_rules import OffPace

_BY_THEN = """coalesce(arg_min({column}, days_before_start) FILTER (days_before_start > days_left), 0)::BIGINT"""
"""Active at the beginning of that day: at the end of the last day before it on which something changed."""

_PACE = f"""
WITH events AS (
    SELECT * FROM {DIM_EVENTS.qualified}
    WHERE event_id <> '{UNKNOWN}' AND starts_at IS NOT NULL AND coalesce(event_status, '') <> 'cancelled'
), upcoming AS (
    SELECT *, (start_date - $today::DATE)::BIGINT AS days_left
    FROM events WHERE starts_at > $now AND start_date - $today::DATE BETWEEN 1 AND $days
), compared AS (
    SELECT u.event_id, p.event_id AS other_id, p.starts_at, u.days_left, p.capacity AS other_capacity,
        p.starts_at < $now AND p.starts_at >= $far_back AND p.capacity > 0 AS is_usual,
        coalesce(p.edition_series = u.edition_series AND p.edition_series <> '' AND p.club_id = u.club_id, false)
            AS is_edition
    FROM upcoming u JOIN events p ON p.starts_at < u.starts_at AND p.event_id <> u.event_id
    WHERE is_usual OR is_edition
), by_then AS (
    SELECT c.*, reached.registrations, reached.participants
    FROM compared c JOIN (
        SELECT event_id AS other_id, days_left, {_BY_THEN.format(column="cumulative_registrations")} AS registrations,
            {_BY_THEN.format(column="cumulative_participants")} AS participants
        FROM {AGG_REGISTRATION_PACE.qualified}, (SELECT DISTINCT days_left FROM upcoming) GROUP BY event_id, days_left
    ) reached USING (other_id, days_left)
), editions AS (
    SELECT event_id, list(registrations) AS editions FROM (
        SELECT * FROM by_then WHERE is_edition
        QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY starts_at DESC, other_id) <= {EDITIONS}
    ) GROUP BY event_id
), others AS (
    SELECT event_id, median(participants / other_capacity) AS fill, count(*) AS number
    FROM by_then WHERE is_usual GROUP BY event_id
), own AS (
    SELECT u.event_id, {_BY_THEN.format(column="cumulative_registrations")} AS registrations,
        {_BY_THEN.format(column="cumulative_participants")} AS participants
    FROM upcoming u LEFT JOIN {AGG_REGISTRATION_PACE.qualified} pace USING (event_id) GROUP BY u.event_id
)
SELECT u.*, own.registrations, own.participants, editions.editions, others.fill, others.number
FROM upcoming u JOIN own USING (event_id) LEFT JOIN editions USING (event_id) LEFT JOIN others USING (event_id)
ORDER BY u.event_id
"""


def off_pace(scene: Scene, rule: OffPace) -> Sequence[Condition]:
    """Events behind the median of earlier editions; without any, behind the organisation's median share of places."""
    if not (scene.tables.have(DIM_EVENTS) and scene.tables.have(AGG_REGISTRATION_PACE)):
        return []
    rows = scene.rows(
        _PACE, now=scene.now, today=scene.today, days=rule.days, far_back=scene.now - OTHERS_OVER,
    )  # fmt: skip
    watched = [row for row in rows if is_watched(row, scene.now, scene.today, rule)]
    return [condition for row in watched if (condition := _judge(scene, row, rule)) is not None]


def _judge(scene: Scene, row: Row, rule: OffPace) -> Condition | None:
    others = Others(row["fill"], row["number"]) if row["number"] else None
    own = Reached(row["registrations"], row["participants"])
    found = compare(own, row["editions"] or (), others, row["capacity"], rule)
    if found is None or not found.is_off_pace(rule):
        return None
    is_edition = found.compared_with == "earlier_editions"
    who = "earlier editions had" if is_edition else "events here usually have"
    what = "registered" if is_edition else "people registered"
    event_id, days = row["event_id"], f"{row['days_left']} day{'' if row['days_left'] == 1 else 's'}"
    summary = (
        f"{row['title'] or event_id} has {found.number:,} {what} {days} before its start; "
        f"{who} {found.usual:,.0f} by then"
    )
    share, labels = round(found.number / found.usual, 4), {"event_id": event_id}
    return Condition("off_pace", event_id, summary, share, labels, scene.event_link(event_id))
