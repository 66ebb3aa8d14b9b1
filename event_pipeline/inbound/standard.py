"""Webhooks signed as Standard Webhooks says (Svix does too): your own, and Resend's."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import orjson
from pydantic import SecretStr

from event_pipeline.inbound.delivery import Accepted, Delivery, Record, Refused, object_of, text_of
from event_pipeline.inbound.machines import is_machine
from event_pipeline.inbound.recipients import header_recipients, recipients
from event_pipeline.inbound.records import email_events, instant, named_values, numbered, unmapped, with_event_key
from event_pipeline.inbound.signatures import base64_bytes, require_match, require_recent, signed_time
from event_pipeline.settings import Inbound, Webhook

RESEND_EVENTS = {
    "email.sent": "sent",
    "email.delivered": "delivered",
    "email.delivery_delayed": "deferred",
    "email.bounced": "bounce",
    "email.failed": "dropped",
    "email.suppressed": "dropped",
    "email.opened": "open",
    "email.clicked": "click",
    "email.complained": "spam_report",
}
"""Resend's words for what happened to a mail, and ours."""

RECORD_TYPES = frozenset({"scan", "email_event", "payment_event"})
"""What a webhook of one's own may send."""


def prove(delivery: Delivery, secrets: tuple[SecretStr, ...], setting: str, tolerance: timedelta) -> tuple[str, str]:
    """The message's id, the same in every attempt, and the proof of this attempt. Raises Refused."""
    from standardwebhooks import Webhook as Signer

    prefix = "svix" if "svix-id" in delivery.headers else "webhook"
    message_id, timestamp, signatures = (
        delivery.header(f"{prefix}-{name}") for name in ("id", "timestamp", "signature")
    )
    signed_at = signed_time(timestamp)
    require_recent(signed_at, delivery.received_at, tolerance, tolerance)
    versions = [text.partition(",") for text in signatures.split()]
    given = [decoded for version, _, text in versions if version == "v1" and (decoded := base64_bytes(text))]
    try:
        body = delivery.body.decode()
    except UnicodeDecodeError:
        raise Refused("bad-request", "the body must be JSON in UTF-8") from None
    # The library's own check of the time knows one tolerance and one clock, so only its signing is used.
    expected = [
        base64.b64decode(Signer(secret.get_secret_value()).sign(message_id, signed_at, body).partition(",")[2])
        for secret in secrets
    ]
    require_match(given, expected, setting)
    return message_id, f"{message_id}.{timestamp}.{signatures}"


class Resend:
    """``POST /webhooks/email/resend``. Ids travel as tags."""

    name, setting = "resend", "inbound.resend_secrets"

    def __init__(self, settings: Inbound) -> None:
        self._settings = settings

    @property
    def is_set_up(self) -> bool:
        """Whether a secret is there."""
        return bool(self._settings.resend_secrets)

    def accept(self, delivery: Delivery) -> Accepted:
        """One record a recipient. Raises Refused."""
        tolerance = timedelta(seconds=self._settings.clock_tolerance_seconds)
        message_id, proof = prove(delivery, self._settings.resend_secrets, self.setting, tolerance)
        event = delivery.json_object()
        return Accepted(_resend_records(delivery, message_id, event), proof)


def _resend_records(delivery: Delivery, message_id: str, event: dict[str, Any]) -> list[Record]:
    word, data = RESEND_EVENTS.get(text_of(event.get("type")) or ""), object_of(event.get("data"))
    if word is None:
        return [unmapped(delivery, "resend", message_id, event.get("type"), delivery.text)]
    seen = object_of(data.get("click")) or object_of(data.get("open"))
    return email_events(
        delivery, "resend", message_id, word,
        occurred_at=text_of(event.get("created_at")),
        emails=recipients(data.get("to"), header_recipients(data.get("headers"))),
        message_id=data.get("email_id"), about=named_values(data.get("tags")), raw=delivery.text,
        by_machine=is_machine(data, seen, user_agent=seen.get("userAgent") or seen.get("user_agent")),
    )  # fmt: skip


class OwnWebhook:
    """``POST /webhooks/{name}``: records of the inbox, one or a list, each alone or inside ``{"type", "data"}``."""

    def __init__(self, settings: Inbound, webhook: Webhook) -> None:
        self._settings, self._webhook = settings, webhook
        self.name = webhook.name
        self.setting = f"inbound.webhooks ({webhook.name})"

    @property
    def is_set_up(self) -> bool:
        """Always: it exists by its setting."""
        return True

    def accept(self, delivery: Delivery) -> Accepted:
        """One record a record. Raises Refused."""
        tolerance = timedelta(seconds=self._settings.clock_tolerance_seconds)
        message_id, proof = prove(delivery, self._webhook.secrets, self.setting, tolerance)
        content = delivery.json()
        items = content if isinstance(content, list) else [content]
        if not all(isinstance(item, dict) for item in items):
            raise Refused("invalid", "the body must be a record, or a list of them")
        numbers = enumerate(items)
        return Accepted([one for item in numbers for one in self._records(delivery, message_id, *item)], proof)

    def _records(self, delivery: Delivery, message_id: str, number: int, item: dict[str, Any]) -> list[Record]:
        data = item.get("data")
        record = data | {"type": item.get("type")} if isinstance(data, dict) else item
        event_id = text_of(record.get("provider_event_id")) or numbered(message_id, number)
        if text_of(record.get("type")) not in RECORD_TYPES:
            return [unmapped(delivery, self.name, event_id, record.get("type"), orjson.dumps(item).decode())]
        known = {"provider": self.name, "provider_event_id": event_id, "received_at": instant(delivery.received_at)}
        if record.get("type") != "email_event":
            return [record | known]
        emails = recipients(record.get("email"), record.get("to"), header_recipients(record.get("headers")))
        by_machine = is_machine(record, user_agent=record.get("user_agent"))
        mail = record | known | {"is_machine": by_machine and text_of(record.get("event")) in {"open", "click"}}
        has_own_id = text_of(record.get("provider_event_id")) is not None
        return [
            with_event_key(
                mail | {"email": email, "provider_event_id": numbered(event_id, place)}, has_own_id=has_own_id
            )
            for place, email in enumerate(emails)
        ]
