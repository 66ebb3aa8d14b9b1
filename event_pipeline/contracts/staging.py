"""Staging contracts of the app's documents: latest version, parsed and normalised once; all of it is private."""

from __future__ import annotations

from event_pipeline.contracts.contract import Column, Contract
from event_pipeline.contracts.staging_columns import (
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
    url,
)

CREATED = timestamp("created_at", "When the app created it, by the client's clock.", consequence="note")
UPDATED = timestamp("updated_at", "When the app last changed it, by the client's clock.", consequence="note")


def _staging(table: str, grain: str, key: tuple[str, ...], description: str, *columns: Column) -> Contract:
    return Contract(
        layer="staging",
        table=table,
        grain=grain,
        key=key,
        description=description,
        columns=(*columns, *PROVENANCE),
        sources=(f"raw.firebase_{table}",),
        fresh_by="version_at",
    )


CLUBS = _staging(
    "clubs",
    "one row per club",
    ("club_id",),
    "Clubs that publish events.",
    document_key("club_id", "Firebase uid of the club."),
    text("club_name", "Name of the club.", path="name"),
    text("description", "What the club says of itself.", max_length=20_000),
    url("logo_url", "Logo image."),
    email("contact_email", "Contact address of the club."),
    phone("contact_phone", "Contact number of the club, E.164."),
    url("website", "Web site."),
    CREATED,
    UPDATED,
)

CATEGORIES = _staging(
    "categories",
    "one row per category",
    ("category_id",),
    "Kinds of events.",
    document_key("category_id", "Push id of the category."),
    text("category_name", "Name: Technical, Cultural, Sports, ...", path="name"),
    text("color", "Colour as #rrggbb.", max_length=32, consequence="note"),
    CREATED,
    UPDATED,
)

EVENTS = _staging(
    "events",
    "one row per event",
    ("event_id",),
    "Events as clubs published them.",
    document_key("event_id", "Push id of the event."),
    text("title", "Title as published.", consequence="note"),
    text("description", "Description as published.", max_length=100_000, consequence="note"),
    timestamp("starts_at", "When the event starts.", path="start_date", consequence="note"),
    timestamp("ends_at", "When the event ends.", path="end_date", consequence="note"),
    text("location", "Where it takes place.", consequence="note"),
    integer("min_participants", "Fewest participants.", minimum=0, maximum=10_000_000, consequence="note"),
    integer(
        "capacity",
        "Most participants; empty when unlimited.",
        path="max_participants",
        minimum=0,
        maximum=10_000_000,
        consequence="note",
    ),
    timestamp("registration_deadline_at", "Registrations close.", path="registration_deadline", consequence="note"),
    boolean(
        "is_registration_open", "Whether the app takes registrations.", path="registration_open", consequence="note"
    ),
    choice(
        "event_status",
        "State of the event; empty when it is none that is known.",
        ("upcoming", "ongoing", "completed", "cancelled"),
        path="status",
        consequence="note",
    ),
    boolean("is_featured", "Shown first in the app.", consequence="note"),
    boolean("is_archived", "Put away by the club.", consequence="note"),
    text("club_id", "Publishing club.", max_length=200, consequence="note"),
    text("category_id", "Category.", max_length=200, consequence="note"),
    choice("registration_method", "Where people register.", ("internal", "external", "both"), consequence="note"),
    choice("participation_type", "Who takes part.", ("individual", "team", "both"), consequence="note"),
    boolean("is_paid", "Whether a fee is due.", path="requires_payment", consequence="note"),
    amount("fee_minor", "Fee in minor units.", path="payment_amount"),
    json_text("custom_fields", "Definitions of the event's own questions, JSON.", consequence="note"),
    text("google_sheet_id", "Spreadsheet of the event.", max_length=200, consequence="note"),
    timestamp("last_synced_at", "Last export to the sheet.", path="last_sync_at", consequence="note"),
    CREATED,
    UPDATED,
)

