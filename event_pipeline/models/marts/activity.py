"""What happened day by day, per event and in the whole organisation."""

from __future__ import annotations

from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.models.locale import Locale
from event_pipeline.models.marts.measures import add_up, count_where, has_started, sum_where

_OF_REGISTRATIONS = ("registrations", "cancellations", "duplicates", "participants", "walk_ins")
_OF_PAYMENTS = ("revenue_minor", "payments_verified", "payments_pending")
_OF_EVENTS_BY_DAY = ("registrations", "cancellations", "duplicates", "participants", "check_ins", "revenue_minor")
_OF_DAYS = ("new_people", "events_started", "emails_sent", "emails_delivered")


def agg_event_metrics(
    fact_registrations: ir.Table,
    fact_attendance: ir.Table,
    fact_payments: ir.Table,
    fact_payment_entries: ir.Table,
    *,
    locale: Locale,
) -> ir.Table:
    """One row per event and day on which something happened.

    From core.fact_registrations, fact_attendance, fact_payments and fact_payment_entries.
    Cancellations stand on the day on which they were made, as far as it is known.
    """
    parts = [
        _registrations_by_day(fact_registrations),
        _cancellations_by_day(fact_registrations),
        _check_ins_by_day(fact_attendance),
        _payments_by_day(fact_payments),
        _revenue_by_day(fact_payment_entries, locale.currency),
    ]
    measures = (*_OF_REGISTRATIONS, "check_ins", *_OF_PAYMENTS)
    return add_up(parts, ("event_id", "date"), measures).mutate(currency=ibis.literal(locale.currency))


def _registrations_by_day(fact_registrations: ir.Table) -> ir.Table:
    registered = fact_registrations.filter(~_.is_cancelled)
    return registered.group_by("event_id", date=_.registered_date).agg(
        registrations=count_where(_.is_counted),
        duplicates=count_where(_.is_duplicate),
        participants=sum_where(_.is_counted, _.team_size),
        walk_ins=count_where(_.is_counted & _.is_walk_in),
    )


def _cancellations_by_day(fact_registrations: ir.Table) -> ir.Table:
    cancelled = fact_registrations.filter(_.is_cancelled)
    return cancelled.group_by("event_id", date=_.cancelled_date).agg(cancellations=_.count())


def _check_ins_by_day(fact_attendance: ir.Table) -> ir.Table:
    return fact_attendance.filter(_.is_counted).group_by("event_id", date=_.occurred_date).agg(check_ins=_.count())


def _payments_by_day(fact_payments: ir.Table) -> ir.Table:
    return (
        fact_payments.filter(_.payment_status.isin(["verified", "pending"]))
        .group_by("event_id", date=_.occurred_date)
        .agg(
            payments_verified=count_where(_.payment_status == "verified"),
            payments_pending=count_where(_.payment_status == "pending"),
        )
    )


def _revenue_by_day(fact_payment_entries: ir.Table, currency: str) -> ir.Table:
    return (
        fact_payment_entries.filter(_.currency == currency)
        .group_by("event_id", date=_.occurred_date)
        .agg(revenue_minor=_.amount_minor.sum())
    )


def agg_daily_metrics(
    dim_dates: ir.Table,
    dim_events: ir.Table,
    dim_users: ir.Table,
    agg_event_metrics: ir.Table,
    fact_email_events: ir.Table,
    *,
    locale: Locale,
    as_of: datetime,
) -> ir.Table:
    """One row per day of core.dim_dates; one more without a date if anything has no known day.

    From marts.agg_event_metrics summed over its events; new people from core.dim_users, starts from core.dim_events,
    mails from core.fact_email_events. ``as_of``: what has started.
    """
    parts = [
        dim_dates.select("date"),
        agg_event_metrics.select("date", *_OF_EVENTS_BY_DAY),
        _new_people_by_day(dim_users),
        _starts_by_day(dim_events, as_of),
        _emails_by_day(fact_email_events),
    ]
    return add_up(parts, ("date",), (*_OF_EVENTS_BY_DAY, *_OF_DAYS)).mutate(currency=ibis.literal(locale.currency))


def _new_people_by_day(dim_users: ir.Table) -> ir.Table:
    """People by the day of their first counted registration; one whose registrations all lack a day is on none."""
    return (
        dim_users.filter((_.registrations > 0) & (_.user_id != UNKNOWN))
        .group_by(date=_.first_counted_date)
        .agg(new_people=_.count())
    )


def _starts_by_day(dim_events: ir.Table, as_of: datetime) -> ir.Table:
    return dim_events.filter(has_started(as_of)).group_by(date=_.start_date).agg(events_started=_.count())


def _emails_by_day(fact_email_events: ir.Table) -> ir.Table:
    """Mails by day: a message to a person is one mail, however often the provider reports it."""
    is_reported = fact_email_events.email_event.isin(["sent", "delivered"])
    mails = (
        fact_email_events.filter(is_reported)
        .group_by("provider", "user_id", date=_.occurred_date, mail=ibis.coalesce(_.message_id, _.email_event_id))
        .agg(
            sent=(_.email_event == "sent").ifelse(1, 0).max(),
            delivered=(_.email_event == "delivered").ifelse(1, 0).max(),
        )
    )
    return mails.group_by("date").agg(emails_sent=_.sent.sum(), emails_delivered=_.delivered.sum())
