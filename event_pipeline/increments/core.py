"""Increments of the star schema: dimensions and facts."""

from __future__ import annotations

from event_pipeline.increments.increment import Increment, Input, Lookup, direct

_CLAIMED = "coalesce(claimed_event_id, 'unknown')"
_CLAIMING = (
    f"SELECT {_CLAIMED} FROM {{staging.scans}} "
    "WHERE claimed_registration_id IN (SELECT registration_id FROM {changed})"
)
_SCANS = "(claimed_event_id IN {keys} OR claimed_event_id IS NULL AND 'unknown' IN {keys})"
_BY_HAND = "SELECT unnest(['app:' || registration_id, 'sheet:' || registration_id])"
_BY_HAND_OF_DOCUMENTS = "SELECT unnest(['app:' || document_id, 'sheet:' || document_id])"
_PAYMENTS_OF = (
    "SELECT payment_id FROM {staging.provider_payments} "
    "WHERE registration_id IN (SELECT registration_id FROM {changed})"
)
_PAID_FOR = "SELECT substr(key, instr(key, ':') + 1) FROM {touched} WHERE key LIKE 'app:%'"
_OUTSIDE_THE_SPAN = (
    "WITH span AS (SELECT min(date) AS first_date, max(date) AS last_date FROM {core.dim_dates}) "
    "SELECT 1 FROM {delta}, span WHERE DAY IS NOT NULL AND (first_date IS NULL "
    "OR (_is_added AND DAY NOT BETWEEN first_date AND last_date) OR (NOT _is_added AND DAY IN (first_date, last_date)))"
)


def _mentions(*days: str) -> Input:
    """An input of dim_dates: only a day beyond the ends, or one at an end that goes, changes the span."""
    touches = " UNION ".join(f"({_OUTSIDE_THE_SPAN.replace('DAY', day)})" for day in days)
    return Input(days, touches=touches)


