"""Every table of core and marts, from the documents alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from event_pipeline_tests.oracle import (
    attendance,
    cancellations,
    course,
    dimensions,
    discrepancies,
    mail,
    marts,
    people,
)
from event_pipeline_tests.oracle import payments as money
from event_pipeline_tests.oracle.documents import Document, Documents
from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.marts import Tables
from event_pipeline_tests.oracle.organisation import Organisation
from event_pipeline_tests.oracle.records import Records
from event_pipeline_tests.oracle.registrations import Registration, resolve


def recomputed(arrived: Iterable[Document], organisation: Organisation) -> Tables:
    """The tables by ``layer.table``, rows in no order."""
    records = Records(Documents(arrived), organisation)
    known, corrections = resolve(records, organisation)
    claims = attendance.claims(records, known, corrections, organisation)
    payments = money.Payments(records, known, corrections, organisation)
    tables: Tables = {
        "people.people": people.rows(records, organisation),
        "core.dim_events": dimensions.events(records, organisation),
        "core.dim_clubs": dimensions.clubs(records),
        "core.dim_categories": dimensions.categories(records),
        "core.bridge_event_tags": dimensions.tags(records),
        "core.fact_attendance": attendance.rows(claims, organisation),
        "core.fact_payments": payments.rows,
        "core.fact_payment_entries": payments.entries,
        "core.fact_email_events": mail.rows(records, known, organisation),
    }
    tables["core.fact_registrations"] = _registrations(records, known, claims, tables, organisation)
    tables["core.dim_users"] = dimensions.users(_addresses(records), tables["core.fact_registrations"], organisation)
    tables["core.dim_dates"] = dimensions.dates(_days(tables))
    tables["marts.agg_event_metrics"] = marts.event_metrics(tables, organisation)
    tables["marts.agg_daily_metrics"] = marts.daily_metrics(tables, organisation)
    tables["marts.agg_club_metrics"] = marts.club_metrics(tables, organisation)
    tables["marts.agg_registration_pace"] = course.pace(tables, organisation)
    tables["marts.agg_arrivals"] = course.arrivals(tables)
    tables["marts.agg_cohorts"] = course.cohorts(tables)
    tables["marts.agg_email_funnel"] = marts.email_funnel(tables, mail.reached(tables["core.fact_email_events"]))
    tables["marts.agg_event_revenue"] = money.revenue(payments.entries)
    tables["marts.agg_payment_discrepancies"] = discrepancies.rows(tables, payments, organisation)
    return tables


def _registrations(
    records: Records,
    known: Mapping[str, Registration],
    claims: list[attendance.Claim],
    tables: Tables,
    organisation: Organisation,
) -> list[Row]:
    """``core.fact_registrations``."""
    came: dict[tuple[str, str], datetime | None] = {}
    for claim in claims:
        if claim.is_counted and claim.registration is not None:
            came[claim.registration.source_event_id, claim.registration.registrant] = claim.occurred_at
    cancelled = cancellations.cancelled_at(known, records, organisation)
    since = cancellations.counted_from(known, cancelled)
    starts = {row["event_id"]: row["start_date"] for row in tables["core.dim_events"]}
    rows = []
    for key, registration in known.items():
        person = (registration.source_event_id, registration.registrant)
        is_attended = registration.is_counted and person in came
        day, start = organisation.day(registration.registered_at), starts.get(registration.event_id)
        names = (
            "registration_id", "event_id", "source_event_id", "registered_at", "registration_status",
            "registration_type", "team_size", "department", "year_of_study", "is_cancelled", "is_duplicate",
            "is_counted", "is_walk_in", "is_shared_address",
        )  # fmt: skip
        rows.append(
            {name: getattr(registration, name) for name in names}
            | {
                "user_id": organisation.user(registration.email),
                "registrant_key": registration.registrant,
                "registered_date": day,
                "lead_time_days": None if day is None or start is None else (start - day).days,
                "is_attended": is_attended,
                "attended_at": came[person] if is_attended else None,
                "cancelled_at": cancelled.get(key),
                "cancelled_date": organisation.day(cancelled.get(key)),
                "counted_from_date": organisation.day(since[key]),
                "payment_status": money.state_of(key, tables["core.fact_payments"]),
            }
        )
    return rows


def _addresses(records: Records) -> set[str]:
    """Everybody who is mentioned by address: registrations, sheet rows and mails."""
    mentions = [*records.registrations.values(), *records.sheet_rows.values(), *records.email_events.values()]
    return {row["email"] for row in mentions if row["email"] is not None}


def _days(tables: Tables) -> list:
    columns = {
        "core.dim_events": ("start_date",),
        "core.fact_registrations": ("registered_date", "cancelled_date"),
        "core.fact_attendance": ("occurred_date",),
        "core.fact_payments": ("occurred_date",),
        "core.fact_payment_entries": ("occurred_date",),
        "core.fact_email_events": ("occurred_date",),
    }
    return [row[name] for table, names in columns.items() for row in tables[table] for name in names]
