"""Increments of the marts."""

from __future__ import annotations

from event_pipeline.increments.increment import Increment, Input, direct

_CLUBS_OF = "SELECT club_id FROM {core.dim_events} WHERE event_id IN (SELECT event_id FROM {changed})"
_EVENTS_OF_CLUBS = "event_id IN (SELECT event_id FROM {core.dim_events} WHERE club_id IN {keys})"
_STARTED = "starts_at > {since} AND starts_at <= {until}"

MART_INCREMENTS: dict[str, Increment] = {
    "marts.agg_event_metrics": Increment(
        "event_id",
        {
            "core.fact_registrations": direct(
                "event_id", "registered_date", "is_counted", "is_cancelled", "cancelled_date", "is_duplicate",
                "team_size", "is_walk_in",
            ),
            "core.fact_attendance": direct("event_id", "occurred_date", "is_counted"),
            "core.fact_payments": direct("event_id", "occurred_date", "payment_status"),
            "core.fact_payment_entries": direct("event_id", "occurred_date", "currency", "amount_minor"),
        },
    ),
    "marts.agg_daily_metrics": Increment(
        "date",
        {
            "core.dim_dates": direct("date"),
            "core.dim_events": direct("start_date", "event_id", "starts_at", "event_status"),
            "core.dim_users": direct("first_counted_date", "user_id", "registrations"),
            "marts.agg_event_metrics": direct(
                "date", "event_id", "registrations", "cancellations", "duplicates", "participants", "check_ins",
                "revenue_minor",
            ),
            "core.fact_email_events": direct(
                "occurred_date", "email_event", "provider", "message_id", "user_id", "email_event_id"
            ),
        },
        starts=f"SELECT start_date FROM {{core.dim_events}} WHERE {_STARTED}",
    ),
    "marts.agg_club_metrics": Increment(
        "club_id",
        {
            "core.dim_clubs": direct("club_id"),
            "core.dim_events": direct("club_id", "event_id", "capacity", "starts_at", "event_status"),
            "core.fact_registrations": Input(
                ("event_id", "user_id", "is_counted", "is_attended", "team_size"),
                touches=_CLUBS_OF,
                reads=_EVENTS_OF_CLUBS,
            ),
            "marts.agg_event_metrics": Input(
                ("event_id", "registrations", "participants", "revenue_minor"),
                touches=_CLUBS_OF,
                reads=_EVENTS_OF_CLUBS,
            ),
        },
        starts=f"SELECT club_id FROM {{core.dim_events}} WHERE {_STARTED}",
    ),
    "marts.agg_registration_pace": Increment(
        "event_id",
        {
            "core.dim_events": direct("event_id", "starts_at", "start_date", "event_status", "capacity"),
            "core.fact_registrations": direct(
                "event_id", "counted_from_date", "is_cancelled", "cancelled_date", "team_size"
            ),
        },
        starts=f"SELECT event_id FROM {{core.dim_events}} WHERE {_STARTED}",
    ),
    "marts.agg_arrivals": Increment(
        "event_id",
        {
            "core.dim_events": direct("event_id", "starts_at"),
            "core.fact_registrations": direct("event_id", "is_counted"),
            "core.fact_attendance": direct("event_id", "occurred_at", "is_counted"),
        },
    ),
    "marts.agg_email_funnel": Increment(
        "event_id",
        {
            "core.dim_events": direct("event_id"),
            "core.fact_registrations": direct("event_id", "registration_id", "is_counted", "is_attended", "team_size"),
            "core.fact_email_events": direct("event_id", "registration_id", "email_event", "is_machine"),
        },
    ),
    "marts.agg_cohorts": Increment(
        None,
        {
            "core.dim_dates": Input(("date",)),
            "core.fact_attendance": Input(
                ("user_id", "occurred_date", "is_counted"),
                touches="SELECT 1 FROM {changed} "
                "WHERE is_counted AND occurred_date IS NOT NULL AND user_id <> 'unknown'",
            ),
        },
        is_calm=True,
    ),
    "marts.agg_event_revenue": Increment(
        "event_id",
        {"core.fact_payment_entries": direct("event_id", "occurred_date", "currency", "amount_minor")},
    ),
    "marts.agg_payment_discrepancies": Increment(
        "event_id",
        {
            "core.dim_events": direct("event_id", "fee_minor"),
            "core.fact_registrations": direct(
                "event_id", "registration_id", "team_size", "is_cancelled", "is_duplicate"
            ),
            "core.fact_payments": direct(
                "event_id", "payment_id", "registration_id", "user_id", "method", "app_status", "provider_status",
                "payment_status", "amount_minor", "revenue_minor", "currency", "is_disputed", "paid_at", "occurred_at",
            ),
        },
    ),
}  # fmt: skip
"""By ``layer.table``."""
