"""Events with their figures, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from event_pipeline.api.answers.common import Money, rate
from event_pipeline.api.answers.events import Event
from event_pipeline.api.catalog_session import Row, Session
from event_pipeline.api.event_copies import EventCopies
from event_pipeline.api.problems import Problem


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
    cancelled: bool | None = None


_CONDITIONS = {
    "status": "event_status = $status",
    "club_id": "club_id = $club_id",
    "series": "edition_series = $series",
    "starts_from": "starts_at >= $starts_from",
    "starts_before": "starts_at < $starts_before",
    "text": "contains(lower(title), lower($text))",
    "archived": "is_archived = $archived",
    "cancelled": "(coalesce(event_status, '') = 'cancelled') = $cancelled",
}


def event_page(
    session: Session, filters: Filters, after: tuple[int, str] | None, limit: int, currency: str
) -> list[tuple[int, Event]]:
    """Up to so many events after that place, with their places; the latest start first."""
    wanted = {name: getattr(filters, name) for name in _CONDITIONS if getattr(filters, name) is not None}
    conditions = ["event_id <> 'unknown'", *(_CONDITIONS[name] for name in wanted)]
    parameters: dict[str, Any] = {**wanted}
    if after is not None:
        conditions.append("(place < $place OR (place = $place AND event_id > $event_id))")
        parameters |= {"place": after[0], "event_id": after[1]}
    where = f"{' AND '.join(conditions)} ORDER BY place DESC, event_id LIMIT {int(limit)}"
    rows = session.rows(f"SELECT * FROM mirror.events WHERE {where}", parameters)
    return [(row["place"], event_of(row, currency)) for row in rows]


def next_events(session: Session, filters: Filters, limit: int, currency: str) -> list[Event]:
    """Up to so many events, the soonest start first; those without a start last."""
    wanted = {name: getattr(filters, name) for name in _CONDITIONS if getattr(filters, name) is not None}
    conditions = " AND ".join(["event_id <> 'unknown'", *(_CONDITIONS[name] for name in wanted)])
    rows = session.rows(
        f"SELECT * FROM mirror.events WHERE {conditions} ORDER BY starts_at NULLS LAST, event_id LIMIT {int(limit)}",
        wanted,
    )
    return [event_of(row, currency) for row in rows]


def one_event(copies: EventCopies, event_id: str, currency: str) -> tuple[Event, Row] | None:
    """The event with its row of ``mirror.events``; None when there is none."""
    row = copies.event(event_id)
    return (event_of(row, currency), row) if row else None


def known_event(copies: EventCopies, event_id: str, currency: str) -> tuple[Event, Row]:
    """As ``one_event``. Raises Problem: not-found."""
    found = one_event(copies, event_id, currency)
    if found is None:
        raise Problem("not-found", f"there is no event {event_id!r}; GET /api/pipeline/events lists them")
    return found


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
            "attended_people": row["attended_people"] or 0,
            "fill_rate": rate(participants, row["capacity"] or 0),
            "revenue": Money(amount_minor=row["revenue_minor"] or 0, currency=currency),
            "other_revenue": [Money(**money) for money in row["other_revenue"] or ()],
        }
    )
