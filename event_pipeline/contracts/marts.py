"""Mart contracts: the numbers people look at. They add up to the facts, and to each other.

What *counted*, *attended* and *revenue* mean is said once, in the core contracts. Besides:

- An event has *started* when its start is not after the instant the tables are made for, unless it was cancelled.
- *Expected* are the counted registrations of events that have started.
- *Fill rate* is participants over capacity: a team takes as many places as it has people. It may exceed 1.
- What has no known day stands on a row with an empty date, so that totals lose nothing.
- Amounts are in the organisation's currency; payments in another one are only in ``core.fact_payments``.
"""

from __future__ import annotations

from typing import Any

from event_pipeline.contracts.contract import UNKNOWN, Column, Contract
from event_pipeline.contracts.core import CURRENCY, EVENT_ID


def _count(name: str, description: str, **more: Any) -> Column:
    return Column(name, "int64", description, **{"nullable": False, "minimum": 0, **more})


def _integer(name: str, description: str, **more: Any) -> Column:
    return Column(name, "int64", description, **more)


def _rate(name: str, description: str, **more: Any) -> Column:
    return Column(name, "float64", description, minimum=0, **more)


DATE = Column(
    "date", "date", "The organisation's day; empty for what has no known day.", references="core.dim_dates.date"
)
REVENUE = _count("revenue_minor", "Verified payments less refunds, in minor units, by the day of the payment's state.")


def _mart(table: str, grain: str, key: tuple[str, ...], description: str, sources: tuple[str, ...], *columns: Column) -> Contract:  # fmt: skip
    return Contract(
        layer="marts", table=table, grain=grain, key=key, description=description, columns=columns, sources=sources,
        partition_column="date" if "date" in key else None, order_by=key,
    )  # fmt: skip


AGG_EVENT_METRICS = _mart(
    "agg_event_metrics", "one row per event and day on which something happened", ("event_id", "date"),
    "What happened to each event on each day; registrations of deleted events are on the unknown event.",
    ("core.fact_registrations", "core.fact_attendance", "core.fact_payments"),
    EVENT_ID,
    DATE,
    _count("registrations", "Counted registrations made that day."),
    _count("cancellations", "Registrations made that day and cancelled since."),
    _count("duplicates", "Registrations made that day by people who had registered before."),
    _count("participants", "People in the counted registrations, teams included."),
    _count("walk_ins", "Counted registrations added by hand in the event's sheet."),
    _count("check_ins", "Counted check-ins of that day."),
    REVENUE,
    _count("payments_verified", "Payments that stand verified, in any currency, by the day of their state."),
    _count("payments_pending", "Payments that wait to be checked, in any currency, by the day of their state."),
    CURRENCY,
)  # fmt: skip

AGG_DAILY_METRICS = _mart(
    "agg_daily_metrics", "one row per day of dim_dates, without gaps", ("date",),
    "What happened in the organisation on each day, days on which nothing happened included.",
    ("core.dim_dates", "core.dim_events", "core.dim_users", "marts.agg_event_metrics", "core.fact_email_events"),
    DATE,
    _count("registrations", "Counted registrations made that day."),
    _count("cancellations", "Registrations made that day and cancelled since."),
    _count("duplicates", "Registrations made that day by people who had registered before."),
    _count("participants", "People in the counted registrations, teams included."),
    _count("new_people", "Known people whose first counted registration is of that day."),
    _count("check_ins", "Counted check-ins of that day."),
    REVENUE,
    _count("events_started", "Events that started that day."),
    _count("emails_sent", "Mails reported sent that day: a message to a person counts once."),
    _count("emails_delivered", "Mails reported delivered that day: a message to a person counts once."),
    CURRENCY,
)  # fmt: skip

