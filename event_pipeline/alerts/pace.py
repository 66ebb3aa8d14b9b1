"""What "off pace" means: one comparison for the alert, the API and the pages.

Compared is what was active at the beginning of today: today is not over, and is never held against whole days. Other
events are looked at where they stood at the beginning of the day that was as many days before their start.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, Literal

from event_pipeline.settings.organiser_alert_rules import OffPace

EDITIONS = 3
"""How many earlier editions an event is compared with: the latest of the same club and series."""

OTHERS_OVER = timedelta(days=3 * 366)
"""Events that started within so long tell what is usual, for an event without earlier editions."""

_NEW_FOR = timedelta(days=2)
"""An event that was published only now has no pace yet."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What was active at a point before a start."""

    registrations: int
    participants: int


@dataclass(frozen=True, slots=True)
class Others:
    """Median share of places that events of the organisation had taken at that point, and of how many events."""

    fill: float
    events: int


@dataclass(frozen=True, slots=True)
class PaceComparison:
    """An event's number beside the usual one, in registrations (editions) or in people (other events)."""

    compared_with: Literal["earlier_editions", "other_events"]
    number: int
    usual: float

    @property
    def change(self) -> float | None:
        """Number less usual, as a share of usual; None where nothing is usual."""
        return round((self.number - self.usual) / self.usual, 4) if self.usual else None

    def is_off_pace(self, rule: OffPace) -> bool:
        """Whether the number is below the rule's share of what is usual, where enough is usual to tell."""
        return self.usual >= rule.least and self.number < rule.share * self.usual


def days_left(start_date: date, today: date) -> int:
    """Days until the start, by the organisation's days; negative after it."""
    return (start_date - today).days


def is_watched(event: Mapping[str, Any], now: datetime, today: date, rule: OffPace) -> bool:
    """Whether the event is one whose pace is judged; ``event`` has the columns of core.dim_events."""
    if event["starts_at"] is None or event["starts_at"] <= now or event["event_status"] == "cancelled":
        return False
    is_near = 1 <= days_left(event["start_date"], today) <= rule.days
    is_known = event["created_at"] is not None and event["created_at"] <= now - _NEW_FOR
    return is_near and is_known and not event["is_archived"] and event["registration_method"] != "external"


def compare(
    own: Reached, editions: Sequence[int], others: Others | None, capacity: int | None, rule: OffPace
) -> PaceComparison | None:
    """With the median of the editions' registrations; without editions, with the share of places that is usual."""
    if editions:
        return PaceComparison("earlier_editions", own.registrations, float(median(editions)))
    if others is None or not capacity or others.events < rule.past_events:
        return None
    return PaceComparison("other_events", own.participants, others.fill * capacity)
