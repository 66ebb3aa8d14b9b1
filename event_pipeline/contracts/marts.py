"""Mart contracts: the numbers people look at. They add up to the facts, and to each other.

What *counted*, *attended* and *revenue* mean is said once, in the core contracts. Besides:

- An event has *started* when its start is not after the instant the tables are made for, unless it was cancelled.
- *Expected* are the counted registrations of events that have started.
- *Fill rate* is participants over capacity: a team takes as many places as it has people. It may exceed 1.
- *Registrations* count registrations, *participants* and columns named *people* count people, teams included. Only
  registrations are known to attend: the people who attended are those of the registrations that attended.
- *Pace* is what was active at the end of each day, before a start: cancellations of then are off from the day on which
  they were made, so that past editions and the present one are counted alike. The last row of an event is its counted
  registrations, as far as they have a day.
- What has no known day stands on a row with an empty date, so that totals lose nothing.
- Amounts named ``revenue_minor`` are in the organisation's currency; money in another one is in ``agg_event_revenue``,
  each currency by itself, and never added to them.
- *Revenue of a day* is the money that came in on that day less the money given back on it: it may be negative.
- *Discrepancies* are what a treasurer looks at. ``marked_but_not_reported``: a mark says paid, for an event of which a
  provider has reported payments, and the provider received nothing for that registration. ``paid_but_not_marked``: the
  provider received money, and no mark says paid. ``amount_differs_from_fee``: what was received is neither the event's
  fee nor, for a team, the fee of each of its people. ``paid_twice``: each of several payments that stand verified for
  one registration. ``paid_for_cancelled`` and ``paid_for_duplicate``: money that stands for such a registration.
  ``disputed``: a dispute is open. ``other_currency``: money that stands in another currency than the organisation's.
"""

from __future__ import annotations

from typing import Any

from event_pipeline.contracts.contract import UNKNOWN, Column, Contract
from event_pipeline.contracts.core_columns import CURRENCY, EVENT_ID, USER_ID


def _count(name: str, description: str, **more: Any) -> Column:
    return Column(name, "int64", description, **{"nullable": False, "minimum": 0, **more})


def _integer(name: str, description: str, **more: Any) -> Column:
    return Column(name, "int64", description, **more)


def _rate(name: str, description: str, **more: Any) -> Column:
    return Column(name, "float64", description, minimum=0, **more)


DATE = Column(
    "date", "date", "The organisation's day; empty for what has no known day.", references="core.dim_dates.date"
)
REVENUE = _integer(
    "revenue_minor", "Received less given back that day, in minor units; may be negative.", nullable=False
)


def _mart(table: str, grain: str, key: tuple[str, ...], description: str, sources: tuple[str, ...], *columns: Column) -> Contract:  # fmt: skip
    return Contract(
        layer="marts", table=table, grain=grain, key=key, description=description, columns=columns, sources=sources,
        partition_column="date" if "date" in key else None, order_by=key,
    )  # fmt: skip


AGG_EVENT_METRICS = _mart(
    "agg_event_metrics", "one row per event and day on which something happened", ("event_id", "date"),
    "What happened to each event on each day; registrations of deleted events are on the unknown event.",
    ("core.fact_registrations", "core.fact_attendance", "core.fact_payments", "core.fact_payment_entries"),
    EVENT_ID,
    DATE,
    _count("registrations", "Counted registrations made that day."),
    _count("cancellations", "Registrations cancelled that day, whenever they were made; those that never counted too."),
    _count("duplicates", "Registrations made that day by people who had registered before."),
    _count("participants", "People in the counted registrations, teams included."),
    _count("walk_ins", "Counted registrations added by hand in the event's sheet."),
    _count("check_ins", "Counted check-ins of that day."),
    REVENUE,
    _count("payments_verified", "Payments that stand verified, in any currency, by the day they were paid."),
    _count("payments_pending", "Payments that wait to be checked, in any currency, by the day of their state."),
    CURRENCY,
)  # fmt: skip

AGG_DAILY_METRICS = _mart(
    "agg_daily_metrics", "one row per day of dim_dates, without gaps", ("date",),
    "What happened in the organisation on each day, days on which nothing happened included.",
    ("core.dim_dates", "core.dim_events", "core.dim_users", "marts.agg_event_metrics", "core.fact_email_events"),
    DATE,
    _count("registrations", "Counted registrations made that day."),
    _count("cancellations", "Registrations cancelled that day, whenever they were made; those that never counted too."),
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
    _count("attended_people", "People in the registrations that attended."),
    _count("expected_people", "People in the expected registrations."),
    _count("expected_attended_people", "People in those of the expected that attended."),
    _count("revenue_minor", "Received less given back, in minor units."),
    CURRENCY,
    _count("people", "Known people with a counted registration."),
    _count("returning_people", "Of them, those with counted registrations for two events of the club or more."),
    _rate("average_fill_rate", "Mean fill rate, each to a millionth, of started events that have a capacity."),
)  # fmt: skip

