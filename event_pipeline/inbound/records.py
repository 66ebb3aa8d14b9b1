"""What providers report, as records of the inbox."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from event_pipeline.inbound.delivery import Delivery, Record, object_of, text_of

_LINKS = {
    "registration_id": ("registration_id", "registrationId"),
    "event_id": ("event_id", "eventId"),
    "mail_type": ("mail_type", "mailType"),
}
"""Names under which the app's own ids travel through a provider's metadata."""


def email_events(
    delivery: Delivery,
    provider: str,
    event_id: str,
    event: str,
    *,
    occurred_at: str | None,
    emails: Sequence[str | None],
    message_id: Any,
    about: Mapping[str, Any],
    raw: str,
    by_machine: bool = False,
) -> list[Record]:
    """A record a recipient of a mail event; the first has the event's own id, the others numbered ones.

    ``about`` is the provider's metadata with the app's ids, ``raw`` what the provider sent of it. ``by_machine`` marks
    opens and clicks that no person made.
    """
    return [
        with_event_key({
            "type": "email_event",
            "provider": provider,
            "provider_event_id": numbered(event_id, number),
            "event": event,
            "email": email,
            "message_id": text_of(message_id),
            "occurred_at": occurred_at,
            "is_machine": by_machine and event in {"open", "click"},
            **links(about),
            "received_at": instant(delivery.received_at),
            "raw": raw,
        })
        for number, email in enumerate(emails)
    ]  # fmt: skip


def with_event_key(record: Record, *, has_own_id: bool = True) -> Record:
    """The record of a mail event with ``event_key``: the same happening has the same, whatever id a retry gives it.

    Made of provider, message, recipient, kind and time. Without a time, or without a message where the sender gives
    each event an id (``has_own_id``), that id has to do.
    """
    message_id, occurred_at = text_of(record.get("message_id")), text_of(record.get("occurred_at"))
    if occurred_at is None or (message_id is None and has_own_id):
        return record
    email = (text_of(record.get("email")) or "").lower()
    parts = [record.get("provider"), message_id, email, record.get("event"), occurred_at]
    return record | {"event_key": content_id(parts)}


def numbered(event_id: str, number: int) -> str:
    """The id of one of several recipients of an event; the first has the event's own."""
    return f"{event_id}:{number}" if number else event_id


def payment_event(
    delivery: Delivery,
    provider: str,
    event_id: str,
    status: str,
    *,
    payment_id: Any,
    amount_minor: Any,
    currency: Any,
    occurred_at: str | None,
    about: Mapping[str, Any],
    raw: str,
    state: Mapping[str, Any],
) -> Record:
    """A payment event; amounts are in ISO 4217's minor units. ``state`` holds the further fields of
    ``staging.payment_events`` by their names in the record: whose state it is, and what came in and went out.
    """
    found = links(about)
    return {
        "type": "payment_event",
        "provider": provider,
        "provider_event_id": event_id,
        "payment_id": text_of(payment_id),
        "status": status,
        "amount_minor": amount_minor,
        "currency": text_of(currency),
        "occurred_at": occurred_at,
        **state,
        "registration_id": found["registration_id"],
        "event_id": found["event_id"],
        "received_at": instant(delivery.received_at),
        "raw": raw,
    }


def unmapped(delivery: Delivery, provider: str, event_id: str, event: Any, raw: str) -> Record:
    """What has no place in the tables: the inbox takes it for no record, so that it shows up in quarantine, whole."""
    return {
        "type": "unmapped_webhook",
        "provider": provider,
        "provider_event_id": event_id,
        "event": text_of(event),
        "received_at": instant(delivery.received_at),
        "raw": raw,
    }


def links(about: Mapping[str, Any]) -> dict[str, str | None]:
    """The app's ids in a provider's metadata, under any of their spellings; lists count by their first element."""
    return {
        name: next((text for key in keys if (text := text_of(_first(about.get(key))))), None)
        for name, keys in _LINKS.items()
    }


def instant(at: datetime) -> str:
    """As inbox records have it: 2026-06-01T09:30:00.000000Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def epoch_instant(seconds: Any) -> str | None:
    """Seconds since 1970, whole or not, number or text; None for what is none."""
    try:
        return instant(datetime.fromtimestamp(float(seconds), UTC))
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def content_id(content: Any) -> str:
    """An id for an event whose provider gives none: the same content has the same."""
    canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()[:40]


def named_values(tags: Any) -> dict[str, Any]:
    """Metadata written as an object, or as a list of objects with name and value."""
    if isinstance(tags, list):
        pairs = [object_of(tag) for tag in tags]
        return {str(pair["name"]): pair.get("value") for pair in pairs if "name" in pair}
    return object_of(tags)


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value
