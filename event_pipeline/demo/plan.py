"""The plan of the demo organisation: who runs which event when, how many register, and who of them come back.

Everything here is small (one row an event) and drawn before the first registration, so that registrations can be
streamed in chunks that know nothing of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from event_pipeline.demo.distributions import (
    DAY_MS,
    HOUR_MS,
    LONGEST_LEAD_DAYS,
    ZONE_OFFSET_MS,
    share_registered_by,
)
from event_pipeline.demo.distributions import some as mark_some
from event_pipeline.demo.untidiness import CANCELLED_EVENT_RATE, DELETED_EVENT_RATE

FEES_RUPEES = (50, 99, 100, 150, 200, 250, 300, 500, 1000)
PAID_SHARE = 0.35
"""Share of event series that ask for a fee."""
GATEWAY_SHARE = 0.5
"""Share of paid series paid through a payment gateway; the others by UPI and a screenshot."""
SOLD_OUT_SHARE = 0.15
"""Share of events whose capacity is just what registered."""
UPCOMING_SERIES_SHARE = 0.3
"""Share of series whose newest edition is still to come."""
EDITIONS_WEIGHTS = (0.25, 0.30, 0.25, 0.20)
"""How many yearly editions a series has: one to four."""
WEEKDAY_OF_EVENTS = (0.06, 0.07, 0.08, 0.10, 0.19, 0.30, 0.20)
"""Weekdays on which events start, Monday first."""
START_HOURS = ((9, 0.15), (10, 0.25), (11, 0.15), (14, 0.12), (16, 0.10), (17, 0.10), (18, 0.13))
"""Local hours at which events start."""

VISITS_OF_A_REGULAR = 3
"""How many events of their organiser a returning person registers for."""
REGULAR_SLOTS_SMALL = 0.11
REGULAR_SLOTS_CLUB = 0.50
"""Share of an organiser's registrations that belong to regulars. With three visits each, about 4 % of a small
organisation's people return, and about a quarter of a club's."""


@dataclass(frozen=True)
class Plan:
    """Columns of events in order of their start; ``club`` and ``series`` are numbers, times epoch milliseconds."""

    seed: int
    as_of_ms: int
    registrations: int
    clubs: int
    is_small: np.ndarray
    """By club: a small organisation rather than a student club."""
    club: np.ndarray
    series: np.ndarray
    year: np.ndarray
    start_ms: np.ndarray
    end_ms: np.ndarray
    fee: np.ndarray
    gateway: np.ndarray
    kind: np.ndarray
    """0 individual, 1 team, 2 both."""
    cancelled: np.ndarray
    deleted: np.ndarray
    sold_out: np.ndarray
    first_row: np.ndarray
    """First registration of each event, and the total at the end."""
    regular_slots: np.ndarray
    """How many of an event's registrations belong to regulars; they come first."""
    regular_before: np.ndarray
    """Regular slots of the organiser's earlier events."""
    pool_size: np.ndarray
    pool_start: np.ndarray
    regulars: int
    """People in all pools; everyone else is numbered above it."""

    @property
    def events(self) -> int:
        """Events, deleted ones included."""
        return len(self.club)

    @property
    def is_upcoming(self) -> np.ndarray:
        """Starts after the as-of instant."""
        return self.start_ms > self.as_of_ms

    @property
    def shortest_lead(self) -> np.ndarray:
        """Days before the start that have passed already, by event: 0 for past events."""
        return _shortest_lead(self.start_ms, self.as_of_ms)

    def people(self, event: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Who holds each registration: regulars take turns, everybody else comes once."""
        slot = row - self.first_row[event]
        visit = self.regular_before[event] + slot
        size = self.pool_size[event]
        round_of_pool = visit // (VISITS_OF_A_REGULAR * size)
        regular = self.pool_start[event] + round_of_pool * size + visit % size
        return np.where(slot < self.regular_slots[event], regular, self.regulars + row)


def make_plan(registrations: int, seed: int, as_of: datetime, rng: np.random.Generator) -> Plan:
    """The plan for so many registration documents; the same arguments give the same plan."""
    as_of_ms = int(as_of.timestamp() * 1000)
    mean_size = 20 * (registrations / 100) ** 0.22
    count = max(12, round(registrations / mean_size))
    series, year, start_ms = _editions(rng, count, as_of)
    order = np.lexsort((series, start_ms))
    series, year, start_ms, count = series[order], year[order], start_ms[order], len(order)
    clubs = max(4, round(int(series.max()) / 5))
    is_small = np.arange(clubs) % 5 >= 3
    club_of_series = _club_of_series(rng, int(series.max()) + 1, is_small)
    club = club_of_series[series]
    past = start_ms < as_of_ms - 2 * DAY_MS
    # The oldest events are old enough to be deleted; an important recent one would not be.
    deleted = mark_some(rng, past & (np.arange(count) < count // 2), DELETED_EVENT_RATE)
    first_row = _allot(rng, registrations, start_ms, as_of_ms, is_small[club], deleted)
    paid = rng.random(int(series.max()) + 1) < PAID_SHARE
    paid[1] = True
    fee = np.where(paid, rng.choice(FEES_RUPEES, len(paid)), 0)[series]
    gateway = (rng.random(len(paid)) < GATEWAY_SHARE) | (np.arange(len(paid)) == 1)
    hours = np.where(rng.random(count) < 0.1, 30, rng.integers(2, 8, count))
    regulars = _regulars(np.diff(first_row), club, is_small)
    return Plan(
        seed=seed, as_of_ms=as_of_ms, registrations=registrations, clubs=clubs, is_small=is_small, club=club,
        series=series, year=year, start_ms=start_ms, end_ms=start_ms + hours * HOUR_MS, fee=fee,
        gateway=gateway[series] & (fee > 0), kind=rng.choice(3, len(paid), p=(0.6, 0.2, 0.2))[series],
        cancelled=past & ~deleted & (rng.random(count) < CANCELLED_EVENT_RATE), deleted=deleted,
        sold_out=(rng.random(count) < SOLD_OUT_SHARE) & past & ~deleted,
        first_row=first_row, regular_slots=regulars.slots, regular_before=regulars.before,
        pool_size=regulars.pool_size, pool_start=regulars.pool_start, regulars=regulars.people,
    )  # fmt: skip


def _editions(rng: np.random.Generator, count: int, as_of: datetime) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Series number, year in the title and start of every edition; at least ``count`` of them."""
    series: list[int] = []
    years: list[int] = []
    starts: list[int] = []
    hours, weights = zip(*START_HOURS, strict=True)
    number = 0
    while len(starts) < count:
        # The first series still comes and has come before, whatever the size of the demo.
        editions = 4 if number == 0 else int(rng.choice(4, p=EDITIONS_WEIGHTS)) + 1
        upcoming = number == 0 or rng.random() < UPCOMING_SERIES_SHARE
        days = int(rng.integers(10, 50)) if upcoming else -int(rng.integers(2, 330))
        newest = (as_of + timedelta(days=days)).date()
        hour = int(rng.choice(hours, p=weights))
        weekday = int(rng.choice(7, p=WEEKDAY_OF_EVENTS))
        for back in range(editions):
            day = _near(newest, newest.year - back, weekday)
            local = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            series.append(number)
            years.append(newest.year - back)
            starts.append(int(local.timestamp() * 1000) - ZONE_OFFSET_MS)
        number += 1
    return np.array(series), np.array(years), np.array(starts)


def _near(day: date, year: int, weekday: int) -> date:
    """That weekday in the week after the same day of ``year`` (before it in December, to stay in the year)."""
    same = day.replace(year=year, day=min(day.day, 28))
    ahead = (weekday - same.weekday()) % 7
    return same + timedelta(days=ahead - 7 if same.month == 12 else ahead)


def _club_of_series(rng: np.random.Generator, series: int, is_small: np.ndarray) -> np.ndarray:
    """Everyone runs one series; three quarters of the others belong to student clubs."""
    clubs = len(is_small)
    weights = np.where(is_small, 0.25 / is_small.sum(), 0.75 / (~is_small).sum())
    return np.where(np.arange(series) < clubs, np.arange(series) % clubs, rng.choice(clubs, series, p=weights))


def _shortest_lead(start_ms: np.ndarray, as_of_ms: int) -> np.ndarray:
    days = (start_ms + ZONE_OFFSET_MS) // DAY_MS - (as_of_ms + ZONE_OFFSET_MS) // DAY_MS
    return np.clip(days, 0, LONGEST_LEAD_DAYS)


def _allot(
    rng: np.random.Generator,
    registrations: int,
    start_ms: np.ndarray,
    as_of_ms: int,
    is_small: np.ndarray,
    deleted: np.ndarray,
) -> np.ndarray:
    """Bounds of each event's registrations: two at least, the rest by long-tailed popularity that grows by the year."""
    age_years = (start_ms - start_ms.max()) / (365 * DAY_MS)
    weight = (
        rng.lognormal(0, 0.7, len(start_ms)) * 1.1**age_years * share_registered_by(_shortest_lead(start_ms, as_of_ms))
    )
    weight *= np.where(is_small, 0.7, 1.0) * np.where(deleted, 0.4, 1.0)
    spare = registrations - 2 * len(weight)
    shares = np.floor(np.cumsum(weight) / weight.sum() * spare).astype(np.int64)
    shares[-1] = spare
    return np.concatenate([[0], shares + 2 * np.arange(1, len(weight) + 1)])


@dataclass(frozen=True)
class _Regulars:
    slots: np.ndarray
    before: np.ndarray
    pool_size: np.ndarray
    pool_start: np.ndarray
    people: int


def _regulars(size: np.ndarray, club: np.ndarray, is_small: np.ndarray) -> _Regulars:
    """How regulars are spread: each pool is used up in rounds of three visits, never twice in one event."""
    events = len(size)
    share = np.where(is_small[club], REGULAR_SLOTS_SMALL, REGULAR_SLOTS_CLUB)
    slots = np.floor(size * share + 0.5).astype(np.int64)
    before = np.zeros(events, np.int64)
    pool_size = np.ones(len(is_small), np.int64)
    people = np.zeros(len(is_small), np.int64)
    for number in range(len(is_small)):
        own = np.flatnonzero(club == number)
        if not len(own):
            continue
        # One event may not hold a regular twice, so a very large event takes no more than a third of the visits.
        slots[own] = np.minimum(slots[own], max(int(slots[own].sum()) // VISITS_OF_A_REGULAR, 1))
        total, largest = int(slots[own].sum()), max(int(slots[own].max()), 1)
        rounds = max(1, total // (VISITS_OF_A_REGULAR * largest))
        pool_size[number] = max(largest, -(-total // (VISITS_OF_A_REGULAR * rounds)))
        people[number] = pool_size[number] * (-(-total // (VISITS_OF_A_REGULAR * pool_size[number])))
        before[own] = np.concatenate([[0], np.cumsum(slots[own])[:-1]])
    start = np.concatenate([[0], np.cumsum(people)[:-1]])
    return _Regulars(slots, before, pool_size[club], start[club], int(people.sum()))
