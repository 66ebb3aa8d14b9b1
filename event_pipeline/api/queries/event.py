"""How one event goes: its pace beside earlier editions, arrivals, payments, mail."""

from __future__ import annotations

from datetime import date, datetime
from itertools import islice

from event_pipeline.alerts.pace import EDITIONS, PaceComparison, Reached, compare, days_left, is_watched
from event_pipeline.api.answers.common import Money, rate
from event_pipeline.api.answers.event import (
    Arrival,
    CurrencyRevenue,
    Edition,
    EmailFunnel,
    NoShows,
    Pace,
    PacePoint,
    PaymentDiscrepancy,
    PaymentState,
)
from event_pipeline.api.answers.event import PaceComparison as ComparisonAnswer
from event_pipeline.api.catalog_session import Row
from event_pipeline.api.event_copies import EventCopies
from event_pipeline.contracts.discrepancy_texts import DISCREPANCY_TEXTS
from event_pipeline.settings.organiser_alert_rules import OffPace


def pace(copies: EventCopies, event: Row, now: datetime, today: date, rule: OffPace) -> Pace:
    """The event's pace, with earlier editions by this many days before their start."""
    left = days_left(event["start_date"], today) if event["start_date"] else None
    own = pace_points(copies, event["event_id"], left)
    editions = [_edition(row, pace_points(copies, row["event_id"]), left) for row in _earlier_editions(copies, event)]
    comparison = None
    if left is not None:
        watched = is_watched(event, now, today, rule)
        others = copies.usual_fill(left, now) if watched and not editions else None
        reached = _reached(own, left)
        by_now = [edition.registrations_by_now for edition in editions]
        comparison = _answered(compare(reached, by_now, others, event["capacity"], rule), watched, rule)
    return Pace(
        days_before_start=left,
        points=own,
        earlier_editions=editions,
        compared_with_editions=comparison.change
        if comparison and comparison.compared_with == "earlier_editions"
        else None,
        comparison=comparison,
    )


def _answered(found: PaceComparison | None, watched: bool, rule: OffPace) -> ComparisonAnswer | None:
    if found is None:
        return None
    return ComparisonAnswer(
        compared_with=found.compared_with,
        unit="registrations" if found.compared_with == "earlier_editions" else "people",
        number=found.number,
        usual=round(found.usual, 4),
        change=found.change,
        is_off_pace=found.is_off_pace(rule) if watched else None,
    )


def _earlier_editions(copies: EventCopies, event: Row) -> list[Row]:
    earlier = (
        {name: edition[name] for name in ("event_id", "title", "starts_at", "capacity")}
        for edition in copies.editions(event)
        if edition["starts_at"] < event["starts_at"]
        and edition["event_id"] != event["event_id"]
        and not edition["is_cancelled"]
    )
    return list(islice(earlier, EDITIONS))


def pace_points(copies: EventCopies, event_id: str, left: int | None = None) -> list[PacePoint]:
    """The earliest day first; the day so many days before the start is today."""
    rows = copies.rows("pace", event_id)
    return [PacePoint(**row, is_partial=row["days_before_start"] == left) for row in rows]


def _reached(points: list[PacePoint], left: int) -> Reached:
    """What was active at the beginning of the day so many days before the start."""
    last = next((point for point in reversed(points) if point.days_before_start > left), None)
    return Reached(last.cumulative_registrations, last.cumulative_participants) if last else Reached(0, 0)


def _edition(row: Row, points: list[PacePoint], left: int | None) -> Edition:
    return Edition(
        **row,
        registrations=points[-1].cumulative_registrations if points else 0,
        participants=points[-1].cumulative_participants if points else 0,
        registrations_by_now=_reached(points, left).registrations if left is not None else 0,
        pace=points,
    )


def arrivals(copies: EventCopies, event_id: str) -> list[Arrival]:
    """Check-ins by five minutes; minutes without any are left out."""
    return [Arrival(**row) for row in copies.rows("arrivals", event_id)]


def email_funnel(copies: EventCopies, event_id: str) -> EmailFunnel:
    """How far the event's registrations came."""
    rows = copies.rows("funnels", event_id)
    return EmailFunnel(**(rows[0] if rows else dict.fromkeys(EmailFunnel.model_fields, 0)))


def no_shows(event: Row, funnel: EmailFunnel) -> NoShows | None:
    """Who did not come; None of an event that had not started, or was cancelled, when the tables were made."""
    if not event["has_started"]:
        return None
    missing, missing_people = funnel.registered - funnel.attended, funnel.registered_people - funnel.attended_people
    return NoShows(
        expected=funnel.registered,
        attended=funnel.attended,
        no_shows=missing,
        rate=rate(missing, funnel.registered),
        expected_people=funnel.registered_people,
        attended_people=funnel.attended_people,
        no_show_people=missing_people,
        people_rate=rate(missing_people, funnel.registered_people),
    )


def payments(copies: EventCopies, event_id: str) -> list[PaymentState]:
    """The event's payments by state and currency."""
    return [
        PaymentState(
            payment_status=row["payment_status"],
            payments=row["payments"],
            **_amounts(row, amount="amount", refunded="refunded", revenue="revenue"),
        )
        for row in copies.rows("payments", event_id)
    ]


def revenue_by_currency(copies: EventCopies, event_id: str, currency: str) -> list[CurrencyRevenue]:
    """What the event's payments came to, that currency first; none when no money has moved."""
    rows = sorted(copies.rows("revenue", event_id), key=lambda row: (row["currency"] != currency, row["currency"]))
    return [CurrencyRevenue(**_amounts(row, received="paid", refunded="refunded", revenue="revenue")) for row in rows]


def discrepancies(copies: EventCopies, event_id: str) -> list[PaymentDiscrepancy]:
    """Why the event's payments need a look, in the order of ``DISCREPANCY_TEXTS``."""
    found = {row["discrepancy"]: row["payments"] for row in copies.rows("discrepancies", event_id)}
    return [
        PaymentDiscrepancy(discrepancy=kind, payments=found[kind], summary=text.summary, advice=text.advice)
        for kind, text in DISCREPANCY_TEXTS.items()
        if kind in found
    ]


def _amounts(row: Row, **columns: str) -> dict[str, Money]:
    """The amounts in these columns, in the row's currency."""
    return {name: Money(amount_minor=row[column], currency=row["currency"]) for name, column in columns.items()}
