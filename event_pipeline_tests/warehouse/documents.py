"""Small real documents of the app and its helpers, each complete; tests change what they are about."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from event_pipeline.sources.change import Change
from event_pipeline.sources.documents import encode_document
from event_pipeline.sources.qr import QR_TYPE, QR_VERSION, qr_checksum, signed_text

SEEN = datetime(2025, 6, 20, tzinfo=UTC)
"""When changes are seen unless a test says otherwise."""

SHEET = "sheet-of-event-e1"
ABSENT = object()
"""Leaves a field out of a document."""


def _document(fields: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**fields, **more}.items() if value is not ABSENT}


def event(**more: Any) -> dict[str, Any]:
    """A free event at 10 o'clock on 2025-06-08, Indian time."""
    fields = {
        "title": "Robo Wars 2025",
        "start_date": "2025-06-08T04:30:00.000Z",
        "end_date": "2025-06-08T12:30:00.000Z",
        "status": "completed",
        "club_id": "c1",
        "category_id": "k1",
        "requires_payment": False,
        "created_at": "2025-05-01T00:00:00.000Z",
    }
    return _document(fields, more)


def registration(person: str = "asha", **more: Any) -> dict[str, Any]:
    """A registration for event e1, a week ahead."""
    fields = {
        "event_id": "e1",
        "participant_name": person.title(),
        "participant_email": f"{person}@example.org",
        "participant_phone": "+91 98765-43210",
        "status": "registered",
        "registration_type": "individual",
        "attendance_status": "not_attended",
        "registration_date": "2025-06-01T02:55:00.000Z",
        "created_at": "2025-06-01T02:55:00.000Z",
        "updated_at": "2025-06-02T02:55:00.000Z",
    }
    return _document(fields, more)


def club(**more: Any) -> dict[str, Any]:
    """A club."""
    fields = {
        "name": "Robotics",
        "description": "We build robots.",
        "contact_email": "robotics@example.org",
        "contact_phone": "+91 98765-43210",
        "website": "https://robotics.example.org",
        "created_at": "2025-01-01T00:00:00.000Z",
    }
    return _document(fields, more)


def club_request(**more: Any) -> dict[str, Any]:
    """A request to become a club."""
    fields = {
        "club_name": "Chess",
        "contact_person": "Mina",
        "contact_email": "mina@example.org",
        "contact_phone": "9876543210",
        "description": "We play.",
        "status": "pending",
    }
    return _document(fields, more)


def chat_message(**more: Any) -> dict[str, Any]:
    """A message in an event's chat."""
    fields = {
        "message": "Where is the gate?",
        "nickname": "asha",
        "user_hash": "5f1c",
        "timestamp": "2025-06-08T04:00:00.000Z",
        "message_type": "text",
        "is_moderated": False,
        "reported_count": 0,
    }
    return _document(fields, more)


def live_update(**more: Any) -> dict[str, Any]:
    """An announcement during an event."""
    fields = {"message": "Doors open", "type": "info", "timestamp": "2025-06-08T04:00:00.000Z", "is_pinned": True}
    return _document(fields, more)


def qr_code(
    registration_id: str, person: str = "asha", event_id: str = "e1", made_at: int = 1_748_746_500_000, **more: Any
) -> str:
    """The text of a participant's code."""
    email = f"{person}@example.org"
    code = {
        "type": QR_TYPE,
        "registrationId": registration_id,
        "eventId": event_id,
        "email": email,
        "timestamp": made_at,
        "hash": qr_checksum(signed_text(registration_id, event_id, email, made_at)),
        "version": QR_VERSION,
        **more,
    }
    return json.dumps(code)


def scan(code: str, scanned_at: str = "2025-06-08T04:40:00.000Z", scanner_id: str = "gate-1") -> dict[str, Any]:
    """A scan as a phone uploads it."""
    return {"type": "scan", "qr_code_data": code, "scanned_at": scanned_at, "scanner_id": scanner_id}


def sheet_row(person: str | None = "asha", *, worksheet: str = "Registrations", **fields: str) -> dict[str, Any]:
    """A row of event e1's sheet; ``fields`` are its cells by field name."""
    who = {} if person is None else {"name": person.title(), "email": f"{person}@example.org"}
    return {
        "spreadsheet_id": SHEET,
        "event_id": "e1",
        "worksheet": worksheet,
        "row_number": 4,
        "fields": {**who, **fields},
        "custom_fields": {},
    }


def payment_event(registration_id: str | None, status: str = "succeeded", amount: int = 15_000, **more: Any) -> Any:
    """What a payment provider reports; amounts in minor units."""
    fields = {
        "type": "payment_event",
        "provider": "razorpay",
        "payment_id": f"pay_{registration_id}",
        "registration_id": registration_id,
        "event_id": "e1",
        "status": status,
        "amount_minor": amount,
        "currency": "INR",
        "occurred_at": "2025-06-03T00:00:00.000Z",
    }
    return _document(fields, more)


def email_event(registration_id: str | None, person: str = "asha", event: str = "delivered", **more: Any) -> Any:
    """What a mail provider reports."""
    fields = {
        "type": "email_event",
        "provider": "sendgrid",
        "message_id": f"m-{registration_id}",
        "registration_id": registration_id,
        "event_id": "e1",
        "email": f"{person}@example.org",
        "mail_type": "qr_code",
        "event": event,
        "occurred_at": "2025-06-01T03:00:00.000Z",
    }
    return _document(fields, more)


_SOURCES = {"sheet_rows": "google_sheets", "scans": "inbox", "email_events": "inbox", "payment_events": "inbox"}


def changed(collection: str, document_id: str, document: Any, *, after: float = 0, source: str | None = None) -> Change:
    """The document as it was seen ``after`` so many seconds; None is a delete."""
    observed_at = SEEN + timedelta(seconds=after)
    source = source or _SOURCES.get(collection, "firestore")
    if document is None:
        return Change.delete(source, collection, document_id, observed_at)
    return Change.upsert(source, collection, document_id, encode_document(document), observed_at)


def changes_of(collection: str, documents: dict[str, Any]) -> list[Change]:
    """Each document as seen once."""
    return [changed(collection, document_id, document) for document_id, document in documents.items()]
