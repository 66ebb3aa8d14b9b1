"""``GET analytics``."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from event_pipeline.api.answers.common import Money, Quality, example

Period = Literal["today", "week", "month", "year", "all"]
Granularity = Literal["day", "week"]


class Attendance(BaseModel):
    """Of events that started within the period."""

    events_started: int
    expected: int = Field(description="Their counted registrations.")
    attended: int = Field(description="Of these, with a counted check-in.")
    rate: float | None = Field(description="attended over expected; null before anyone is expected.")
    expected_people: int = Field(description="People in the expected registrations, teams included.")
    attended_people: int = Field(description="People in the registrations that attended; one check-in admits a team.")
    people_rate: float | None = Field(description="attended_people over expected_people.")


class Engagement(BaseModel):
    """Mail counts by the day it was reported; rates are of the registrations of events that started in the period."""

    new_people: int = Field(description="Known people whose first counted registration is of the period.")
    emails_sent: int
    emails_delivered: int
    open_rate: float | None = Field(description="Registrations whose mail was opened, over those it was delivered to.")
    click_rate: float | None = Field(description="Registrations that clicked, over those it was delivered to.")


class Totals(BaseModel):
    """The figures of a period."""

    registrations: int = Field(description="Counted registrations made in it.")
    participants: int = Field(description="People in them, teams included.")
    cancellations: int = Field(description="Registrations cancelled in it, whenever they were made.")
    check_ins: int = Field(description="Registrations checked in; one check-in admits a team.")
    revenue: Money = Field(description="Received less given back within the period; may be negative.")
    other_revenue: list[Money] = Field(description="In other currencies, each by itself; never added to revenue.")
    attendance: Attendance
    engagement: Engagement


class TrendPoint(BaseModel):
    """A day, or a week by its Monday; days on which nothing happened are there too."""

    date: date
    is_partial: bool = Field(
        description="Not all of it: the day or week is not over, or the period begins within the week."
    )
    registrations: int
    participants: int
    check_ins: int
    revenue_minor: int
    new_people: int


class DayRevenue(BaseModel):
    """Money of a day in one currency; ``date`` is empty for what has no known day."""

    date: date | None
    received: Money
    refunded: Money = Field(description="Given back, lost disputes included.")
    revenue: Money = Field(description="received less refunded; may be negative.")


class TopEvent(BaseModel):
    """An event by its counted registrations of the period."""

    event_id: str
    title: str | None
    starts_at: datetime | None
    registrations: int
    participants: int = Field(description="People in the registrations, teams included.")
    check_ins: int
    revenue: Money
    other_revenue: list[Money]


class Change(BaseModel):
    """Of whole_days now less before, as a share of before; null where there was nothing before, and for today."""

    registrations: float | None
    participants: float | None
    check_ins: float | None
    revenue: float | None


class Figures(BaseModel):
    """What whole days came to."""

    first_day: date
    last_day: date
    registrations: int
    participants: int
    check_ins: int
    revenue: Money
    other_revenue: list[Money]


class WholeDays(BaseModel):
    """As many days as the period has, up to yesterday, and the equally many before: today is not over."""

    now: Figures
    before: Figures


class Comparison(BaseModel):
    """The equally many days before the period, and the change between whole days."""

    first_day: date
    last_day: date
    totals: Totals
    whole_days: WholeDays | None = Field(description="What change is of; null for the period today, which is not over.")
    change: Change


class Analytics(BaseModel):
    """What the events have come to within a period."""

    model_config = example(
        period="week", granularity="day", first_day="2026-05-26", last_day="2026-06-01", time_zone="Asia/Kolkata",
        as_of="2026-06-01T09:30:00Z",
        quality={"score": 0.998, "checked_at": "2026-06-01T09:00:00Z", "failed": 0, "tables_failing": []},
        totals={
            "registrations": 412, "participants": 530, "cancellations": 12, "check_ins": 280,
            "revenue": {"amount_minor": 1250000, "currency": "INR"}, "other_revenue": [],
            "attendance": {
                "events_started": 6, "expected": 350, "attended": 280, "rate": 0.8, "expected_people": 450,
                "attended_people": 351, "people_rate": 0.78,
            },
            "engagement": {
                "new_people": 120, "emails_sent": 800, "emails_delivered": 790, "open_rate": 0.61, "click_rate": 0.2,
            },
        },
        trend=[{
            "date": "2026-06-01", "is_partial": True, "registrations": 60, "participants": 81, "check_ins": 44,
            "revenue_minor": 180000, "new_people": 17,
        }],
        top_events=[{
            "event_id": "-NxRobotics", "title": "Robotics Night 2026", "starts_at": "2026-06-05T12:30:00Z",
            "registrations": 140, "participants": 190, "check_ins": 0,
            "revenue": {"amount_minor": 700000, "currency": "INR"}, "other_revenue": [],
        }],
        comparison=None,
    )  # fmt: skip

    period: Period
    granularity: Granularity
    first_day: date | None = Field(description="First day of the period; null when nothing was ever registered.")
    last_day: date = Field(description="Today, the organisation's day.")
    time_zone: str = Field(description="Where days begin and end.")
    as_of: datetime = Field(description="When the warehouse was last brought up to date.")
    quality: Quality
    totals: Totals
    trend: list[TrendPoint]
    top_events: list[TopEvent]
    comparison: Comparison | None = Field(description="Null for the period all.")