AGG_CLUB_METRICS = _mart(
    "agg_club_metrics", "one row per club, and one 'unknown'", ("club_id",),
    "What each club has done so far; the unknown club holds deleted clubs and the registrations of deleted events.",
    ("core.dim_clubs", "core.dim_events", "core.fact_registrations", "marts.agg_event_metrics"),
    Column("club_id", "string", f"Club; '{UNKNOWN}' when it was deleted.", nullable=False, references="core.dim_clubs.club_id"),
    _count("events", "Events published."),
    _count("events_started", "Events that have started."),
    _count("registrations", "Counted registrations."),
    _count("participants", "People in the counted registrations, teams included."),
    _count("attended", "Counted registrations with a counted check-in."),
    _count("expected", "Counted registrations of events that have started."),
    _count("expected_attended", "Those of the expected who attended."),
    _rate("attendance_rate", "expected_attended over expected; empty before anyone is expected.", maximum=1),
    _count("revenue_minor", "Verified payments less refunds, in minor units."),
    CURRENCY,
    _count("people", "Known people with a counted registration."),
    _count("returning_people", "Of them, those with counted registrations for two events of the club or more."),
    _rate("average_fill_rate", "Mean fill rate, each to a millionth, of started events that have a capacity."),
)  # fmt: skip

AGG_REGISTRATION_PACE = _mart(
    "agg_registration_pace", "one row per event and day before its start with registrations; day 0 once it has started",
    ("event_id", "days_before_start"),
    "How events fill up, on an axis that editions share. Only events with a start and registrations with a day.",
    ("core.dim_events", "core.fact_registrations"),
    EVENT_ID,
    _integer("days_before_start", "Days until the start by the organisation's days; negative after it.", nullable=False),
    _count("registrations", "Counted registrations of that day."),
    _count("cumulative_registrations", "Counted registrations up to the end of that day."),
    _count("participants", "People in the counted registrations of that day."),
    _count("cumulative_participants", "People in the counted registrations up to the end of that day."),
    _integer("capacity", "Most participants; empty when unlimited.", minimum=0),
    _rate("fill_rate", "cumulative_participants over capacity; empty without a capacity."),
)  # fmt: skip

AGG_ARRIVALS = _mart(
    "agg_arrivals", "one row per event and five minutes with check-ins", ("event_id", "bucket_at"),
    "How people arrive. Check-ins whose time is unknown are left out.",
    ("core.dim_events", "core.fact_registrations", "core.fact_attendance"),
    EVENT_ID,
    Column("bucket_at", "timestamp", "Start of the five minutes.", nullable=False),
    _integer("minutes_from_start", "Minutes from the event's start to the bucket's; negative before it, empty without one."),
    _count("check_ins", "Counted check-ins in these minutes."),
    _count("cumulative_check_ins", "Counted check-ins up to the end of these minutes."),
    _count("registered", "Counted registrations of the event."),
)  # fmt: skip

AGG_EMAIL_FUNNEL = _mart(
    "agg_email_funnel", "one row per event, and one 'unknown'", ("event_id",),
    "Mail and attendance; every step counts counted registrations, not mails, and is among the step before.",
    ("core.dim_events", "core.fact_registrations", "core.fact_email_events"),
    EVENT_ID,
    _count("registered", "Counted registrations."),
    _count("sent", "Counted registrations with a mail that was sent, as whatever is reported of it tells."),
    _count("delivered", "Of them, those with a mail reported delivered, opened, clicked or called spam."),
    _count("opened", "Of them, those with a mail opened or clicked by a person; mail programs that hide this make it too low."),
    _count("clicked", "Of them, those with a link in a mail clicked by a person."),
    _count("bounced", "Of those sent, those with a mail that bounced."),
    _count("attended", "Counted registrations with a counted check-in."),
)  # fmt: skip

AGG_COHORTS = _mart(
    "agg_cohorts", "one row per month of first attendance and month since, up to the last month with a check-in",
    ("cohort_month", "months_since"),
    "Who comes again: known people by the month they first came, and how many of them came in each month after.",
    ("core.dim_dates", "core.fact_attendance"),
    Column("cohort_month", "date", "First day of the month in which these people first attended.", nullable=False),
    _count("months_since", "Months after it; 0 is the month itself."),
    _count("cohort_people", "People of the cohort.", minimum=1),
    _count("attended_people", "People of the cohort who attended in that month."),
    _rate("repeat_rate", "attended_people over cohort_people.", maximum=1),
)  # fmt: skip

MARTS = {
    contract.table: contract
    for contract in (
        AGG_EVENT_METRICS, AGG_DAILY_METRICS, AGG_CLUB_METRICS, AGG_REGISTRATION_PACE,
        AGG_ARRIVALS, AGG_EMAIL_FUNNEL, AGG_COHORTS,
    )
}  # fmt: skip
"""Mart contract by table; what a mart is made of stands before it."""
