"""``GET events``, and what of an event other answers repeat."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from event_pipeline.api.answers.common import Money, example

EventStatus = Literal["upcoming", "ongoing", "completed", "cancelled"]

_EVENT = {
    "event_id": "-NxRobotics", "title": "Robotics Night 2026", "edition_series": "Robotics Night",
    "club_id": "clubRobotics", "club_name": "Robotics Club", "category_name": "Technology", "location": "Main hall",
    "starts_at": "2026-06-05T12:30:00Z", "ends_at": "2026-06-05T16:30:00Z",
    "registration_deadline_at": "2026-06-04T18:29:59Z", "event_status": "upcoming", "capacity": 300, "is_paid": True,
    "registrations": 212, "participants": 260, "check_ins": 0, "attended_people": 0, "fill_rate": 0.8667,
    "revenue": {"amount_minor": 1060000, "currency": "INR"}, "other_revenue": [],
}  # fmt: skip


class Event(BaseModel):
    """An event with its figures so far."""

    model_config = example(**_EVENT)

    event_id: str
    title: str | None
    edition_series: str | None = Field(description="Title without its year: editions of one event share it.")
    club_id: str
    club_name: str | None
    category_name: str | None
    location: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    registration_deadline_at: datetime | None
    event_status: EventStatus | None
    capacity: int | None = Field(description="Most participants; null when unlimited.")
    is_paid: bool
    registrations: int = Field(description="Counted registrations.")
    participants: int = Field(description="People in them, teams included.")
    check_ins: int = Field(description="Registrations checked in.")
    attended_people: int = Field(description="People in the registrations that attended; one check-in admits a team.")
    fill_rate: float | None = Field(description="participants over capacity; null without a capacity.")
    revenue: Money = Field(description="Received less given back, in the organisation's currency.")
    other_revenue: list[Money] = Field(description="In other currencies, each by itself; never added to revenue.")


class Events(BaseModel):
    """A page of events, the latest start first; those without a start come last."""

    model_config = example(items=[_EVENT], next_cursor="WyI1ZDQx...", as_of="2026-06-01T09:30:00Z")

    items: list[Event]
    next_cursor: str | None = Field(description="For the next page; null on the last.")
    as_of: datetime


EVENT_EXAMPLE = _EVENT
"""The example, for answers that hold an event."""
