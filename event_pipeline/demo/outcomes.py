"""What becomes of each registration, as numbers: who, for which event, when, whether cancelled or came, and its dirt.

Drawn a chunk at a time from the chunk's own random stream, so that a first pass can count (what sold-out events hold)
and a second pass writes the very same registrations.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from event_pipeline.demo.columns import random_stream
from event_pipeline.demo.distributions import (
    DAY_MS,
    MINUTE_MS,
    ZONE_OFFSET_MS,
    cancel_chance,
    draw_arrivals,
    draw_leads,
    draw_registration_times,
    no_show_chance,
    some,
)
from event_pipeline.demo.plan import Plan
from event_pipeline.demo.untidiness import (
    DUPLICATE_RATE,
    GARBLED_RATE,
    HOSTILE_RATE,
    SECOND_DEVICE_SHARE,
    WRONG_TYPE_RATE,
)

CHUNK_ROWS = 8_192
"""Registrations drawn and written together; part of what makes a seed's output what it is."""

_OUTCOMES_STREAM = 10


@dataclass(frozen=True)
class Outcomes:
    """Columns of one chunk of registrations; times are epoch milliseconds, the kinds of dirt exclude each other."""

    event: np.ndarray
    person: np.ndarray
    registered_ms: np.ndarray
    cancelled: np.ndarray
    cancelled_ms: np.ndarray
    came: np.ndarray
    arrived_ms: np.ndarray
    duplicate: np.ndarray
    garbled: np.ndarray
    hostile: np.ndarray
    wrong_type: np.ndarray

    def __len__(self) -> int:
        return len(self.event)

    @property
    def is_document(self) -> np.ndarray:
        """Written as an object, so that scans, mails and payments can refer to it."""
        return ~self.garbled


def chunk_bounds(registrations: int) -> list[tuple[int, int]]:
    """First and last row (exclusive) of each chunk; chunks are nearly equal."""
    chunks = -(-registrations // CHUNK_ROWS)
    edges = [registrations * number // chunks for number in range(chunks + 1)]
    return list(pairwise(edges))


def draw_outcomes(plan: Plan, chunk: int, bounds: tuple[int, int]) -> Outcomes:
    """The registrations of one chunk; the same plan and chunk give the same registrations."""
    rng = random_stream(plan.seed, _OUTCOMES_STREAM, chunk)
    row = np.arange(*bounds)
    event = np.searchsorted(plan.first_row, row, side="right") - 1
    start = plan.start_ms[event]
    person = plan.people(event, row)
    # 1970-01-01 was a Thursday; Monday is 0.
    weekday = ((start + ZONE_OFFSET_MS) // DAY_MS + 3) % 7
    lead = draw_leads(rng, plan.shortest_lead[event], weekday)
    registered = _not_after(rng, draw_registration_times(rng, start, lead), plan.as_of_ms)
    cancelled, cancelled_ms = _draw_cancellations(rng, plan, start, lead, registered)
    garbled, hostile, wrong_type = _draw_dirt(rng, len(row))
    duplicate = _draw_duplicates(rng, event, garbled | hostile | wrong_type)
    source = np.flatnonzero(duplicate) - 1
    for column in (person, cancelled, cancelled_ms):
        column[duplicate] = column[source]
    later = np.minimum(registered[source] + _double_click_ms(rng, len(source)), plan.as_of_ms)
    registered[duplicate] = later
    cancelled_ms = np.maximum(cancelled_ms, registered)
    arrived = draw_arrivals(rng, start, registered)
    stays_away = rng.random(len(row)) < no_show_chance(lead)
    came = ~cancelled & ~stays_away & ~duplicate & ~garbled & ~plan.cancelled[event] & (arrived <= plan.as_of_ms)
    return Outcomes(
        event, person, registered, cancelled, cancelled_ms, came, arrived, duplicate, garbled, hostile, wrong_type
    )


def _not_after(rng: np.random.Generator, times: np.ndarray, as_of_ms: int) -> np.ndarray:
    """What would lie after the as-of instant happened in the hours before it."""
    recent = as_of_ms - rng.integers(MINUTE_MS, 300 * MINUTE_MS, len(times))
    return np.where(times > as_of_ms, recent, times)


def _draw_cancellations(
    rng: np.random.Generator, plan: Plan, start: np.ndarray, lead: np.ndarray, registered: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Who cancels and when, between registering and the start; what lies after the as-of instant has not happened."""
    room = np.maximum(start - registered, MINUTE_MS)
    when = registered + (room * rng.random(len(start))).astype(np.int64)
    return (rng.random(len(start)) < cancel_chance(lead)) & (when <= plan.as_of_ms), when


def _draw_dirt(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    clean = np.ones(rows, bool)
    kinds = []
    for rate in (GARBLED_RATE, HOSTILE_RATE, WRONG_TYPE_RATE):
        kinds.append(some(rng, clean, rate))
        clean = clean & ~kinds[-1]
    return kinds[0], kinds[1], kinds[2]


def _draw_duplicates(rng: np.random.Generator, event: np.ndarray, dirty: np.ndarray) -> np.ndarray:
    """Rows that repeat the row before them: same event, neither of them dirty, no runs."""
    follows = np.zeros(len(event), bool)
    follows[1:] = (event[1:] == event[:-1]) & ~dirty[1:] & ~dirty[:-1]
    marked = some(rng, follows, DUPLICATE_RATE)
    marked[1:] &= ~marked[:-1]
    return marked


def _double_click_ms(rng: np.random.Generator, rows: int) -> np.ndarray:
    second_device = rng.random(rows) < SECOND_DEVICE_SHARE
    return np.where(second_device, rng.integers(MINUTE_MS, 10 * MINUTE_MS, rows), rng.integers(300, 8_000, rows))