REGISTRATIONS = _staging(
    "registrations",
    "one row per registration document",
    ("registration_id",),
    "Registrations as students made them; anyone can write these, so every field is checked.",
    document_key("registration_id", "Push id of the registration."),
    text("event_id", "Event registered for; may name an event that was deleted.", max_length=200, nullable=False),
    text("participant_name", "Name as typed.", personal=True, max_length=300),
    email(
        "participant_email",
        "Address in its compared form: lower case, domain as DNS has it; the person is known by it.",
    ),
    phone("participant_phone", "Number, E.164."),
    text("student_id", "Student id.", path="participant_id", personal=True, max_length=100, consequence="note"),
    choice("registration_status", "State of the registration.", ("registered", "attended", "cancelled"), path="status"),
    choice("registration_type", "How they take part.", ("individual", "team", "solo"), consequence="note"),
    text("department", "Department as typed.", path="additional_info.department", max_length=200, consequence="note"),
    text("year_of_study", "Year of study as typed.", path="additional_info.year", max_length=50, consequence="note"),
    text("team_type", "Kind of team.", path="additional_info.team_type", max_length=50, consequence="note"),
    text("team_name", "Name of the team.", path="additional_info.team_name", max_length=300, consequence="note"),
    json_text(
        "team_members",
        "Members besides the lead, JSON: a list, or an object of them.",
        path="additional_info.team_members",
        personal=True,
        consequence="note",
    ),
    json_text(
        "custom_fields",
        "Answers to the event's questions, JSON.",
        path="additional_info.custom_fields",
        personal=True,
        consequence="note",
    ),
    choice("payment_status", "State of the hand-checked payment.", ("pending", "verified", "rejected")),
    amount("amount_minor", "Amount paid in minor units.", path="payment_amount"),
    url("payment_screenshot_url", "Proof of payment."),
    json_text("qr_code_data", "QR code sent to the participant, JSON.", personal=True, consequence="note"),
    timestamp("qr_code_generated_at", "When the QR code was made.", consequence="note"),
    choice("attendance_status", "Attendance as the app marked it.", ("not_attended", "attended")),
    timestamp("attended_at", "Attendance time as the app wrote it.", path="attendance_timestamp", consequence="note"),
    timestamp(
        "registered_at",
        "When they registered; creation time where the app forgot it.",
        path="registration_date",
        consequence="note",
    ),
    CREATED,
    UPDATED,
    Column(
        "team_size",
        "int64",
        "People in the registration: the lead, the members, and the members that they bring along. Holes in a list are "
        "nobody; a member who has the lead's name, and their address or student id, is the lead.",
        nullable=False,
        minimum=1,
        maximum=1_000,
    ),
)

TAGS = _staging(
    "tags", "one row per tag", ("tag_id",), "Tags of events.",
    document_key("tag_id", "Push id of the tag."),
    text("tag_name", "Name.", path="name"),
    text("color", "Colour as #rrggbb.", max_length=32, consequence="note"),
)  # fmt: skip

EVENT_TAGS = _staging(
    "event_tags", "one row per event and tag", ("event_tag_id",), "Which tags an event has.",
    document_key("event_tag_id", "{event_id}_{tag_id} as the app writes it."),
    text("event_id", "The event.", max_length=200, nullable=False),
    text("tag_id", "The tag.", max_length=200, nullable=False),
)  # fmt: skip

CLUB_REQUESTS = _staging(
    "club_requests", "one row per request", ("club_request_id",), "Requests to become a club.",
    document_key("club_request_id", "Push id of the request."),
    text("club_name", "Name asked for."),
    text("contact_person", "Who asks.", personal=True),
    email("contact_email", "Their address."),
    phone("contact_phone", "Their number, E.164."),
    text("description", "Why.", max_length=20_000),
    choice("request_status", "State of the request.", ("pending", "approved", "rejected"), path="status"),
    CREATED,
    UPDATED,
)  # fmt: skip

EVENT_LIVE_UPDATES = _staging(
    "event_live_updates", "one row per update", ("live_update_id",), "Announcements during an event.",
    document_key("live_update_id", "{event_id}/{push id}."),
    text("message", "Text.", max_length=20_000),
    text("update_type", "Kind of announcement.", path="type", max_length=100, consequence="note"),
    timestamp("posted_at", "When it was posted.", path="timestamp", consequence="note"),
    boolean("is_pinned", "Kept on top.", consequence="note"),
    Column("event_id", "string", "The event, from the document's path.", nullable=False),
)  # fmt: skip

EVENT_CHAT = _staging(
    "event_chat", "one row per message", ("chat_message_id",), "Chat messages of an event.",
    document_key("chat_message_id", "{event_id}/{push id}."),
    text("message", "Text.", personal=True, max_length=20_000),
    text("nickname", "Name shown.", personal=True, max_length=300, consequence="note"),
    text("user_hash", "The app's own hash of the writer.", personal=True, max_length=300, consequence="note"),
    timestamp("posted_at", "When it was posted.", path="timestamp", consequence="note"),
    text("message_type", "Kind of message.", max_length=100, consequence="note"),
    boolean("is_moderated", "Removed by a moderator.", consequence="note"),
    integer("reported_count", "How often it was reported.", minimum=0, maximum=10_000_000, consequence="note"),
    Column("event_id", "string", "The event, from the document's path.", nullable=False),
)  # fmt: skip

STAGING_FIREBASE = {
    contract.table: contract
    for contract in (
        CLUBS, CATEGORIES, EVENTS, REGISTRATIONS, TAGS, EVENT_TAGS, CLUB_REQUESTS, EVENT_LIVE_UPDATES, EVENT_CHAT,
    )
}  # fmt: skip
"""Staging contract by the app's collection name."""
