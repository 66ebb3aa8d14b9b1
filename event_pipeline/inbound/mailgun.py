"""Mailgun's webhooks: a signature of timestamp and token inside the body, which covers nothing else of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from event_pipeline.inbound.delivery import Accepted, Delivery, Record, Refused, object_of, text_of
from event_pipeline.inbound.machines import is_machine
from event_pipeline.inbound.recipients import header_recipients, recipients
from event_pipeline.inbound.records import content_id, email_events, epoch_instant, unmapped
from event_pipeline.inbound.signatures import hmac_sha256, require_match, require_recent, signed_time
from event_pipeline.settings import Inbound

EVENTS = {
    "accepted": "sent",
    "delivered": "delivered",
    "rejected": "dropped",
    "opened": "open",
    "clicked": "click",
    "complained": "spam_report",
    "unsubscribed": "unsubscribe",
}
"""Mailgun's words for what happened to a mail, and ours; ``failed`` depends on its severity and reason."""

_SUPPRESSED = frozenset({"suppress-bounce", "suppress-complaint", "suppress-unsubscribe"})


class Mailgun:
    """``POST /webhooks/email/mailgun``. Ids travel as user variables. A token is accepted once."""

    name, setting = "mailgun", "inbound.mailgun_signing_keys"

    def __init__(self, settings: Inbound) -> None:
        self._settings = settings

    @property
    def is_set_up(self) -> bool:
        """Whether a signing key is there."""
        return bool(self._settings.mailgun_signing_keys)

    def accept(self, delivery: Delivery) -> Accepted:
        """The records of the one event, one a recipient. Raises Refused."""
        content = delivery.json_object()
        signature = object_of(content.get("signature"))
        timestamp, token, given = (text_of(signature.get(name)) for name in ("timestamp", "token", "signature"))
        if not (timestamp and token and given):
            raise Refused("wrong-signature", "the body has no signature with timestamp, token and signature")
        tolerance = timedelta(seconds=self._settings.clock_tolerance_seconds)
        require_recent(signed_time(timestamp), delivery.received_at, tolerance, tolerance)
        signed = (timestamp + token).encode()
        expected = [hmac_sha256(key, signed).hex().encode() for key in self._settings.mailgun_signing_keys]
        require_match([given.encode()], expected, self.setting)
        event = content.get("event-data")
        if not isinstance(event, dict):
            raise Refused("invalid", "the body must hold event-data, an object")
        return Accepted(_records(delivery, event), token)


def _records(delivery: Delivery, event: dict[str, Any]) -> list[Record]:
    event_id = text_of(event.get("id")) or content_id(event)
    word = _word(event)
    if word is None:
        return [unmapped(delivery, "mailgun", event_id, event.get("event"), delivery.text)]
    message, client = object_of(event.get("message")), object_of(event.get("client-info"))
    headers = object_of(message.get("headers"))
    return email_events(
        delivery, "mailgun", event_id, word,
        occurred_at=epoch_instant(event.get("timestamp")),
        emails=recipients(event.get("recipient"), message.get("recipients"), header_recipients(headers)),
        message_id=headers.get("message-id"),
        about=object_of(event.get("user-variables")), raw=delivery.text,
        by_machine=is_machine(event, client, user_agent=client.get("user-agent")),
    )  # fmt: skip


def _word(event: dict[str, Any]) -> str | None:
    said = text_of(event.get("event")) or ""
    if said != "failed":
        return EVENTS.get(said)
    if event.get("severity") == "temporary":
        return "deferred"
    return "dropped" if text_of(event.get("reason")) in _SUPPRESSED else "bounce"
