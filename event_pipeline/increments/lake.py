"""Increments of the lake's tables: parsed documents and what is derived from them."""

from __future__ import annotations

from event_pipeline.increments.increment import Increment, Input, direct
from event_pipeline.models.registry import STAGING_MODELS

_ROWS_OF_OWNED_SHEETS = (
    "SELECT sheet_row_id FROM {staging.sheet_rows} WHERE spreadsheet_id IN (SELECT google_sheet_id FROM {changed})"
)


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
            "staging.events": Input(("google_sheet_id", "event_id"), touches=_ROWS_OF_OWNED_SHEETS),
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
                ("event_id", "sheet_row_id", "worksheet", "is_export_error", "participant_email", "payment_mark",
                 "participant_name", "registered_at", "attendance_status", "attended_at", "amount_minor", "notes",
                 "version", "version_at"),
                reads="event_id",
            ),
            "staging.registrations": direct(
                "event_id", "registration_id", "participant_email", "registration_status", "registered_at",
                "attendance_status", "payment_status",
            ),
            "staging.absent_registrations": direct("event_id", "participant_email"),
        },
    ),
    "staging.attendance_reversals": Increment(
        "registration_id",
        {"raw.firebase_registrations": Input(("document_id",), reads="document_id")},
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
                "event_id", "registration_id", "participant_email", "registered_at", "registration_status",
                "registration_type", "team_size", "department", "year_of_study", "payment_status", "amount_minor",
                "updated_at", "attendance_status", "attended_at",
            ),
            "staging.sheet_corrections": direct("event_id", "sheet_row_id", "correction", "registration_id"),
            "staging.sheet_rows": direct(
                "event_id", "sheet_row_id", "participant_email", "registered_at", "registration_status",
                "registration_type", "department", "year_of_study", "payment_mark", "amount_minor", "version_at",
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
