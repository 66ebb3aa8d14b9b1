"""Rows for small stars, each plain and complete enough to be changed in one respect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from event_pipeline_tests.models.star import Row

START = datetime(2025, 6, 8, 4, 30, tzinfo=UTC)
AS_OF = datetime(2025, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CLUBS: list[Row] = [{"club_id": "c1"}]

MakeMarts = Callable[..., dict[str, list[Row]]]
"""Makes every mart of a star given as rows, as of AS_OF unless told otherwise."""


def event(event_id: str = "e1", starts_at: datetime | None = START, **more: Any) -> Row:
    """An event of club c1."""
    return {"event_id": event_id, "club_id": "c1", "starts_at": starts_at, **more}


def registration(
    number: int, event_id: str = "e1", registered_at: datetime | None = START - 7 * DAY, **more: Any
) -> Row:
    """A counted registration of the person of that number, a week ahead."""
    return {
        "registration_id": f"r{number}",
        "event_id": event_id,
        "source_event_id": event_id,
        "user_id": f"u{number}",
        "registered_at": registered_at,
        **more,
    }


def check_in(number: int, occurred_at: datetime | None = START, event_id: str = "e1", **more: Any) -> Row:
    """A counted check-in of the registration of that number."""
    return {
        "attendance_id": f"scan:{number}:{event_id}:{occurred_at}",
        "registration_id": f"r{number}",
        "event_id": event_id,
        "user_id": f"u{number}",
        "occurred_at": occurred_at,
        "is_counted": True,
        **more,
    }


def payment(number: int, revenue_minor: int, status: str = "verified", **more: Any) -> Row:
    """The payment of the registration of that number, six days ahead."""
    return {
        "payment_id": f"app:r{number}",
        "registration_id": f"r{number}",
        "event_id": "e1",
        "user_id": f"u{number}",
        "payment_status": status,
        "revenue_minor": revenue_minor,
        "occurred_at": START - 6 * DAY,
        **more,
    }


def mail(number: int, email_event: str, count: int = 1, **more: Any) -> list[Row]:
    """So many reports of one kind on the mail to the registration of that number, six days ahead."""
    return [
        {
            "email_event_id": f"m:{number}:{email_event}:{n}",
            "registration_id": f"r{number}",
            "event_id": "e1",
            "user_id": f"u{number}",
            "email_event": email_event,
            "occurred_at": START - 6 * DAY,
            **more,
        }
        for n in range(count)
    ]
