"""Whether mail reaches people, and whether they come again."""

from __future__ import annotations

from datetime import UTC, date, datetime

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline_tests.models.star_rows import DAY, MakeMarts, check_in, event, mail, registration


def test_steps_count_registrations_not_mails(marts: MakeMarts) -> None:
    rows = marts(
        events=[event()],
        registrations=[registration(1, team_size=3), registration(2), registration(3, is_cancelled=True)],
        attendance=[check_in(1)],
        email_events=[
            *mail(1, "sent", 2), *mail(1, "delivered", 2), *mail(1, "open", 5), *mail(1, "click", 3),
            *mail(2, "sent"), *mail(2, "bounce", 2), *mail(3, "sent"), *mail(3, "deferred"),
            *mail(4, "sent", registration_id=None),
        ],
    )["agg_email_funnel"]  # fmt: skip
    steps = {"sent": 2, "delivered": 1, "opened": 1, "clicked": 1, "bounced": 1}
    people = {"registered_people": 4, "attended_people": 3}
    assert rows[0] == {"event_id": "e1", "registered": 2, **steps, "attended": 1, **people}


def test_each_step_is_among_the_one_before_and_machines_open_nothing(marts: MakeMarts) -> None:
    rows = marts(
        events=[event()],
        registrations=[*(registration(number) for number in range(1, 6)), registration(6, is_duplicate=True)],
        email_events=[
            *mail(1, "click"), *mail(2, "open", is_machine=True), *mail(3, "click", is_machine=True),
            *mail(4, "bounce"), *mail(6, "click"),
        ],
    )["agg_email_funnel"]  # fmt: skip
    steps = {"sent": 4, "delivered": 3, "opened": 1, "clicked": 1, "bounced": 1}
    people = {"registered_people": 5, "attended_people": 0}
    assert rows[0] == {"event_id": "e1", "registered": 5, **steps, "attended": 0, **people}


def test_every_event_has_a_row(marts: MakeMarts) -> None:
    rows = marts(events=[event(), event("e2")])["agg_email_funnel"]
    assert [row["event_id"] for row in rows] == ["e1", "e2", UNKNOWN]


def test_people_are_followed_from_the_month_they_first_came(marts: MakeMarts) -> None:
    january, march, april = (datetime(2025, month, 15, tzinfo=UTC) for month in (1, 3, 4))
    rows = marts(
        attendance=[
            check_in(1, january), check_in(1, january + DAY, "e2"), check_in(2, january),
            check_in(1, march), check_in(3, march), check_in(3, april),
            check_in(4, april + 40 * DAY, is_counted=False), check_in(5, april, user_id=UNKNOWN), check_in(6, None),
        ],
    )["agg_cohorts"]  # fmt: skip
    columns = ("cohort_month", "months_since", "cohort_people", "attended_people", "repeat_rate")
    assert [tuple(row[name] for name in columns) for row in rows] == [
        (date(2025, 1, 1), 0, 2, 2, 1.0),
        (date(2025, 1, 1), 1, 2, 0, 0.0),
        (date(2025, 1, 1), 2, 2, 1, 0.5),
        (date(2025, 1, 1), 3, 2, 0, 0.0),
        (date(2025, 3, 1), 0, 1, 1, 1.0),
        (date(2025, 3, 1), 1, 1, 1, 1.0),
    ]


def test_months_are_counted_across_the_year(marts: MakeMarts) -> None:
    december = datetime(2024, 12, 20, tzinfo=UTC)
    rows = marts(attendance=[check_in(1, december), check_in(1, december + 60 * DAY)])["agg_cohorts"]
    assert [(row["months_since"], row["attended_people"]) for row in rows] == [(0, 1), (1, 0), (2, 1)]
