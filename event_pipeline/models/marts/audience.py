"""People: whether mail reaches them before an event, and whether they come again after one."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
from ibis import _
from ibis.common.deferred import Deferred

from event_pipeline.contracts.contract import UNKNOWN
from event_pipeline.models.marts.measures import add_up, count_where, rate, sum_where

_BY_PEOPLE = ("open", "click")
_REACHED = ("delivered", "open", "click", "spam_report")
"""What tells that a mail was delivered, also when the provider reports no deliveries."""
_SENT = (*_REACHED, "sent", "deferred", "bounce")
_STEPS = ("sent", "delivered", "opened", "clicked", "bounced")

_OF_REGISTRATIONS = ("registered", "registered_people", "attended", "attended_people")


def agg_email_funnel(dim_events: ir.Table, fact_registrations: ir.Table, fact_email_events: ir.Table) -> ir.Table:
    """One row per event of core.dim_events, the unknown one included.

    From core.fact_registrations and the mails of core.fact_email_events that are about a counted registration.
    Each step is among the one before: whoever clicked has opened, whoever opened has had the mail delivered.
    """
    counted = fact_registrations.filter(_.is_counted)
    registered = counted.group_by("event_id").agg(
        registered=_.count(),
        registered_people=_.team_size.sum(),
        attended=count_where(_.is_attended),
        attended_people=sum_where(_.is_attended, _.team_size),
    )
    parts = [dim_events.select("event_id"), registered, _mailed_registrations(counted, fact_email_events)]
    return add_up(parts, ("event_id",), (*_OF_REGISTRATIONS, *_STEPS))


def _mailed_registrations(counted: ir.Table, fact_email_events: ir.Table) -> ir.Table:
    """One row per counted registration with mail, and 1 for each step that any of its mails reached."""
    reported = fact_email_events.filter(_.registration_id.notnull() & _.email_event.isin(_SENT))
    return (
        reported.semi_join(counted, "registration_id")
        .mutate(_is_read=_.email_event.isin(_BY_PEOPLE) & ~_.is_machine)
        .group_by("event_id", "registration_id")
        .agg(
            sent=_.email_event.isin(_SENT).ifelse(1, 0).max(),
            delivered=_.email_event.isin(_REACHED).ifelse(1, 0).max(),
            opened=_._is_read.ifelse(1, 0).max(),
            clicked=(_._is_read & (_.email_event == "click")).ifelse(1, 0).max(),
            bounced=(_.email_event == "bounce").ifelse(1, 0).max(),
        )
    )


def agg_cohorts(dim_dates: ir.Table, fact_attendance: ir.Table) -> ir.Table:
    """One row per month of first attendance and month since, up to the last month with a counted check-in.

    From core.fact_attendance; core.dim_dates gives the months in which nobody of a cohort came.
    Leaves out people without a valid e-mail and check-ins without a day.
    """
    attended = _attended_months(fact_attendance)
    cohorts = attended.group_by("cohort_month").agg(cohort_people=_.user_id.nunique())
    came = attended.group_by("cohort_month", "month").agg(attended_people=_.count())
    return (
        add_up([_months_after(cohorts, attended, dim_dates), came], ("cohort_month", "month"), ("attended_people",))
        .join(cohorts, "cohort_month")
        .select(
            "cohort_month",
            "cohort_people",
            "attended_people",
            months_since=_month_number(_.month) - _month_number(_.cohort_month),
            repeat_rate=rate(_.attended_people, _.cohort_people),
        )
    )


def _attended_months(fact_attendance: ir.Table) -> ir.Table:
    """One row per known person and month with a counted check-in, with the person's first month."""
    return (
        fact_attendance.filter(_.is_counted & _.occurred_date.notnull() & (_.user_id != UNKNOWN))
        .select("user_id", month=_.occurred_date.truncate("M"))
        .distinct()
        .mutate(cohort_month=_.month.min().over(ibis.window(group_by="user_id")))
    )


def _months_after(cohorts: ir.Table, attended: ir.Table, dim_dates: ir.Table) -> ir.Table:
    """Every month from each cohort's first to the last in which anyone came."""
    last = attended.agg(last_month=attended.month.max())
    months = dim_dates.select(month=_.date.truncate("M")).distinct()
    return (
        cohorts.select("cohort_month")
        .cross_join(months)
        .cross_join(last)
        .filter((_.month >= _.cohort_month) & (_.month <= _.last_month))
        .select("cohort_month", "month")
    )


def _month_number(day: Deferred) -> Deferred:
    """Months since year 0, so that their difference counts months."""
    return day.year().cast("int64") * 12 + day.month().cast("int64")
