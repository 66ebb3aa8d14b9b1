"""``GET events/{event_id}/participants``: the one answer with names."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from event_pipeline.api.answers.common import example


class Participant(BaseModel):
    """A registration with its person."""

    registration_id: str
    person_name: str | None
    email: str | None = Field(description="Null where the registration has no valid address.")
    phone: str | None
    department: str | None
    year_of_study: str | None
    team_size: int
    registered_at: datetime | None
    registration_status: str
    is_counted: bool = Field(description="Neither cancelled nor a duplicate.")
    attended_at: datetime | None
    payment_status: str | None


class Participants(BaseModel):
    """A page of an event's registrations, by their ids, cancelled ones and duplicates included."""

    model_config = example(
        items=[{
            "registration_id": "-NxReg1", "person_name": "Asha Rao", "email": "asha@example.org",
            "phone": "+919800000001", "department": "Physics", "year_of_study": "2", "team_size": 1,
            "registered_at": "2026-05-20T08:15:00Z", "registration_status": "registered", "is_counted": True,
            "attended_at": None, "payment_status": "verified",
        }],
        next_cursor=None,
    )  # fmt: skip

    items: list[Participant]
    next_cursor: str | None
