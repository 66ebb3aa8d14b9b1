"""Staging contracts of what is made from other staging tables, and of who is who."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract
from event_pipeline.contracts.staging_payments import PAYMENT_VERIFICATIONS, PROVIDER_PAYMENTS, PROVIDER_REFUNDS

SHEET_CORRECTIONS = Contract(
    layer="staging",
    table="sheet_corrections",
    grain="one row per sheet row and thing an organiser typed in it",
    key=("sheet_row_id", "correction"),
    description="What people typed into sheets that the app does not know: walk-ins, attendance, payments, notes.",
    columns=(
        Column("sheet_row_id", "string", "Row it was typed in.", nullable=False, personal=True),
        Column("correction", "string", "Kind.", nullable=False, allowed=("walk_in", "attendance", "payment", "note")),
        Column("registration_id", "string", "Registration it corrects; 'sheet:...' for a walk-in.", nullable=False),
        Column("event_id", "string", "Event of the sheet.", nullable=False),
        Column("corrected_value", "string", "What was typed.", personal=True),
        Column("occurred_at", "timestamp", "When it happened, as typed, else when the row was first read so."),
        Column("version", "string", "Version of the sheet row.", nullable=False),
    ),
    sources=("staging.sheet_rows", "staging.registrations", "staging.absent_registrations"),
)


ABSENT_REGISTRATIONS = Contract(
    layer="staging",
    table="absent_registrations",
    grain="one row per absent registration and what a version of it said",
    key=("registration_id", "event_id", "participant_email", "name_key", "participant_phone", "student_id"),
    description="Events and people that deleted or quarantined registrations ever named: no walk-in is one of them.",
    columns=(
        Column("registration_id", "string", "Registration that is not in staging.", nullable=False),
        Column("event_id", "string", "Event as a version said.", nullable=False),
        Column(
            "participant_email",
            "string",
            "Address as a version said; empty text without a valid one.",
            nullable=False,
            personal=True,
        ),
        Column(
            "name_key", "string", "What of the name is compared; empty text without one.", nullable=False, personal=True
        ),
        Column("participant_phone", "string", "Number, E.164; empty text without one.", nullable=False, personal=True),
        Column("student_id", "string", "Student id as written; empty text without one.", nullable=False, personal=True),
    ),
    sources=("raw.firebase_registrations", "staging.registrations"),
)


ATTENDANCE_REVERSALS = Contract(
    layer="staging",
    table="attendance_reversals",
    grain="one row per registration whose attendance was taken back",
    key=("registration_id",),
    description="Registrations once marked attended whose latest version is not; claims made before that do not count.",
    columns=(
        Column("registration_id", "string", "Registration.", nullable=False),
        Column("undone_at", "timestamp", "When the mark was first seen gone.", nullable=False),
    ),
    sources=("raw.firebase_registrations",),
)


REGISTRATION_CANCELLATIONS = Contract(
    layer="staging",
    table="registration_cancellations",
    grain="one row per cancelled registration document",
    key=("registration_id",),
    description="When each cancelled registration was cancelled: the time its document says in the first version of the "
    "present cancellation, not after that version was seen and not before the registration was made.",
    columns=(
        Column("registration_id", "string", "Registration.", nullable=False),
        Column("cancelled_at", "timestamp", "When it was cancelled, as far as known.", nullable=False),
    ),
    sources=("raw.firebase_registrations", "staging.registrations"),
)


RESOLVED_REGISTRATIONS = Contract(
    layer="staging",
    table="resolved_registrations",
    grain="one row per registration document or walk-in",
    key=("registration_id",),
    description="Registrations and walk-ins with their person, their event as far as it exists, and duplicates marked.",
    columns=(
        Column("registration_id", "string", "Push id; 'sheet:...' for a walk-in.", nullable=False),
        Column("event_id", "string", "Event, 'unknown' when it is gone.", nullable=False),
        Column("source_event_id", "string", "Event as the document says.", nullable=False),
        Column("user_id", "string", "Person, 'unknown' without a valid e-mail.", nullable=False),
        Column(
            "registrant_key",
            "string",
            "Who registered: a keyed hash of the address, of address and name for all but its earliest name; the registration's own id without an address.",
            nullable=False,
        ),
        Column(
            "is_shared_address",
            "boolean",
            "Registrations of this address for this event have several different names.",
            nullable=False,
        ),
        Column("registered_at", "timestamp", "When they registered."),
        Column(
            "registration_status", "string", "State.", nullable=False, allowed=("registered", "attended", "cancelled")
        ),
        Column("registration_type", "string", "How they take part."),
        Column("team_size", "int64", "People in the registration.", nullable=False, minimum=1),
        Column("department", "string", "Department as typed."),
        Column("year_of_study", "string", "Year of study as typed."),
        Column("payment_status", "string", "State of the hand-checked payment."),
        Column("amount_minor", "int64", "Amount in minor units."),
        Column("updated_at", "timestamp", "Last change, by the app's clock; empty for a walk-in."),
        Column("is_app_attended", "boolean", "The app marks it attended.", nullable=False),
        Column("app_attended_at", "timestamp", "Attendance time as the app wrote it."),
        Column("is_cancelled", "boolean", "Cancelled.", nullable=False),
        Column("is_duplicate", "boolean", "The same registrant had registered for the event before.", nullable=False),
        Column("is_walk_in", "boolean", "Added by hand in a sheet.", nullable=False),
    ),
    sources=("staging.registrations", "staging.sheet_corrections", "staging.sheet_rows", "staging.events"),
)


PEOPLE = Contract(
    layer="people",
    table="people",
    grain="one row per person, by normalised e-mail",
    key=("email",),
    description="Who is who: the only place where an e-mail meets the warehouse's user_id. Never leaves the lake.",
    columns=(
        Column("email", "string", "Normalised address.", nullable=False, personal=True),
        Column("user_id", "string", "Keyed hash, the only identity the warehouse knows.", nullable=False),
        Column("person_name", "string", "Name of the latest registration.", personal=True),
        Column("phone", "string", "Number of the latest registration that has one.", personal=True),
        Column("first_seen_at", "timestamp", "Earliest mention."),
        Column("last_seen_at", "timestamp", "Latest mention."),
    ),
    sources=("staging.registrations", "staging.sheet_rows", "staging.email_events"),
)


STAGING_DERIVED = {
    c.table: c
    for c in (
        ABSENT_REGISTRATIONS, SHEET_CORRECTIONS, ATTENDANCE_REVERSALS, REGISTRATION_CANCELLATIONS,
        RESOLVED_REGISTRATIONS, PAYMENT_VERIFICATIONS, PROVIDER_REFUNDS, PROVIDER_PAYMENTS,
    )
}  # fmt: skip
"""Tables made from other staging tables."""
