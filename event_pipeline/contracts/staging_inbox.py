"""Staging contracts of what reaches the inbox (scans, mail and payment events) and of organisers' sheets."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract
from event_pipeline.contracts.core import EMAIL_EVENTS
from event_pipeline.contracts.staging_columns import (
    MAX_AMOUNT_MINOR,
    PROVENANCE,
    amount,
    boolean,
    choice,
    document_key,
    email,
    integer,
    json_text,
    phone,
    text,
    timestamp,
    verbatim,
)

PAYMENT_EVENTS = ("pending", "succeeded", "failed", "refunded", "canceled", "open", "won", "lost")


def _staging(
    table: str, raw: str, grain: str, description: str, *columns: Column, more_sources: tuple[str, ...] = ()
) -> Contract:
    return Contract(
        layer="staging",
        table=table,
        grain=grain,
        key=(columns[0].name,),
        description=description,
        columns=(*columns, *PROVENANCE),
        sources=(f"raw.{raw}", *more_sources),
        fresh_by="version_at",
    )


SCANS = _staging(
    "scans", "inbox_scans", "one row per scan of a code by a device", "QR scans at the door, late and repeated ones included.",
    document_key("scan_id", "Hash of code, time and device: the same scan uploaded twice is one."),
    verbatim("qr_text", "Text as scanned.", path="qr_code_data", personal=True, max_length=5_000, consequence="note"),
    timestamp("scanned_at", "When it was scanned, by the phone's clock; empty when that is no time of the years 2000 to 2100.", consequence="note"),
    text("scanner_id", "Device.", max_length=200, consequence="note"),
    timestamp("received_at", "When the pipeline got it.", consequence="note"),
    text("door_event_id", "Event at whose door it was scanned, where the phone said so.", path="event_id", max_length=200, consequence="note"),
    boolean("is_override", "Somebody at the door admitted it although the event or the day is another.", path="override", consequence="note"),
    text("override_by", "Key that admitted it so.", max_length=200, consequence="note"),
    text("override_reason", "Why, as typed at the door.", max_length=200, personal=True, consequence="note"),
    Column("claimed_registration_id", "string", "Registration the code names."),
    Column("claimed_event_id", "string", "Event the code names."),
    Column("is_readable", "boolean", "The code is one of the app's attendance codes.", nullable=False),
    Column("is_checksum_valid", "boolean", "The code's checksum fits its content.", nullable=False),
)  # fmt: skip

EMAIL_EVENT_ROWS = _staging(
    "email_events", "inbox_email_events", "one row per reported mail event", "What the mail provider reported.",
    document_key("email_event_id", "{provider}: and what makes it the same event when it is sent again: a hash of message, recipient, kind and time, else the provider's event id."),
    text("provider", "Mail provider.", max_length=100, nullable=False),
    text("message_id", "Mail it belongs to.", max_length=1_000, consequence="note"),
    text("registration_id", "Registration the mail was about.", max_length=200),
    text("event_id", "Event the mail was about.", max_length=200),
    email("participant_email", "Recipient.", path="email"),
    text("mail_type", "What the mail was for.", max_length=100, consequence="note"),
    choice("email_event", "What happened.", EMAIL_EVENTS, path="event", nullable=False),
    timestamp("occurred_at", "When it happened.", nullable=False),
    boolean("is_machine", "The provider, or the program's name, says that a machine opened or clicked.", consequence="note"),
)  # fmt: skip

PAYMENT_EVENT_ROWS = _staging(
    "payment_events", "inbox_payment_events", "one row per reported payment event",
    "What the payment provider reported: the state in which a payment, charge, refund or dispute was then.",
    document_key("payment_event_id", "{provider}:{provider's event id}."),
    text("provider", "Payment provider.", max_length=100, nullable=False),
    text("payment_id", "Payment it belongs to.", max_length=300, nullable=False),
    text("registration_id", "Registration paid for.", max_length=200),
    text("event_id", "Event paid for.", max_length=200),
    choice("object_type", "What it is the state of; empty: of the payment itself, and a refunded one is one more refund.", ("payment", "session", "charge", "refund", "dispute"), path="object"),
    text("object_id", "Id of that charge, session, refund or dispute; the payment's own where empty.", max_length=300),
    choice("payment_event", "Its state: pending, succeeded, failed or canceled; open, won or lost for a dispute. Refunded: so much was given back by this event.", PAYMENT_EVENTS, path="status", nullable=False),
    integer("amount_minor", "Amount in minor units: asked for, given back or disputed.", minimum=0, maximum=MAX_AMOUNT_MINOR, nullable=False),
    integer("captured_minor", "Received until then, in minor units; of a payment without object the amount, once it succeeded.", minimum=0, maximum=MAX_AMOUNT_MINOR),
    integer("refunded_minor", "Of a charge: given back until then in all, without what was only released.", minimum=0, maximum=MAX_AMOUNT_MINOR),
    integer("returned_minor", "Of a charge: what this event took off the amount given back, as a failed refund does.", minimum=0, maximum=MAX_AMOUNT_MINOR),
    integer("state_order", "Which of the states of one second is the later one.", minimum=0),
    text("currency", "ISO 4217 code.", max_length=10),
    timestamp("occurred_at", "When it happened.", nullable=False),
    timestamp("paid_at", "When the money was received, where this event is about that.", consequence="note"),
    timestamp("object_created_at", "When the object was made, as far as it says.", consequence="note"),
)  # fmt: skip

SHEET_ROWS = _staging(
    "sheet_rows", "sheets_rows", "one row per row of an event's sheet", "Rows of the events' sheets as organisers left them.",
    document_key("sheet_row_id", "{spreadsheet id}/{row key}."),
    text("spreadsheet_id", "Spreadsheet.", max_length=200, nullable=False),
    text("event_id", "Event of the sheet; by the events' google_sheet_id where settings do not say.", max_length=200),
    text("worksheet", "Worksheet.", max_length=200, nullable=False),
    integer("row_number", "Row in the worksheet when last read."),
    boolean("is_export_error", "The app failed to export this row.", consequence="note"),
    text("participant_name", "Name as typed.", path="fields.name", personal=True, max_length=300, consequence="note"),
    email("participant_email", "Address, lower case.", path="fields.email", consequence="note"),
    phone("participant_phone", "Number, E.164.", path="fields.phone"),
    text("student_id", "Student id as typed.", path="fields.student_id", personal=True, max_length=200, consequence="note"),
    text("department", "Department as typed.", path="fields.department", max_length=200, consequence="note"),
    text("year_of_study", "Year of study as typed.", path="fields.year", max_length=50, consequence="note"),
    choice("registration_type", "How they take part.", ("individual", "team", "solo"), path="fields.registration_type", consequence="note"),
    choice("registration_status", "State.", ("registered", "attended", "cancelled"), path="fields.registration_status", consequence="note"),
    choice("attendance_status", "Attendance.", ("not_attended", "attended"), path="fields.attendance_status", consequence="note"),
    timestamp("attended_at", "Attendance time.", path="fields.attendance_time", consequence="note"),
    timestamp("registered_at", "Registration date.", path="fields.registration_date", consequence="note"),
    Column("entered_at", "timestamp", "Registration date; where none is typed, when the row was first read; empty where one is typed that cannot be read or has two readings."),
    Column("came_at", "timestamp", "Attendance time; where none is typed, since when the row has been read as attended, of others when it was last read otherwise; empty where one is typed that cannot be read or has two readings."),
    choice("payment_mark", "Payment column.", ("yes", "no", "verified", "pending", "rejected"), path="fields.payment_verified", consequence="note"),
    amount("amount_minor", "Amount in minor units.", path="fields.payment_amount", consequence="note"),
    text("notes", "What an organiser typed.", path="fields.notes", personal=True, max_length=10_000, consequence="note"),
    json_text("custom_fields", "Columns of the event's own questions, JSON.", personal=True, consequence="note"),
    json_text("questions", "Payments and notes under a header that an event may ask a question under, JSON by field.", personal=True, consequence="note"),
    choice(
        "row_doubt", "Why the row is no person; always empty here, the reason stands in quarantine.", ("none",), path="doubt",
        consequence="note", advice="nobody is counted for this row of the sheet; if it is a person, add what is missing",
    ),
    Column("is_person", "boolean", "The row identifies a person: by an address, or by a name with something else of a person.", nullable=False),
    more_sources=("staging.events",),
)  # fmt: skip

UNREADABLE = _staging(
    "unreadable", "unreadable", "none: every line is in quarantine", "Lines of dropped files that are no records; all of them are in quarantine.",
    document_key("unreadable_id", "File, line and hash."),
)  # fmt: skip


STAGING_PARSED = {c.table: c for c in (SCANS, EMAIL_EVENT_ROWS, PAYMENT_EVENT_ROWS, SHEET_ROWS, UNREADABLE)}
"""Tables parsed from raw records, with rows that may go to quarantine."""
