"""Increments of the lake's tables: parsed documents and what is derived from them."""

from __future__ import annotations

from event_pipeline.increments.increment import Increment, Input, Lookup, direct
from event_pipeline.models.registry import STAGING_MODELS

_ROWS_OF_OWNED_SHEETS = (
    "SELECT sheet_row_id FROM {staging.sheet_rows} WHERE spreadsheet_id IN (SELECT google_sheet_id FROM {changed}) "
    "OR event_id IN (SELECT event_id FROM {changed}) AND questions IS NOT NULL"
)

_EVENTS_WITH_SHEETS = "SELECT event_id FROM {changed} WHERE event_id IN (SELECT event_id FROM {staging.sheet_rows})"
"""Where no sheet says anything there is nothing to correct, whatever becomes of registrations."""

_AS_PROVIDERS_IDS = (
    "SELECT unnest([substr(key, i + 1) for i in range(1, length(key)) if substr(key, i, 1) = ':']) FROM {touched}"
)
"""What may be a provider's id of a payment in these keys; a provider's name may hold a colon too."""
_OF_PAYMENTS = Input(
    ("payment_event_id", "provider", "payment_id", "registration_id", "event_id", "object_type", "object_id",
     "payment_event", "amount_minor", "captured_minor", "refunded_minor", "returned_minor", "state_order", "currency",
     "occurred_at", "paid_at", "object_created_at"),
    # What names a session or charge moves between the payment so named and the one that this object names.
    touches="SELECT provider || ':' || payment_id FROM {changed} "
    "UNION SELECT provider || ':' || object_id FROM {changed} "
    "UNION SELECT e.provider || ':' || e.payment_id FROM {staging.payment_events} e "
    "WHERE e.object_id IN (SELECT payment_id FROM {changed} UNION SELECT object_id FROM {changed})",
    reads=(
        Lookup("payment_id", _AS_PROVIDERS_IDS),
        Lookup("object_id", _AS_PROVIDERS_IDS),
        Lookup("payment_id", "SELECT object_id FROM {found}"),
        Lookup("object_id", "SELECT object_id FROM {found}"),
    ),
)  # fmt: skip
"""Events that tell of a payment, by its own id or by that of its session or charge."""


def _documents() -> dict[str, Increment]:
    """A parsed table's row depends on the versions of its own document."""
    return {
        model.name: Increment(
            model.contract.key[0], {model.inputs[0]: Input(("document_id",), reads="document_id")}, is_narrow=True
        )
        for model in STAGING_MODELS
    }


LAKE_INCREMENTS: dict[str, Increment] = {
    **_documents(),
    "staging.sheet_rows": Increment(
        "sheet_row_id",
        {
            "raw.sheets_rows": Input(("document_id",), reads="document_id"),
            "staging.events": Input(("google_sheet_id", "event_id", "custom_fields"), touches=_ROWS_OF_OWNED_SHEETS),
        },
    ),
    "staging.absent_registrations": Increment(
        "registration_id",
        {
            "raw.firebase_registrations": Input(("document_id",), reads="document_id"),
            "staging.registrations": direct("registration_id"),
        },
        is_narrow=True,
    ),
    "staging.sheet_corrections": Increment(
        "event_id",
        {
            "staging.sheet_rows": Input(
                ("event_id", "sheet_row_id", "worksheet", "is_export_error", "is_person", "participant_email",
                 "participant_phone", "student_id", "payment_mark", "participant_name", "entered_at",
                 "attendance_status", "came_at", "amount_minor", "notes", "version", "version_at"),
                reads="event_id",
            ),
            "staging.registrations": Input(
                ("event_id", "registration_id", "participant_email", "participant_name", "participant_phone",
                 "student_id", "registration_status", "registered_at", "attendance_status", "payment_status"),
                touches=_EVENTS_WITH_SHEETS, reads="event_id",
            ),
            "staging.absent_registrations": Input(
                ("event_id", "registration_id", "participant_email", "name_key", "participant_phone", "student_id"),
                touches=_EVENTS_WITH_SHEETS, reads="event_id",
            ),
        },
    ),
    "staging.attendance_reversals": Increment(
        "registration_id",
        {"raw.firebase_registrations": Input(("document_id",), reads="document_id")},
        is_narrow=True,
    ),
    "staging.payment_verifications": Increment(
        "document_id",
        {
            "raw.firebase_registrations": Input(("document_id",), reads="document_id"),
            "raw.sheets_rows": Input(("document_id",), reads="document_id"),
        },
        is_narrow=True,
    ),
    "staging.provider_refunds": Increment("payment_id", {"staging.payment_events": _OF_PAYMENTS}, is_narrow=True),
    "staging.provider_payments": Increment(
        "payment_id",
        {
            "staging.payment_events": _OF_PAYMENTS,
            "staging.provider_refunds": direct("payment_id", "entry_id", "amount_minor", "occurred_at"),
        },
        is_narrow=True,
    ),
    "staging.registration_cancellations": Increment(
        "registration_id",
        {
            "raw.firebase_registrations": Input(("document_id",), reads="document_id"),
            "staging.registrations": direct(
                "registration_id", "registration_status", "registered_at", "updated_at", "version_at"
            ),
        },
        is_narrow=True,
    ),
    "staging.resolved_registrations": Increment(
        "source_event_id",
        {
            "staging.registrations": direct(
                "event_id", "registration_id", "participant_email", "participant_name", "registered_at",
                "registration_status", "registration_type", "team_size", "department", "year_of_study",
                "payment_status", "amount_minor",
                "updated_at", "attendance_status", "attended_at",
            ),
            "staging.sheet_corrections": direct("event_id", "sheet_row_id", "correction", "registration_id"),
            "staging.sheet_rows": direct(
                "event_id", "sheet_row_id", "participant_email", "participant_name", "entered_at",
                "registration_status", "registration_type", "department", "year_of_study", "payment_mark",
                "amount_minor",
            ),
            "staging.events": direct("event_id"),
        },
    ),
    "people.people": Increment(
        "email",
        {
            "staging.registrations": direct(
                "participant_email", "participant_name", "participant_phone", "registered_at"
            ),
            "staging.sheet_rows": direct("participant_email", "participant_name", "participant_phone", "registered_at"),
            "staging.email_events": direct("participant_email", "occurred_at"),
        },
        is_narrow=True,
    ),
}  # fmt: skip
"""By ``layer.table``."""