AGG_REGISTRATION_PACE = _mart(
    "agg_registration_pace", "one row per event and day before its start on which something changed; day 0 once it has started",
    ("event_id", "days_before_start"),
    "How events fill up, on an axis that editions share. Only events with a start and registrations with a day.",
    ("core.dim_events", "core.fact_registrations"),
    EVENT_ID,
    _integer("days_before_start", "Days until the start by the organisation's days; negative after it.", nullable=False),
    _count("registrations", "Registrations that began to count that day, also those that were cancelled later."),
    _count("cancellations", "Of the registrations that had counted, those cancelled that day."),
    _count("cumulative_registrations", "Registrations active at the end of that day."),
    _count("participants", "People in the registrations that began to count that day."),
    _count("cancelled_participants", "People in the registrations cancelled that day."),
    _count("cumulative_participants", "People in the registrations active at the end of that day."),
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
    "Mail and attendance; every step counts counted registrations, not mails, and is among the step before; people only where named.",
    ("core.dim_events", "core.fact_registrations", "core.fact_email_events"),
    EVENT_ID,
    _count("registered", "Counted registrations."),
    _count("registered_people", "People in them."),
    _count("sent", "Counted registrations with a mail that was sent, as whatever is reported of it tells."),
    _count("delivered", "Of them, those with a mail reported delivered, opened, clicked or called spam."),
    _count("opened", "Of them, those with a mail opened or clicked by a person; mail programs that hide this make it too low."),
    _count("clicked", "Of them, those with a link in a mail clicked by a person."),
    _count("bounced", "Of those sent, those with a mail that bounced."),
    _count("attended", "Counted registrations with a counted check-in."),
    _count("attended_people", "People in them."),
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

AGG_EVENT_REVENUE = _mart(
    "agg_event_revenue", "one row per event, day and currency on which money moved", ("event_id", "date", "currency"),
    "Money by the day it moved, each currency by itself; of the organisation's currency it adds up to revenue_minor elsewhere.",
    ("core.fact_payment_entries",),
    EVENT_ID,
    DATE,
    CURRENCY,
    _count("paid_minor", "Received that day, in minor units of the currency."),
    _count("refunded_minor", "Given back that day, lost disputes included, in minor units of the currency."),
    _integer("revenue_minor", "paid_minor less refunded_minor; may be negative.", nullable=False),
)  # fmt: skip

DISCREPANCIES = (
    "marked_but_not_reported", "paid_but_not_marked", "amount_differs_from_fee", "paid_twice", "paid_for_cancelled",
    "paid_for_duplicate", "disputed", "other_currency",
)  # fmt: skip

AGG_PAYMENT_DISCREPANCIES = _mart(
    "agg_payment_discrepancies", "one row per payment and kind of discrepancy", ("payment_id", "discrepancy"),
    "Payments that a treasurer should look at, and why; one that is mended leaves by itself.",
    ("core.dim_events", "core.fact_registrations", "core.fact_payments"),
    Column("payment_id", "string", "Payment.", nullable=False, references="core.fact_payments.payment_id"),
    Column("discrepancy", "string", "What is wrong.", nullable=False, allowed=DISCREPANCIES),
    EVENT_ID,
    Column("registration_id", "string", "Registration paid for; empty when unknown."),
    USER_ID,
    Column("method", "string", "The provider, else app or sheet.", nullable=False),
    Column("app_status", "string", "What the app or the sheet marks."),
    Column("provider_status", "string", "What the provider says."),
    Column("payment_status", "string", "The state that counts.", nullable=False),
    _integer("amount_minor", "Amount received in minor units.", minimum=0),
    _integer("expected_minor", "The event's fee in minor units of the organisation's currency, for a team that of all its people; empty without a fee.", minimum=0),
    _count("revenue_minor", "What counts of it as revenue, in minor units of its currency."),
    CURRENCY,
    Column("paid_at", "timestamp", "When it was paid."),
    Column("occurred_at", "timestamp", "When it was paid, else when it reached its state."),
)  # fmt: skip

MARTS = {
    contract.table: contract
    for contract in (
        AGG_EVENT_METRICS, AGG_DAILY_METRICS, AGG_CLUB_METRICS, AGG_REGISTRATION_PACE,
        AGG_ARRIVALS, AGG_EMAIL_FUNNEL, AGG_COHORTS, AGG_EVENT_REVENUE, AGG_PAYMENT_DISCREPANCIES,
    )
}  # fmt: skip
"""Mart contract by table; what a mart is made of stands before it."""
