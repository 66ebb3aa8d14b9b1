"""How one event goes: its pace beside earlier editions, arrivals, payments, mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from event_pipeline.api.answers.common import Money, rate
from event_pipeline.api.answers.event import Arrival, Edition, EmailFunnel, NoShows, Pace, PacePoint, PaymentState
from event_pipeline.api.reader import Row, Session

EDITIONS = 3
"""How many earlier editions an event is compared with."""


def pace(session: Session, event: Row, today: date) -> Pace:
    """The event's pace, with earlier editions by this many days before their start."""
    until_start = (event["start_date"] - today).days if event["start_date"] else None
    editions = _earlier_editions(session, event)
    points = _points(session, [event["event_id"], *(row["event_id"] for row in editions)])
    own = points.get(event["event_id"], [])
    compared = [_edition(row, points.get(row["event_id"], []), until_start) for row in editions]
    mean = sum(edition.registrations_by_now for edition in compared) / len(compared) if compared else 0
    now = own[-1].cumulative_registrations if own else 0
    return Pace(
        days_before_start=until_start,
        points=own,
        earlier_editions=compared,
        compared_with_editions=round((now - mean) / mean, 4) if mean and until_start is not None else None,
    )


def _earlier_editions(session: Session, event: Row) -> list[Row]:
    if not event["edition_series"] or event["starts_at"] is None:
        return []
    return session.rows(
        "SELECT event_id, title, starts_at, capacity FROM mirror.dim_events "
        "WHERE edition_series = $series AND club_id = $club AND starts_at < $starts AND event_id <> $event_id "
        f"AND coalesce(event_status, '') <> 'cancelled' ORDER BY starts_at DESC, event_id LIMIT {EDITIONS}",
        {
            "series": event["edition_series"],
            "club": event["club_id"],
            "starts": event["starts_at"],
            "event_id": event["event_id"],
        },
    )


def _points(session: Session, event_ids: Sequence[str]) -> dict[str, list[PacePoint]]:
    """Points of these events, the earliest day first."""
    rows = session.rows(
        "SELECT event_id, days_before_start, registrations, cumulative_registrations, cumulative_participants, "
        "round(fill_rate, 4) AS fill_rate FROM mirror.agg_registration_pace WHERE event_id IN "
        f"({', '.join('?' for _ in event_ids)}) ORDER BY event_id, days_before_start DESC",
        event_ids,
    )
    found: dict[str, list[PacePoint]] = {}
    for row in rows:
        found.setdefault(row.pop("event_id"), []).append(PacePoint(**row))
    return found


def _edition(row: Row, points: list[PacePoint], until_start: int | None) -> Edition:
    by_now = [
        p.cumulative_registrations for p in points if until_start is not None and p.days_before_start >= until_start
    ]
    return Edition(
        **row,
        registrations=points[-1].cumulative_registrations if points else 0,
        registrations_by_now=by_now[-1] if by_now else 0,
        pace=points,
    )


def arrivals(session: Session, event_id: str) -> list[Arrival]:
    """Check-ins by five minutes; minutes without any are left out."""
    rows = session.rows(
        "SELECT bucket_at, minutes_from_start, check_ins, cumulative_check_ins FROM mirror.agg_arrivals "
        "WHERE event_id = $event_id ORDER BY bucket_at",
        {"event_id": event_id},
    )
    return [Arrival(**row) for row in rows]


def email_funnel(session: Session, event_id: str) -> EmailFunnel:
    """How far the event's registrations came."""
    columns = ", ".join(EmailFunnel.model_fields)
    row = session.row(
        f"SELECT {columns} FROM mirror.agg_email_funnel WHERE event_id = $event_id", {"event_id": event_id}
    )
    return EmailFunnel(**(row or dict.fromkeys(EmailFunnel.model_fields, 0)))


def no_shows(event: Row, funnel: EmailFunnel) -> NoShows | None:
    """Who did not come; None of an event that had not started, or was cancelled, when the tables were made."""
    if not event["has_started"]:
        return None
    missing = funnel.registered - funnel.attended
    return NoShows(
        expected=funnel.registered,
        attended=funnel.attended,
        no_shows=missing,
        rate=rate(missing, funnel.registered),
    )


def payments(session: Session, event_id: str) -> list[PaymentState]:
    """The event's payments by state and currency."""
    rows = session.rows(
        "SELECT * FROM mirror.payment_states WHERE event_id = $event_id ORDER BY payment_status, currency",
        {"event_id": event_id},
    )
    return [
        PaymentState(
            payment_status=row["payment_status"],
            payments=row["payments"],
            **{
                name: Money(amount_minor=row[name], currency=row["currency"])
                for name in ("amount", "refunded", "revenue")
            },
        )
        for row in rows
    ]
