"""What happened per event and day, and in the whole organisation."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.contracts.marts import MARTS
from event_pipeline_tests.models.star_rows import (
    CLUBS,
    DAY,
    START,
    MakeMarts,
    check_in,
    event,
    mail,
    payment,
    registration,
)


def test_each_thing_stands_on_its_own_day(marts: MakeMarts) -> None:
    rows = marts(
        events=[event()],
        registrations=[
            registration(1, team_size=4),
            registration(2, is_walk_in=True),
            registration(3, is_cancelled=True, cancelled_at=START - 5 * DAY),
            registration(4, is_duplicate=True),
        ],
        attendance=[check_in(1)],
        payments=[payment(1, 15_000), payment(2, 0, "pending")],
    )["agg_event_metrics"]
    zero = dict.fromkeys([c.name for c in MARTS["agg_event_metrics"].columns if c.type == "int64"], 0)
    base = {"event_id": "e1", **zero, "currency": "INR"}
    registered = {"registrations": 2, "participants": 5, "walk_ins": 1, "duplicates": 1}
    paid = {"revenue_minor": 15_000, "payments_verified": 1, "payments_pending": 1}
    assert rows == [
        {**base, "date": date(2025, 6, 1), **registered},
        {**base, "date": date(2025, 6, 2), **paid},
        {**base, "date": date(2025, 6, 3), "cancellations": 1},
        {**base, "date": date(2025, 6, 8), "check_ins": 1},
    ]


def test_days_with_only_refused_scans_and_failed_payments_have_no_row(marts: MakeMarts) -> None:
    rows = marts(
        events=[event()],
        attendance=[check_in(1, is_counted=False, refusal_reason="cancelled")],
        payments=[payment(1, 0, "failed"), payment(2, 0, "rejected")],
    )
    assert rows["agg_event_metrics"] == []
    assert len(rows["agg_daily_metrics"]) == 7


def test_a_partly_refunded_payment_keeps_what_was_not_given_back(marts: MakeMarts) -> None:
    rows = marts(events=[event()], payments=[payment(1, 5_000, "refunded")])["agg_event_metrics"]
    assert [(row["revenue_minor"], row["payments_verified"]) for row in rows] == [(5_000, 0)]


def test_money_of_another_currency_is_never_added_to_ours(marts: MakeMarts) -> None:
    rows = marts(events=[event()], payments=[payment(1, 15_000), payment(2, 900, currency="USD")])
    [row] = rows["agg_event_metrics"]
    assert (row["revenue_minor"], row["currency"], row["payments_verified"]) == (15_000, "INR", 2)


def test_what_has_no_known_day_is_kept_on_a_row_without_one(marts: MakeMarts) -> None:
    rows = marts(events=[event()], registrations=[registration(1, registered_at=None), registration(2)])
    assert [(row["date"], row["registrations"]) for row in rows["agg_event_metrics"]] == [
        (date(2025, 6, 1), 1),
        (None, 1),
    ]
    assert [row["registrations"] for row in rows["agg_daily_metrics"] if row["date"] is None] == [1]


def test_registrations_of_deleted_events_stay_on_the_unknown_event(marts: MakeMarts) -> None:
    rows = marts(clubs=CLUBS, events=[event()], registrations=[registration(1), registration(2, UNKNOWN)])
    assert {row["event_id"]: row["registrations"] for row in rows["agg_event_metrics"]} == {"e1": 1, UNKNOWN: 1}
    assert {row["club_id"]: row["registrations"] for row in rows["agg_club_metrics"]} == {"c1": 1, UNKNOWN: 1}


def test_every_day_has_a_row(marts: MakeMarts) -> None:
    rows = marts(events=[event()], registrations=[registration(1, registered_at=START - 20 * DAY)])
    days = [row["date"] for row in rows["agg_daily_metrics"]]
    assert days == [date(2025, 5, 19) + n * DAY for n in range(21)]


def test_a_day_is_the_organisations_day(marts: MakeMarts) -> None:
    late_evening_in_utc = datetime(2025, 6, 1, 20, 0, tzinfo=UTC)
    rows = marts(events=[event()], registrations=[registration(1, registered_at=late_evening_in_utc)])
    assert [r["date"] for r in rows["agg_daily_metrics"] if r["registrations"]] == [date(2025, 6, 2)]


def test_a_person_is_new_once(marts: MakeMarts) -> None:
    rows = marts(
        events=[event(), event("e2")],
        registrations=[
            registration(1, registered_at=START - 9 * DAY, is_cancelled=True),
            registration(2, registered_at=START - 8 * DAY, user_id="u1"),
            registration(3, "e2", registered_at=START - 7 * DAY, user_id="u1"),
            registration(4, registered_at=START - 7 * DAY, user_id=UNKNOWN),
        ],
    )["agg_daily_metrics"]
    assert {row["date"]: row["new_people"] for row in rows if row["new_people"]} == {date(2025, 5, 31): 1}


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (START - DAY, []),
        (START, [date(2025, 6, 8)]),
        (START + DAY, [date(2025, 6, 8), date(2025, 6, 9)]),
    ],
)
def test_events_start_when_their_time_has_come_unless_cancelled(
    marts: MakeMarts, as_of: datetime, expected: list[date]
) -> None:
    events = [event(), event("e2", START + DAY), event("e3", event_status="cancelled"), event("e4", None)]
    rows = marts(as_of, events=events)["agg_daily_metrics"]
    assert [row["date"] for row in rows for _ in range(row["events_started"])] == expected


def test_mails_are_counted_by_the_day_they_were_reported(marts: MakeMarts) -> None:
    rows = marts(events=[event()], email_events=[*mail(1, "sent", 2), *mail(1, "delivered"), *mail(1, "open")])
    [row] = [row for row in rows["agg_daily_metrics"] if row["emails_sent"]]
    assert (row["date"], row["emails_sent"], row["emails_delivered"]) == (date(2025, 6, 2), 2, 1)


def test_facts_beyond_the_calendar_are_not_lost(marts: MakeMarts) -> None:
    rows = marts(events=[event()], registrations=[registration(1)], dates=[date(2025, 6, 8)])["agg_daily_metrics"]
    assert {row["date"]: row["registrations"] for row in rows} == {date(2025, 6, 1): 1, date(2025, 6, 8): 0}
