"""Mail: what the providers report, each thing once, and how far registrations came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.organisation import UNKNOWN, Organisation
from event_pipeline_tests.oracle.records import Records
from event_pipeline_tests.oracle.registrations import Registration


def rows(records: Records, known: Mapping[str, Registration], organisation: Organisation) -> list[Row]:
    """``core.fact_email_events``."""
    return [_row(key, row, records, known, organisation) for key, row in records.email_events.items()]


def _row(key: str, row: Row, records: Records, known: Mapping[str, Registration], organisation: Organisation) -> Row:
    registration = known.get(row["registration_id"] or "")
    named = row["event_id"] if row["event_id"] in records.events else UNKNOWN
    return {
        "email_event_id": key,
        "message_id": row["message_id"],
        "registration_id": registration.registration_id if registration else None,
        "event_id": registration.event_id if registration else named,
        "user_id": organisation.user(registration.email if registration else row["email"]),
        "provider": row["provider"],
        "mail_type": row["mail_type"],
        "email_event": row["email_event"],
        "is_machine": row["is_machine"] is True and row["email_event"] in ("open", "click"),
        "occurred_at": row["occurred_at"],
        "occurred_date": organisation.day(row["occurred_at"]),
    }


def reached(mails: Iterable[Row]) -> dict[str, set[str]]:
    """By registration, what was reported of any of its mails; what machines opened is only delivered."""
    found: dict[str, set[str]] = {}
    for mail in mails:
        if mail["registration_id"] is not None:
            word = "delivered" if mail["is_machine"] else mail["email_event"]
            found.setdefault(mail["registration_id"], set()).add(word)
    return found
