"""Dimensions: events, clubs, categories, people, days and tags. Each keeps an 'unknown' row."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts import core
from event_pipeline.contracts.contract import IBIS_TYPES, UNKNOWN, Contract
from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import LONG_AGO, local_date

_YEAR = r"(?i)\s*[\(\[\-–—'’:,]*\s*\b(?:19|20)\d{2}(?:\s*[-–/]\s*\d{2,4})?\b\s*[\)\]]*"


def with_unknown(table: ir.Table, contract: Contract, **values: object) -> ir.Table:
    """The table and one more row, keyed 'unknown', which holds ``values`` and is otherwise empty.

    A document whose own id is 'unknown' cannot be told from what is unknown, and gives way.
    """
    row = {}
    for column in contract.columns:
        value = UNKNOWN if column.name in contract.key or column.references else values.get(column.name)
        row[column.name] = ibis.literal(value, type=IBIS_TYPES[column.type])
    # One row without a FROM clause is not expressible in Ibis; one of a constant list is.
    single = ibis.array([0]).unnest().name("_one").as_table().select(**row)
    known = table.filter(table[contract.key[0]] != UNKNOWN)
    return ibis.union(known.select(*contract.column_names), single)


def dim_clubs(clubs: ir.Table) -> ir.Table:
    """One row per club. From staging.clubs. Contact details stay in the lake."""
    return with_unknown(clubs, core.DIM_CLUBS)


def dim_categories(categories: ir.Table) -> ir.Table:
    """One row per category. From staging.categories."""
    return with_unknown(categories, core.DIM_CATEGORIES)


def dim_events(events: ir.Table, clubs: ir.Table, categories: ir.Table, locale: Locale) -> ir.Table:
    """One row per event. From staging.events, staging.clubs and staging.categories.

    Clubs and categories that do not exist become 'unknown'. Editions are told by the title without its year.
    """
    known_clubs = clubs.select(club_id=clubs.club_id, _club=clubs.club_id)
    known_categories = categories.select(category_id=categories.category_id, _category=categories.category_id)
    joined = events.left_join(known_clubs, "club_id").drop("club_id_right")
    joined = joined.left_join(known_categories, "category_id").drop("category_id_right")
    series = joined.title.re_replace(_YEAR, " ").re_replace(r"\s+", " ").strip().lower().nullif("")
    described = joined.mutate(
        club_id=joined._club.fill_null(UNKNOWN),
        category_id=joined._category.fill_null(UNKNOWN),
        edition_series=ibis.coalesce(series, joined.title.lower()),
        start_date=local_date(joined.starts_at, locale.time_zone),
        is_paid=ibis.coalesce(joined.is_paid, joined.fee_minor > 0, False),
        is_featured=joined.is_featured.fill_null(False),
        is_archived=joined.is_archived.fill_null(False),
    )
    return with_unknown(described, core.DIM_EVENTS, is_paid=False, is_featured=False, is_archived=False)


def dim_users(people: ir.Table, fact_registrations: ir.Table) -> ir.Table:
    """One row per person. From people.people and core.fact_registrations. Holds no name, address or number."""
    known = fact_registrations.filter(fact_registrations.user_id != UNKNOWN)
    at = known.registered_at.fill_null(LONG_AGO)
    latest = known.mutate(_order=ibis.struct({"at": at, "id": known.registration_id}))
    summary = latest.group_by("user_id").agg(
        department=latest.department.argmax(latest._order),
        year_of_study=latest.year_of_study.argmax(latest._order),
        first_registered_at=latest.registered_at.min(),
        first_counted_date=latest.registered_date.min(where=latest.is_counted),
        last_registered_at=latest.registered_at.max(),
        registrations=latest.is_counted.cast("int64").sum(),
        events_attended=latest.is_attended.cast("int64").sum(),
    )
    joined = people.select("user_id").left_join(summary, "user_id").drop("user_id_right")
    filled = joined.mutate(
        registrations=joined.registrations.fill_null(0).cast("int64"),
        events_attended=joined.events_attended.fill_null(0).cast("int64"),
    )
    return with_unknown(filled, core.DIM_USERS, registrations=0, events_attended=0)


def bridge_event_tags(event_tags: ir.Table, tags: ir.Table, events: ir.Table) -> ir.Table:
    """One row per event and tag. From staging.event_tags and staging.tags; tags of deleted events are left out."""
    joined = event_tags.semi_join(events, "event_id").join(tags.select("tag_id", "tag_name", "color"), "tag_id")
    named = joined.filter(joined.tag_name.notnull())
    return named.group_by("event_id", "tag_name").agg(color=named.color.max())


def dim_dates(
    dim_events: ir.Table,
    fact_registrations: ir.Table,
    fact_attendance: ir.Table,
    fact_payments: ir.Table,
    fact_payment_entries: ir.Table,
    fact_email_events: ir.Table,
) -> ir.Table:
    """One row per day from the first to the last that an event or fact mentions."""
    mentioned = ibis.union(
        *[
            table.agg(first=table[column].min(), last=table[column].max())
            for table, column in (
                (dim_events, "start_date"),
                (fact_registrations, "registered_date"),
                (fact_registrations, "cancelled_date"),
                (fact_attendance, "occurred_date"),
                (fact_payments, "occurred_date"),
                (fact_payment_entries, "occurred_date"),
                (fact_email_events, "occurred_date"),
            )
        ]
    )
    span = mentioned.agg(first=mentioned["first"].min(), last=mentioned["last"].max())
    span = span.filter(span["first"].notnull())
    start, stop = span["first"].cast("timestamp"), span["last"].cast("timestamp") + ibis.interval(days=1)
    days = span.select(date=ibis.range(start, stop, ibis.interval(days=1)).unnest()).mutate(date=ibis._.date.date())
    return days.select(
        date=days.date,
        year=days.date.year().cast("int64"),
        quarter=days.date.quarter().cast("int64"),
        month=days.date.month().cast("int64"),
        iso_week=days.date.week_of_year().cast("int64"),
        day_of_week=(days.date.day_of_week.index() + 1).cast("int64"),
        is_weekend=days.date.day_of_week.index() >= 5,
    )
