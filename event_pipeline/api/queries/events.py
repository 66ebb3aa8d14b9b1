"""Events with their figures, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from event_pipeline.api.answers.common import Money, rate
from event_pipeline.api.answers.events import Event
from event_pipeline.api.reader import Row, Session

_SELECT = """
WITH chosen AS (SELECT *, coalesce(epoch_us(starts_at), $none) AS place FROM mirror.dim_events {where})
SELECT chosen.*, club_name, category_name, totals.* EXCLUDE (event_id)
FROM chosen LEFT JOIN mirror.event_totals AS totals USING (event_id)
    LEFT JOIN mirror.dim_clubs USING (club_id) LEFT JOIN mirror.dim_categories USING (category_id)
ORDER BY place DESC, chosen.event_id
"""

NO_START = -(2**62)
"""Place of events without a start: after all others."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events to list; what is None does not matter."""

    status: str | None = None
    club_id: str | None = None
    series: str | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None
    text: str | None = None
    archived: bool | None = None


_CONDITIONS = {
    "status": "event_status = $status",
    "club_id": "club_id = $club_id",
    "series": "edition_series = $series",
    "starts_from": "starts_at >= $starts_from",
    "starts_before": "starts_at < $starts_before",
    "text": "contains(lower(title), lower($text))",
    "archived": "is_archived = $archived",
}


def event_page(
    session: Session, filters: Filters, after: tuple[int, str] | None, limit: int, currency: str
) -> list[tuple[int, Event]]:
    """Up to so many events after that place, with their places."""
    wanted = {name: getattr(filters, name) for name in _CONDITIONS if getattr(filters, name) is not None}
    conditions = ["event_id <> 'unknown'", *(_CONDITIONS[name] for name in wanted)]
    parameters: dict[str, Any] = {"none": NO_START, **wanted}
    if after is not None:
        conditions.append("(place < $place OR (place = $place AND event_id > $event_id))")
        parameters |= {"place": after[0], "event_id": after[1]}
    where = f"WHERE {' AND '.join(conditions)} ORDER BY place DESC, event_id LIMIT {int(limit)}"
    return [(row["place"], event_of(row, currency)) for row in session.rows(_SELECT.format(where=where), parameters)]


def one_event(session: Session, event_id: str, currency: str) -> tuple[Event, Row] | None:
    """The event with its row of dim_events; None when there is none."""
    parameters = {"none": NO_START, "event_id": event_id}
    row = session.row(_SELECT.format(where="WHERE event_id = $event_id"), parameters)
    return (event_of(row, currency), row) if row else None


def event_of(row: Row, currency: str) -> Event:
    """An event as it is answered."""
    participants = row["participants"] or 0
    plain = {name: row[name] for name in Event.model_fields if name in row}
    return Event(
        **plain
        | {
            "registrations": row["registrations"] or 0,
            "participants": participants,
            "check_ins": row["check_ins"] or 0,
            "is_paid": bool(row["is_paid"]),
            "fill_rate": rate(participants, row["capacity"] or 0),
            "revenue": Money(amount_minor=row["revenue_minor"] or 0, currency=currency),
        }
    )
