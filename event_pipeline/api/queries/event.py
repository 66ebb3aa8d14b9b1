"""How one event goes: its pace beside earlier editions, arrivals, payments, mail."""

from __future__ import annotations

from datetime import date
from itertools import islice

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
from event_pipeline.api.event_copies import EventCopies
from event_pipeline.api.reader import Row
from event_pipeline.contracts.discrepancy_texts import DISCREPANCY_TEXTS

EDITIONS = 3
"""How many earlier editions an event is compared with."""


def pace(copies: EventCopies, event: Row, today: date) -> Pace:
    """The event's pace, with earlier editions by this many days before their start."""
    until_start = (event["start_date"] - today).days if event["start_date"] else None
    own = _points(copies, event["event_id"])
    compared = [
        _edition(row, _points(copies, row["event_id"]), until_start) for row in _earlier_editions(copies, event)
    ]
    mean = sum(edition.registrations_by_now for edition in compared) / len(compared) if compared else 0
    now = own[-1].cumulative_registrations if own else 0
    return Pace(
        days_before_start=until_start,
        points=own,
        earlier_editions=compared,
        compared_with_editions=round((now - mean) / mean, 4) if mean and until_start is not None else None,
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


def _points(copies: EventCopies, event_id: str) -> list[PacePoint]:
    """The earliest day first."""
    return [PacePoint(**row) for row in copies.rows("pace", event_id)]


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
    missing = funnel.registered - funnel.attended
    return NoShows(
        expected=funnel.registered,
        attended=funnel.attended,
        no_shows=missing,
        rate=rate(missing, funnel.registered),
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
