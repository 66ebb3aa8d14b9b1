"""Every collection's records: what they hold, and which of them are refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from event_pipeline_tests.oracle.documents import Document, Documents
from event_pipeline_tests.oracle.fields import MAX_AMOUNT, Field, Row, read_record
from event_pipeline_tests.oracle.organisation import Organisation

_CREATED, _UPDATED = Field("created_at", "instant", is_noted=True), Field("updated_at", "instant", is_noted=True)
_NAME = Field("participant_name", "text", max_length=300)
_TYPES, _STATUSES = ("individual", "team", "solo"), ("registered", "attended", "cancelled")
_MOST = 10_000_000

CLUBS = {
    "club_name": Field("name", "text"),
    "description": Field("description", "text", max_length=20_000),
    "contact_email": Field("contact_email", "email"),
    "website": Field("website", "text", is_noted=True),
    "created_at": _CREATED,
}
CATEGORIES = {
    "category_name": Field("name", "text"),
    "color": Field("color", "text", is_noted=True, max_length=32),
}
TAGS = {"tag_name": Field("name", "text"), "color": Field("color", "text", is_noted=True, max_length=32)}
EVENT_TAGS = {
    "event_id": Field("event_id", "text", is_required=True, max_length=200),
    "tag_id": Field("tag_id", "text", is_required=True, max_length=200),
}
EVENTS = {
    "title": Field("title", "text", is_noted=True),
    "starts_at": Field("start_date", "instant", is_noted=True),
    "ends_at": Field("end_date", "instant", is_noted=True),
    "location": Field("location", "text", is_noted=True),
    "min_participants": Field("min_participants", "integer", is_noted=True, minimum=0, maximum=_MOST),
    "capacity": Field("max_participants", "integer", is_noted=True, minimum=0, maximum=_MOST),
    "registration_deadline_at": Field("registration_deadline", "instant", is_noted=True),
    # A state that nobody knows costs the state, not the event.
    "event_status": Field("status", "choice", is_noted=True, allowed=("upcoming", "ongoing", "completed", "cancelled")),
    "is_featured": Field("is_featured", "boolean", is_noted=True),
    "is_archived": Field("is_archived", "boolean", is_noted=True),
    "club_id": Field("club_id", "text", is_noted=True, max_length=200),
    "category_id": Field("category_id", "text", is_noted=True, max_length=200),
    "registration_method": Field(
        "registration_method", "choice", is_noted=True, allowed=("internal", "external", "both")
    ),
    "participation_type": Field("participation_type", "choice", is_noted=True, allowed=("individual", "team", "both")),
    "is_paid": Field("requires_payment", "boolean", is_noted=True),
    "fee_minor": Field("payment_amount", "amount", minimum=0, maximum=MAX_AMOUNT),
    "google_sheet_id": Field("google_sheet_id", "text", is_noted=True, max_length=200),
    "created_at": _CREATED,
}
REGISTRATIONS = {
    "event_id": Field("event_id", "text", is_required=True, max_length=200),
    "name": _NAME,
    "email": Field("participant_email", "email", max_length=320),
    "phone": Field("participant_phone", "phone", is_noted=True),
    "student_id": Field("participant_id", "text", is_noted=True, max_length=100),
    "registration_status": Field("status", "choice", allowed=_STATUSES),
    "registration_type": Field("registration_type", "choice", is_noted=True, allowed=_TYPES),
    "department": Field("additional_info.department", "text", is_noted=True, max_length=200),
    "year_of_study": Field("additional_info.year", "text", is_noted=True, max_length=50),
    "team_members": Field("additional_info.team_members", "json", is_noted=True, max_length=200_000),
    "payment_status": Field("payment_status", "choice", allowed=("pending", "verified", "rejected")),
    "amount_minor": Field("payment_amount", "amount", minimum=0, maximum=MAX_AMOUNT),
    "attendance_status": Field("attendance_status", "choice", allowed=("not_attended", "attended")),
    "attended_at": Field("attendance_timestamp", "instant", is_noted=True),
    "registered_at": Field("registration_date", "instant", is_noted=True),
    "created_at": _CREATED,
    "updated_at": _UPDATED,
}
SHEET_ROWS = {
    "spreadsheet_id": Field("spreadsheet_id", "text", is_required=True, max_length=200),
    "event_id": Field("event_id", "text", max_length=200),
    "worksheet": Field("worksheet", "text", is_required=True, max_length=200),
    "is_export_error": Field("is_export_error", "boolean", is_noted=True),
    "name": Field("fields.name", "text", is_noted=True, max_length=300),
    "email": Field("fields.email", "email", is_noted=True, max_length=320),
    "phone": Field("fields.phone", "phone", is_noted=True),
    "student_id": Field("fields.student_id", "text", is_noted=True, max_length=200),
    "department": Field("fields.department", "text", is_noted=True, max_length=200),
    "year_of_study": Field("fields.year", "text", is_noted=True, max_length=50),
    "registration_type": Field("fields.registration_type", "choice", is_noted=True, allowed=_TYPES),
    "registration_status": Field("fields.registration_status", "choice", is_noted=True, allowed=_STATUSES),
    "attendance_status": Field(
        "fields.attendance_status", "choice", is_noted=True, allowed=("not_attended", "attended")
    ),
    "attended_at": Field("fields.attendance_time", "instant", is_noted=True),
    "registered_at": Field("fields.registration_date", "instant", is_noted=True),
    "payment_mark": Field(
        "fields.payment_verified", "choice", is_noted=True, allowed=("yes", "no", "verified", "pending", "rejected")
    ),
    "amount_minor": Field("fields.payment_amount", "amount", is_noted=True, minimum=0, maximum=MAX_AMOUNT),
    "notes": Field("fields.notes", "text", is_noted=True, max_length=10_000),
}
SCANS = {
    "qr_text": Field("qr_code_data", "verbatim", is_noted=True, max_length=5_000),
    "scanned_at": Field("scanned_at", "instant", is_noted=True),
    "scanner_id": Field("scanner_id", "text", is_noted=True, max_length=200),
    "received_at": Field("received_at", "instant", is_noted=True),
    "door_event_id": Field("event_id", "text", is_noted=True, max_length=200),
    "is_override": Field("override", "boolean", is_noted=True),
}
MAIL_WORDS = ("sent", "delivered", "deferred", "bounce", "dropped", "open", "click", "spam_report", "unsubscribe")
EMAIL_EVENTS = {
    "provider": Field("provider", "text", is_required=True, max_length=100),
    "message_id": Field("message_id", "text", is_noted=True),
    "registration_id": Field("registration_id", "text", max_length=200),
    "event_id": Field("event_id", "text", max_length=200),
    "email": Field("email", "email", max_length=320),
    "mail_type": Field("mail_type", "text", is_noted=True, max_length=100),
    "email_event": Field("event", "choice", is_required=True, allowed=MAIL_WORDS),
    "is_machine": Field("is_machine", "boolean", is_noted=True),
    "occurred_at": Field("occurred_at", "instant", is_required=True),
}
PAYMENT_EVENTS = {
    "provider": Field("provider", "text", is_required=True, max_length=100),
    "payment_id": Field("payment_id", "text", is_required=True, max_length=300),
    "registration_id": Field("registration_id", "text", max_length=200),
    "event_id": Field("event_id", "text", max_length=200),
    "status": Field("status", "choice", is_required=True, allowed=("pending", "succeeded", "failed", "refunded")),
    "amount_minor": Field("amount_minor", "integer", is_required=True, minimum=0, maximum=MAX_AMOUNT),
    "currency": Field("currency", "text", max_length=10),
    "occurred_at": Field("occurred_at", "instant", is_required=True),
}


class Records:
    """The records of all collections that are not refused, by document id."""

    def __init__(self, documents: Documents, organisation: Organisation) -> None:
        self._documents, self._organisation = documents, organisation
        self.clubs = self._read("clubs", CLUBS)
        self.categories = self._read("categories", CATEGORIES)
        self.tags = self._read("tags", TAGS)
        self.event_tags = self._read("event_tags", EVENT_TAGS)
        self.events = self._read("events", EVENTS)
        self.registrations = self._read("registrations", REGISTRATIONS)
        self.sheet_rows = self._read("sheet_rows", SHEET_ROWS)
        self.scans = self._read("scans", SCANS)
        self.email_events = self._read("email_events", EMAIL_EVENTS)
        for row in self.registrations.values():
            row["team_size"] = 1 + len(members(row["team_members"]))
            if row["content"].get("registration_date") in (None, ""):
                row["registered_at"] = row["created_at"]
        self.registrations = {key: row for key, row in self.registrations.items() if row["team_size"] <= 1_000}
        self._give_sheets_their_events()

    def versions_of_registrations(self) -> Mapping[str, list[Document]]:
        """All versions of each registration, the oldest first."""
        return self._documents.history("registrations")

    def versions_of_sheet_rows(self) -> Mapping[str, list[Document]]:
        """All versions of each sheet row, the oldest first."""
        return self._documents.history("sheet_rows")

    def payment_documents(self) -> Mapping[str, Document]:
        """Reported payment events at their latest version."""
        return self._documents.latest("payment_events")

    def _read(self, collection: str, fields: Mapping[str, Field]) -> dict[str, Row]:
        found = {}
        for key, document in self._documents.latest(collection).items():
            row = read_record(document.content, fields, self._organisation)
            if row is not None:
                found[key] = {**row, "content": document.content, "version_at": document.version_at}
        return found

    def _give_sheets_their_events(self) -> None:
        owners: dict[str, str] = {}
        for event_id, event in sorted(self.events.items()):
            if event["google_sheet_id"] is not None:
                owners.setdefault(event["google_sheet_id"], event_id)
        for row in self.sheet_rows.values():
            row["event_id"] = row["event_id"] or owners.get(row["spreadsheet_id"])


_TEAMS = ("team_members", "teamMembers", "members")
_OF_A_PERSON = frozenset({"name", "email", "phone", "rollNumber", "student_id", "department", "year"})
_OF_A_MEMBER = _OF_A_PERSON | set(_TEAMS)
_NOBODY = frozenset({"", "-", "n/a", "none", "nil", "null"})


def members(text: str | None) -> list[Any]:
    """Members of a team besides its lead: of a list with or without holes, or of an object keyed by number or push id.

    A member with a team of their own brings its members along.
    """
    return list(_members(None if text is None else json.loads(text)))


def _members(content: Any) -> Iterator[Any]:
    if isinstance(content, dict) and content.keys() & _OF_A_MEMBER:
        content = [content]
    entries = content.values() if isinstance(content, dict) else content or []
    for entry in entries:
        if entry is None or (isinstance(entry, str) and entry.strip().lower() in _NOBODY):
            continue
        is_team = isinstance(entry, dict) and entry.keys() & set(_TEAMS) and not entry.keys() & _OF_A_PERSON
        if not is_team:
            yield entry
        if isinstance(entry, dict):
            for name in _TEAMS:
                yield from _members(entry.get(name))
