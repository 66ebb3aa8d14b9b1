"""How events fill up and how people arrive."""

from __future__ import annotations

from datetime import timedelta

import pytest

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline_tests.models.star_rows import DAY, START, MakeMarts, check_in, event, registration


def test_registrations_add_up_day_by_day_to_the_start_and_beyond(marts: MakeMarts) -> None:
    rows = marts(
        events=[event(capacity=8)],
        registrations=[
            registration(1, team_size=3),
            registration(2),
            registration(3, registered_at=START - DAY, is_duplicate=True),
            registration(4, registered_at=START + DAY),
        ],
    )["agg_registration_pace"]
    columns = (
        "days_before_start",
        "registrations",
        "cumulative_registrations",
        "cumulative_participants",
        "fill_rate",
    )
    assert [tuple(row[name] for name in columns) for row in rows] == [
        (-1, 1, 3, 5, 0.625),
        (0, 0, 2, 4, 0.5),
        (7, 2, 2, 4, 0.5),
    ]


def test_day_zero_appears_when_the_event_has_started(marts: MakeMarts) -> None:
    rows = {"events": [event()], "registrations": [registration(1)]}
    before = marts(START - DAY, **rows)["agg_registration_pace"]
    after = marts(START, **rows)["agg_registration_pace"]
    assert [row["days_before_start"] for row in before] == [7]
    assert [row["days_before_start"] for row in after] == [0, 7]


def test_a_registration_is_active_until_the_day_on_which_it_was_cancelled(marts: MakeMarts) -> None:
    rows = marts(
        events=[event(capacity=10)],
        registrations=[
            registration(1, registered_at=START - 9 * DAY),
            registration(
                2, registered_at=START - 9 * DAY, team_size=3, is_cancelled=True, cancelled_at=START - 4 * DAY
            ),
            registration(3, registered_at=START - 4 * DAY, team_size=2),
            registration(4, registered_at=START - 2 * DAY, is_cancelled=True, cancelled_at=START - 2 * DAY),
            registration(5, registered_at=START - 2 * DAY, is_cancelled=True, cancelled_at=START + DAY),
        ],
    )["agg_registration_pace"]
    columns = (
        "days_before_start", "registrations", "cancellations", "cumulative_registrations",
        "participants", "cancelled_participants", "cumulative_participants", "fill_rate",
    )  # fmt: skip
    assert [tuple(row[name] for name in columns) for row in rows] == [
        (-1, 0, 1, 2, 0, 1, 3, 0.3),
        (0, 0, 0, 3, 0, 0, 4, 0.4),
        (2, 2, 1, 3, 2, 1, 4, 0.4),
        (4, 1, 1, 2, 2, 3, 3, 0.3),
        (9, 2, 0, 2, 4, 0, 4, 0.4),
    ]


@pytest.mark.parametrize("capacity", [None, 0])
def test_without_a_capacity_there_is_no_fill_rate(marts: MakeMarts, capacity: int | None) -> None:
    rows = marts(events=[event(capacity=capacity)], registrations=[registration(1)])["agg_registration_pace"]
    assert [(row["capacity"], row["fill_rate"]) for row in rows] == [(capacity, None)] * 2


def test_events_without_a_start_are_left_out(marts: MakeMarts) -> None:
    rows = marts(events=[event(starts_at=None)], registrations=[registration(1), registration(2, UNKNOWN)])
    assert rows["agg_registration_pace"] == []


def test_check_ins_fall_into_five_minutes_and_add_up(marts: MakeMarts) -> None:
    times = [
        timedelta(minutes=-7),
        timedelta(seconds=0),
        timedelta(seconds=299, microseconds=999_999),
        timedelta(minutes=5),
    ]
    rows = marts(
        events=[event()],
        registrations=[registration(n) for n in range(6)],
        attendance=[check_in(n, START + time) for n, time in enumerate(times)],
    )["agg_arrivals"]
    assert [
        (r["bucket_at"], r["minutes_from_start"], r["check_ins"], r["cumulative_check_ins"], r["registered"])
        for r in rows
    ] == [
        (START - timedelta(minutes=10), -10, 1, 1, 6),
        (START, 0, 2, 3, 6),
        (START + timedelta(minutes=5), 5, 1, 4, 6),
    ]


def test_the_unknown_event_has_arrivals_but_no_start(marts: MakeMarts) -> None:
    rows = marts(attendance=[check_in(1, event_id=UNKNOWN), check_in(2, None, event_id=UNKNOWN)])["agg_arrivals"]
    assert [(r["event_id"], r["minutes_from_start"], r["check_ins"], r["registered"]) for r in rows] == [
        (UNKNOWN, None, 1, 0)
    ]
