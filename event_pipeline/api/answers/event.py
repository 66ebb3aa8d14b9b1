"""``GET events/{event_id}/analytics``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from event_pipeline.api.answers.common import Money, Quality, example
from event_pipeline.api.answers.events import EVENT_EXAMPLE, Event


class PacePoint(BaseModel):
    """The end of a day, by days before the start; negative after it. Days on which nothing changed are left out."""

    days_before_start: int
    registrations: int = Field(description="That began to count that day, also those that were cancelled later.")
    cancellations: int = Field(description="Made that day, of registrations that had counted.")
    cumulative_registrations: int = Field(description="Registrations active at the end of that day.")
    cumulative_participants: int = Field(description="People in them.")
    fill_rate: float | None = Field(description="cumulative_participants over capacity; null without one.")
    is_partial: bool = Field(description="It is today, which is not over.")


class Edition(BaseModel):
    """An earlier event of the series."""

    event_id: str
    title: str | None
    starts_at: datetime
    capacity: int | None
    registrations: int = Field(description="Counted registrations in the end.")
    participants: int = Field(description="People in them, teams included.")
    registrations_by_now: int = Field(
        description="Registrations active at the beginning of the day as many days before its start as it is now, "
        "those cancelled later included."
    )
    pace: list[PacePoint]


class PaceComparison(BaseModel):
    """The event beside what is usual, at the beginning of today: today is not over."""

    compared_with: Literal["earlier_editions", "other_events"] = Field(
        description="The median of earlier editions; without any, the median share of places taken of past events."
    )
    unit: Literal["registrations", "people"] = Field(description="What number and usual count.")
    number: int = Field(description="Active at the beginning of today.")
    usual: float
    change: float | None = Field(description="number less usual, as a share of usual; null where nothing is usual.")
    is_off_pace: bool | None = Field(
        description="Whether it is so far behind that the alert off_pace says so; null for events it does not watch."
    )


class Pace(BaseModel):
    """How the event fills up, on an axis that editions share."""

    days_before_start: int | None = Field(description="Days until the start; negative after it, null without one.")
    points: list[PacePoint]
    earlier_editions: list[Edition] = Field(description="Of the same series, the latest first.")
    compared_with_editions: float | None = Field(
        description="Registrations less the editions' median at the same point, as a share of it."
    )
    comparison: PaceComparison | None = Field(description="Null without a start, or anything to compare with.")


class Arrival(BaseModel):
    """Five minutes in which someone checked in."""

    bucket_at: datetime
    minutes_from_start: int | None
    check_ins: int
    cumulative_check_ins: int


class NoShows(BaseModel):
    """Of an event that has started."""

    expected: int = Field(description="Counted registrations.")
    attended: int = Field(description="Of these, with a counted check-in.")
    no_shows: int
    rate: float | None = Field(description="no_shows over expected.")
    expected_people: int = Field(description="People in the expected registrations, teams included.")
    attended_people: int = Field(description="People in the registrations that attended; one check-in admits a team.")
    no_show_people: int
    people_rate: float | None = Field(description="no_show_people over expected_people.")


class PaymentState(BaseModel):
    """Payments in one state and currency; the revenue of all states of a currency adds up to the event's."""

    payment_status: str
    payments: int
    amount: Money = Field(description="Received, else asked for.")
    refunded: Money = Field(description="Given back, lost disputes included.")
    revenue: Money = Field(description="Received less given back.")


class CurrencyRevenue(BaseModel):
    """What an event's payments in one currency came to."""

    received: Money
    refunded: Money = Field(description="Given back, lost disputes included.")
    revenue: Money = Field(description="received less refunded.")


class PaymentDiscrepancy(BaseModel):
    """How many payments a treasurer should look at for one reason; a payment may be in several."""

    discrepancy: str
    payments: int
    summary: str = Field(description="What is wrong with them.")
    advice: str = Field(description="What to do.")


class EmailFunnel(BaseModel):
    """Registrations by how far they came; every step counts registrations, not mails."""

    registered: int
    registered_people: int = Field(description="People in the registrations.")
    sent: int
    delivered: int
    opened: int
    clicked: int
    bounced: int
    attended: int
    attended_people: int = Field(description="People in the registrations that attended.")


class Forecast(BaseModel):
    """What the event is expected to come to, with the range that four of five such events end in."""

    registrations: int
    low: int
    high: int
    made_at: datetime


class EventAnalytics(BaseModel):
    """Everything that is known of how an event goes."""

    model_config = example(
        event=EVENT_EXAMPLE, as_of="2026-06-01T09:30:00Z", today="2026-06-01",
        quality={"score": 0.998, "checked_at": "2026-06-01T09:00:00Z", "failed": 0, "tables_failing": []},
        pace={
            "days_before_start": 4,
            "points": [{
                "days_before_start": 5, "registrations": 31, "cancellations": 2, "cumulative_registrations": 212,
                "cumulative_participants": 260, "fill_rate": 0.8667, "is_partial": False,
            }],
            "earlier_editions": [], "compared_with_editions": None, "comparison": None,
        },
        arrivals=[], no_shows=None,
        payments=[{
            "payment_status": "verified", "payments": 212, "amount": {"amount_minor": 1060000, "currency": "INR"},
            "refunded": {"amount_minor": 0, "currency": "INR"}, "revenue": {"amount_minor": 1060000, "currency": "INR"},
        }],
        revenue_by_currency=[{
            "received": {"amount_minor": 1060000, "currency": "INR"},
            "refunded": {"amount_minor": 0, "currency": "INR"}, "revenue": {"amount_minor": 1060000, "currency": "INR"},
        }],
        discrepancies=[{
            "discrepancy": "paid_twice", "payments": 2, "summary": "made more than once for one registration",
            "advice": "Refund all but one of them.",
        }],
        email_funnel={
            "registered": 212, "registered_people": 260, "sent": 212, "delivered": 210, "opened": 140, "clicked": 61,
            "bounced": 2, "attended": 0, "attended_people": 0,
        },
        forecast=None, forecast_reason="no model has been trained on past events yet",
    )  # fmt: skip

    event: Event
    today: date = Field(description="The organisation's day that days before the start are counted from.")
    as_of: datetime
    quality: Quality
    pace: Pace
    arrivals: list[Arrival]
    no_shows: NoShows | None = Field(description="Null until the event has started.")
    payments: list[PaymentState]
    revenue_by_currency: list[CurrencyRevenue] = Field(description="The organisation's currency first.")
    discrepancies: list[PaymentDiscrepancy] = Field(
        description="Reasons to look at payments; the payments are in the table marts.agg_payment_discrepancies."
    )
    email_funnel: EmailFunnel
    forecast: Forecast | None
    forecast_reason: str = Field(description="Why there is no forecast; empty when there is one.")
