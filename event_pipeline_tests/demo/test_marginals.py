"""The marginals that the demo promises, measured on fifty thousand registrations read back from the files."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import pytest

from event_pipeline.demo.distributions import LEAD_BUCKETS, LeadBucket
from event_pipeline_tests.demo.reading import ZONE, Demo, Registered

STANDARD_ERRORS = 4


def _agrees(share: float, expected: float, of: int) -> bool:
    """Within four standard errors of a sample of ``of``, plus what duplicates and typos blur."""
    return abs(share - expected) < STANDARD_ERRORS * math.sqrt(expected * (1 - expected) / of) + 0.002


def _within(rows: list[Registered], first: int, last: int) -> list[Registered]:
    return [row for row in rows if first <= row.lead_days <= last]


@pytest.mark.parametrize("bucket", LEAD_BUCKETS, ids=lambda bucket: f"{bucket.first}-{bucket.last}_days")
def test_no_shows_grow_with_lead_time(large: Demo, bucket: LeadBucket) -> None:
    kept = [row for row in _within(large.held, bucket.first, bucket.last) if not row.cancelled]
    no_show = sum(not row.came for row in kept) / len(kept)
    assert _agrees(no_show, bucket.no_show, len(kept)), f"{no_show:.3f} of {len(kept)}"


def test_no_shows_are_the_published_ones() -> None:
    assert [bucket.no_show for bucket in LEAD_BUCKETS] == [0.05, 0.21, 0.24, 0.25, 0.30, 0.33, 0.34]


@pytest.mark.parametrize(("days", "share"), [(7, 0.79), (14, 0.70), (30, 0.59)])
def test_those_who_come_registered_early(large: Demo, days: int, share: float) -> None:
    came = [row for row in large.held if row.came]
    early = sum(row.lead_days >= days for row in came) / len(came)
    assert _agrees(early, share, len(came)), f"{early:.3f} of {len(came)}"


@pytest.mark.parametrize(("first", "last", "share"), [(0, 0, 0.07), (30, 30, 0.235), (60, 90, 0.40)])
def test_cancellations_grow_from_the_same_day_to_two_months_ahead(
    large: Demo, first: int, last: int, share: float
) -> None:
    rows = _within(large.held, first, last)
    cancelled = sum(row.cancelled for row in rows) / len(rows)
    assert _agrees(cancelled, share, len(rows)), f"{cancelled:.3f} of {len(rows)}"


def _returning_share(demo: Demo, kind: str) -> float:
    """Share of an organiser's people who registered for two events or more, over all organisers of one kind."""
    visits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for document in demo.documents.values():
        event = demo.events.get(document["event_id"])
        if event and "participant_email" in document and kind in demo.tree["clubs"][event["club_id"]]["name"].split():
            visits[event["club_id"], document["participant_email"].strip().lower()].add(document["event_id"])
    return sum(len(events) > 1 for events in visits.values()) / len(visits)


def test_few_people_return_to_small_organisations_and_more_to_clubs(large: Demo) -> None:
    assert 0.03 <= _returning_share(large, "Circle") <= 0.05
    assert 0.20 <= _returning_share(large, "Club") <= 0.30


def test_arrivals_peak_just_before_the_start(large: Demo) -> None:
    early = [row.minutes_early for row in large.held if row.minutes_early is not None and row.lead_days > 0]
    tens = Counter(math.floor(minutes / 10) for minutes in early)
    assert tens.most_common(1)[0][0] == 0, "most arrive in the ten minutes before the start"
    assert min(early) >= -40
    assert max(early) > 120, "a few come very early"


def test_people_register_in_the_evening_and_on_working_days(large: Demo) -> None:
    local = [row.registered.astimezone(ZONE) for row in large.held if row.lead_days > 0]
    hours = Counter(moment.hour for moment in local)
    weekdays = Counter(moment.weekday() for moment in local)
    assert hours.most_common(1)[0][0] == 21
    assert hours[21] > 10 * hours[4]
    assert weekdays[1] > 1.1 * weekdays[6]


def test_registrations_precede_their_event_and_nothing_lies_in_the_future(large: Demo) -> None:
    assert min(row.lead_days for row in large.held) == 0
    assert max(row.lead_days for row in large.held) <= 90
    assert all(row.arrived > row.registered for row in large.held if row.arrived)
    assert all(row.registered <= large.summary.as_of for row in large.held)