CORE_INCREMENTS: dict[str, Increment] = {
    "core.dim_clubs": Increment(None, {"staging.clubs": Input(("club_id", "club_name", "website", "created_at"))}),
    "core.dim_categories": Increment(None, {"staging.categories": Input(("category_id", "category_name", "color"))}),
    "core.dim_events": Increment(
        None,
        {
            "staging.events": Input(
                ("event_id", "title", "club_id", "category_id", "location", "starts_at", "ends_at",
                 "registration_deadline_at", "capacity", "event_status", "registration_method", "participation_type",
                 "is_paid", "fee_minor", "is_featured", "is_archived", "created_at")
            ),
            "staging.clubs": Input(("club_id",)),
            "staging.categories": Input(("category_id",)),
        },
    ),
    "core.bridge_event_tags": Increment(
        None,
        {
            "staging.event_tags": Input(("event_id", "tag_id")),
            "staging.tags": Input(("tag_id", "tag_name", "color")),
            "staging.events": Input(("event_id",)),
        },
    ),
    "core.fact_attendance": Increment(
        "claimed_event_id",
        {
            "staging.scans": Input(
                ("claimed_event_id", "scan_id", "claimed_registration_id", "scanned_at", "received_at", "version_at",
                 "scanner_id", "door_event_id", "is_override", "is_readable", "is_checksum_valid"),
                touches=f"SELECT {_CLAIMED} FROM {{changed}}",
                reads=_SCANS,
            ),
            "staging.resolved_registrations": Input(
                ("registration_id", "source_event_id", "event_id", "user_id", "registrant_key", "is_cancelled",
                 "is_app_attended", "app_attended_at", "updated_at"),
                touches=f"SELECT source_event_id FROM {{changed}} UNION {_CLAIMING}",
                reads=(
                    Lookup("source_event_id", "SELECT key FROM {touched}"),
                    Lookup(
                        "registration_id",
                        "SELECT claimed_registration_id FROM {staging_scans} "
                        "EXCEPT SELECT registration_id FROM {found}",
                    ),
                ),
            ),
            "staging.sheet_corrections": direct(
                "event_id", "sheet_row_id", "correction", "registration_id", "occurred_at"
            ),
            "staging.attendance_reversals": Input(
                ("registration_id", "undone_at"),
                touches="SELECT source_event_id FROM {staging.resolved_registrations} "
                "WHERE registration_id IN (SELECT registration_id FROM {changed})",
            ),
            # A day refuses only codes of their registration's own event, which is the one that they name.
            "core.dim_events": direct("event_id", "start_date", "ends_at"),
        },
    ),
    "core.fact_registrations": Increment(
        "source_event_id",
        {
            "staging.resolved_registrations": direct(
                "source_event_id", "registration_id", "event_id", "user_id", "registrant_key", "is_shared_address",
                "registered_at", "registration_status", "registration_type", "team_size", "department",
                "year_of_study", "is_cancelled", "is_duplicate", "is_walk_in",
            ),
            "staging.registration_cancellations": Input(
                ("registration_id", "cancelled_at"),
                touches="SELECT source_event_id FROM {staging.resolved_registrations} "
                "WHERE registration_id IN (SELECT registration_id FROM {changed})",
                reads=(Lookup("registration_id", "SELECT registration_id FROM {staging_resolved_registrations}"),),
            ),
            "core.fact_attendance": Input(
                ("claimed_event_id", "registration_id", "occurred_at", "is_counted"),
                reads="claimed_event_id",
            ),
            "core.fact_payments": Input(
                ("registration_id", "payment_status"),
                touches="SELECT source_event_id FROM {staging.resolved_registrations} "
                "WHERE registration_id IN (SELECT registration_id FROM {changed})",
                # Payments of registrations for an event that is gone are on the unknown one.
                reads="event_id IN {keys} OR event_id = 'unknown'",
            ),
            "core.dim_events": direct("event_id", "start_date"),
        },
    ),
    "core.fact_payments": Increment(
        "payment_id",
        {
            "staging.provider_payments": Input(
                ("payment_id", "registration_id", "provider", "event_id", "payment_status", "amount_minor",
                 "received_minor", "refunded_minor", "currency", "is_disputed", "is_dispute_lost", "paid_at",
                 "refunded_at", "occurred_at"),
                touches=f"SELECT payment_id FROM {{changed}} UNION {_BY_HAND} FROM {{changed}} UNION {_PAYMENTS_OF}",
                reads=(
                    Lookup("registration_id", _PAID_FOR),
                    Lookup("payment_id", "SELECT key FROM {touched} WHERE key NOT LIKE 'app:%'"),
                    # Which of them a mark belongs to depends on every payment of the registration.
                    Lookup("registration_id", "SELECT registration_id FROM {found}"),
                ),
            ),
            "staging.resolved_registrations": Input(
                ("registration_id", "event_id", "user_id", "payment_status", "amount_minor", "updated_at",
                 "registered_at", "is_walk_in"),
                touches=f"{_BY_HAND} FROM {{changed}} UNION {_PAYMENTS_OF}",
                reads=(
                    Lookup(
                        "registration_id",
                        f"{_PAID_FOR} UNION SELECT registration_id FROM {{staging_provider_payments}}",
                    ),
                ),
            ),
            "staging.sheet_corrections": Input(
                ("registration_id", "sheet_row_id", "correction", "corrected_value", "occurred_at"),
                touches=f"{_BY_HAND} FROM {{changed}} UNION {_PAYMENTS_OF}",
                reads=(
                    Lookup(
                        "registration_id",
                        f"{_PAID_FOR} UNION SELECT registration_id FROM {{staging_provider_payments}}",
                    ),
                ),
            ),
            "staging.payment_verifications": Input(
                ("document_id", "collection", "verified_at"),
                touches=f"{_BY_HAND_OF_DOCUMENTS} FROM {{changed}} UNION {_BY_HAND} FROM {{staging.sheet_corrections}} "
                "WHERE sheet_row_id IN (SELECT document_id FROM {changed})",
                reads=(
                    Lookup(
                        "document_id",
                        f"{_PAID_FOR} UNION SELECT sheet_row_id FROM {{staging_sheet_corrections}}",
                    ),
                ),
            ),
            "staging.events": Input(
                ("event_id", "fee_minor"),
                touches=f"{_BY_HAND} FROM {{staging.resolved_registrations}} WHERE source_event_id IN "
                "(SELECT event_id FROM {changed}) UNION SELECT payment_id FROM {staging.provider_payments} "
                "WHERE event_id IN (SELECT event_id FROM {changed})",
            ),
        },
        is_narrow=True,
    ),
    "core.fact_payment_entries": Increment(
        "payment_id",
        {
            "core.fact_payments": direct(
                "payment_id", "registration_id", "event_id", "user_id", "currency", "revenue_minor", "refunded_minor",
                "occurred_at",
            ),
            "staging.provider_refunds": direct(
                "payment_id", "entry_id", "entry_kind", "amount_minor", "occurred_at"
            ),
        },
        is_narrow=True,
    ),
    "core.fact_email_events": Increment(
        "email_event_id",
        {
            "staging.email_events": Input(
                ("email_event_id", "message_id", "registration_id", "event_id", "participant_email", "provider",
                 "mail_type", "email_event", "is_machine", "occurred_at"),
                reads="email_event_id",
            ),
            "staging.resolved_registrations": Input(
                ("registration_id", "event_id", "user_id"),
                touches="SELECT email_event_id FROM {staging.email_events} "
                "WHERE registration_id IN (SELECT registration_id FROM {changed})",
                reads=(Lookup("registration_id", "SELECT registration_id FROM {staging_email_events}"),),
            ),
            "staging.events": Input(
                ("event_id",),
                touches="SELECT email_event_id FROM {staging.email_events} "
                "WHERE event_id IN (SELECT event_id FROM {changed})",
            ),
        },
    ),
    "core.dim_users": Increment(
        "user_id",
        {
            "people.people": direct("user_id"),
            "core.fact_registrations": Input(
                ("user_id", "registration_id", "registered_at", "registered_date", "department", "year_of_study",
                 "is_counted", "is_attended"),
                touches="SELECT user_id FROM {changed} WHERE user_id <> 'unknown'",
                reads="user_id",
            ),
        },
        is_narrow=True,
    ),
    "core.dim_dates": Increment(
        None,
        {
            "core.dim_events": _mentions("start_date"),
            "core.fact_registrations": _mentions("registered_date", "cancelled_date"),
            "core.fact_attendance": _mentions("occurred_date"),
            "core.fact_payments": _mentions("occurred_date"),
            "core.fact_payment_entries": _mentions("occurred_date"),
            "core.fact_email_events": _mentions("occurred_date"),
        },
    ),
}  # fmt: skip
"""By ``layer.table``."""
