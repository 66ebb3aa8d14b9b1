"""How people behave: when they register, cancel, come and arrive. Every marginal of the demo organisation is here.

Lead time is whole days between the local date of the registration and that of the event's start. The published figures
give the lead times of those *who come*; the lead times of those who *register* follow from them by dividing through
the shares that neither cancel nor stay away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
MINUTE_MS = 60_000
ZONE_OFFSET_MS = 19_800_000
"""Asia/Kolkata, the app's zone: five and a half hours ahead of UTC, without summer time."""

LONGEST_LEAD_DAYS = 90


@dataclass(frozen=True)
class LeadBucket:
    """Registrations ``first`` to ``last`` days ahead: their share of those who come, and the chance of not coming."""

    first: int
    last: int
    share_of_those_who_come: float
    no_show: float


LEAD_BUCKETS = (
    LeadBucket(0, 0, 0.06, 0.05),
    LeadBucket(1, 1, 0.04, 0.21),
    LeadBucket(2, 3, 0.05, 0.24),
    LeadBucket(4, 6, 0.06, 0.25),
    LeadBucket(7, 13, 0.09, 0.30),
    LeadBucket(14, 29, 0.11, 0.33),
    LeadBucket(30, LONGEST_LEAD_DAYS, 0.59, 0.34),
)
"""No-shows are of registrations that were not cancelled. Of those who come, 79 % registered a week or more ahead,
70 % two weeks, 59 % a month; the remaining 21 % are split over the last week by our own judgement."""

CANCELLED_SAME_DAY = 0.07
CANCELLED_TWO_MONTHS_AHEAD = 0.40
"""Chance that a registration is cancelled: linear in lead time from the same day to sixty days, then flat."""

HOUR_WEIGHTS = (6, 3, 1, 1, 1, 1, 2, 5, 12, 20, 28, 30, 34, 32, 26, 24, 26, 30, 34, 38, 44, 48, 36, 16)
"""When in the day people register (local hours 0-23): lunch and a late evening peak."""
WEEKDAY_WEIGHTS = (1.15, 1.20, 1.15, 1.10, 0.95, 0.70, 0.75)
"""How readily people register on Monday ... Sunday, among days of the same lead time bucket."""

ARRIVAL_LATEST_MINUTES = 40
ARRIVAL_MEDIAN_MINUTES = 55
ARRIVAL_SIGMA = 0.45
"""Arrival = start + 40 min - lognormal(median 55 min, sigma 0.45): most likely 5 minutes before the start, a long tail
of early comers, nobody later than 40 minutes after it."""


def no_show_chance(lead_days: np.ndarray) -> np.ndarray:
    """Chance that someone who registered so many days ahead and did not cancel stays away."""
    return _lead_table().no_show[lead_days]


def cancel_chance(lead_days: np.ndarray) -> np.ndarray:
    """Chance that a registration made so many days ahead is cancelled."""
    grown = (CANCELLED_TWO_MONTHS_AHEAD - CANCELLED_SAME_DAY) * np.minimum(lead_days, 60) / 60
    return CANCELLED_SAME_DAY + grown


@dataclass(frozen=True)
class _LeadTable:
    before: np.ndarray
    """Share of registrations with a shorter lead, by day; one entry more than there are days."""
    bucket: np.ndarray
    no_show: np.ndarray


@cache
def _lead_table() -> _LeadTable:
    days = np.arange(LONGEST_LEAD_DAYS + 1)
    bucket = np.empty(len(days), np.int64)
    come = np.empty(len(days))
    no_show = np.empty(len(days))
    for number, part in enumerate(LEAD_BUCKETS):
        inside = (days >= part.first) & (days <= part.last)
        fading = np.exp(-(days[inside] - part.first) / 30)
        bucket[inside] = number
        no_show[inside] = part.no_show
        come[inside] = part.share_of_those_who_come * fading / fading.sum()
    registered = come / ((1 - no_show) * (1 - cancel_chance(days)))
    before = np.concatenate([[0.0], np.cumsum(registered / registered.sum())])
    before[-1] = 1.0
    return _LeadTable(before, bucket, no_show)


