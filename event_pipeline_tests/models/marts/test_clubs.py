"""What each club has done so far."""

from __future__ import annotations

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline_tests.models.star_rows import AS_OF, CLUBS, DAY, START, MakeMarts, check_in, event, registration


def test_only_started_events_are_expected_to_be_attended(marts: MakeMarts) -> None:
    rows = marts(
        START + DAY,
        clubs=CLUBS,
        events=[event(), event("e2", START + 9 * DAY)],
        registrations=[registration(1), registration(2), registration(3, "e2"), registration(4, "e2")],
        attendance=[check_in(1), check_in(3, event_id="e2")],
    )["agg_club_metrics"]
    club = rows[0]
    assert (club["events"], club["events_started"], club["registrations"]) == (2, 1, 4)
    assert (club["attended"], club["expected"], club["expected_attended"]) == (2, 2, 1)
    assert club["attendance_rate"] == 0.5


def test_rates_are_empty_while_there_is_nothing_to_divide_by(marts: MakeMarts) -> None:
    rows = marts(START - DAY, clubs=CLUBS, events=[event(capacity=0)], registrations=[registration(1)])
    assert [(r["attendance_rate"], r["average_fill_rate"]) for r in rows["agg_club_metrics"]] == [(None, None)] * 2


def test_a_returning_person_came_to_two_events_of_the_same_club(marts: MakeMarts) -> None:
    rows = marts(
        clubs=[*CLUBS, {"club_id": "c2"}],
        events=[event(), event("e2"), event("e3", club_id="c2")],
        registrations=[
            registration(1), registration(2, "e2", user_id="u1"), registration(3, "e3", user_id="u1"),
            registration(4), registration(5, user_id="u4"), registration(6, "e2", user_id="u4", is_cancelled=True),
            registration(7, user_id=UNKNOWN), registration(8, "e2", user_id=UNKNOWN),
        ],
    )["agg_club_metrics"]  # fmt: skip
    counts = {row["club_id"]: (row["people"], row["returning_people"]) for row in rows}
    assert counts == {"c1": (2, 1), "c2": (1, 0), UNKNOWN: (0, 0)}


def test_fill_rates_are_averaged_over_started_events_with_a_capacity(marts: MakeMarts) -> None:
    rows = marts(
        clubs=CLUBS,
        events=[event(capacity=4), event("e2", capacity=1), event("e3"), event("e4", AS_OF + DAY, capacity=9)],
        registrations=[registration(1), registration(2, "e2", team_size=2), registration(3, "e3")],
    )["agg_club_metrics"]
    assert rows[0]["average_fill_rate"] == (0.25 + 2.0) / 2