def share_registered_by(shortest_lead: np.ndarray) -> np.ndarray:
    """Share of an event's registrations that are made at least so many days ahead (0 beyond the longest)."""
    return 1 - _lead_table().before[np.minimum(shortest_lead, LONGEST_LEAD_DAYS + 1)]


def draw_leads(rng: np.random.Generator, shortest: np.ndarray, start_weekday: np.ndarray) -> np.ndarray:
    """Lead times in days, none shorter than ``shortest``; ``start_weekday`` (Monday 0) tilts them to busy weekdays.

    A second day of the same bucket competes with the first by weekday, which leaves each bucket's share as it is.
    """
    table = _lead_table()
    floor = table.before[shortest]
    first = _day_at(table, floor + rng.random(len(shortest)) * (1 - floor))
    starts = np.array([table.before[part.first] for part in LEAD_BUCKETS])
    ends = np.array([table.before[part.last + 1] for part in LEAD_BUCKETS])
    bucket = table.bucket[first]
    lowest = np.maximum(starts[bucket], floor)
    second = _day_at(table, lowest + rng.random(len(shortest)) * (ends[bucket] - lowest))
    second = np.where(table.bucket[second] == bucket, second, first)
    weights = np.array(WEEKDAY_WEIGHTS)
    liking_first, liking_second = (weights[(start_weekday - day) % 7] for day in (first, second))
    return np.where(rng.random(len(first)) * (liking_first + liking_second) < liking_first, first, second)


def _day_at(table: _LeadTable, share: np.ndarray) -> np.ndarray:
    return np.clip(np.searchsorted(table.before, share, side="right") - 1, 0, LONGEST_LEAD_DAYS)


def draw_registration_times(rng: np.random.Generator, start_ms: np.ndarray, lead_days: np.ndarray) -> np.ndarray:
    """Epoch milliseconds of registrations made ``lead_days`` local days before the event's start."""
    rows = len(start_ms)
    local_start = start_ms + ZONE_OFFSET_MS
    midnight = local_start - local_start % DAY_MS
    weights = np.array(HOUR_WEIGHTS, float)
    hour = np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(rows), side="right").clip(0, 23)
    earlier = midnight - lead_days * DAY_MS + hour * HOUR_MS + rng.integers(0, HOUR_MS, rows)
    # Same-day registrations crowd towards the start, but are made before it.
    room = np.minimum(local_start - midnight, 9 * HOUR_MS) - 10 * MINUTE_MS
    same_day = local_start - 10 * MINUTE_MS - (room * rng.random(rows) ** 2).astype(np.int64)
    return np.where(lead_days == 0, same_day, earlier) - ZONE_OFFSET_MS


def draw_arrivals(rng: np.random.Generator, start_ms: np.ndarray, registered_ms: np.ndarray) -> np.ndarray:
    """Epoch milliseconds of arrivals at the door; nobody arrives before having registered."""
    early = rng.lognormal(np.log(ARRIVAL_MEDIAN_MINUTES), ARRIVAL_SIGMA, len(start_ms))
    offset = (ARRIVAL_LATEST_MINUTES - np.minimum(early, 240)) * MINUTE_MS
    return np.maximum(start_ms + offset.astype(np.int64), registered_ms + 2 * MINUTE_MS)


def some(rng: np.random.Generator, candidates: np.ndarray, rate: float) -> np.ndarray:
    """Mark ``rate`` of the candidates, one at least where there is any: the smallest demo shows each kind."""
    marked = candidates & (rng.random(len(candidates)) < rate)
    if not marked.any() and candidates.any():
        marked[rng.choice(np.flatnonzero(candidates))] = True
    return marked
