"""SendGrid's signed event webhook: a list of events under an ECDSA signature of the timestamp and the raw body."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson

from event_pipeline.inbound.delivery import Accepted, Delivery, Record, Refused, text_of
from event_pipeline.inbound.machines import is_machine
from event_pipeline.inbound.recipients import header_recipients, recipients
from event_pipeline.inbound.records import content_id, email_events, epoch_instant, unmapped
from event_pipeline.inbound.signatures import base64_bytes, require_recent, signed_time, wrong_signature
from event_pipeline.settings import Inbound

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

_SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
_TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

EVENTS = {
    "processed": "sent",
    "delivered": "delivered",
    "deferred": "deferred",
    "bounce": "bounce",
    "dropped": "dropped",
    "open": "open",
    "click": "click",
    "spamreport": "spam_report",
    "unsubscribe": "unsubscribe",
    "group_unsubscribe": "unsubscribe",
}
"""SendGrid's words for what happened to a mail, and ours."""


class SendGrid:
    """``POST /webhooks/email/sendgrid``. Ids travel as custom arguments."""

    name, setting = "sendgrid", "inbound.sendgrid_public_keys"

    def __init__(self, settings: Inbound) -> None:
        self._settings = settings

    @property
    def is_set_up(self) -> bool:
        """Whether a public key is there."""
        return bool(self._settings.sendgrid_public_keys)

    def accept(self, delivery: Delivery) -> Accepted:
        """One record an event of the batch and recipient. Raises Refused."""
        signature, timestamp = delivery.header(_SIGNATURE), delivery.header(_TIMESTAMP)
        tolerance = timedelta(seconds=self._settings.clock_tolerance_seconds)
        require_recent(signed_time(timestamp), delivery.received_at, tolerance, tolerance)
        if not self._is_signed(signature, timestamp.encode() + delivery.body):
            raise wrong_signature(self.setting)
        events = delivery.json()
        if not isinstance(events, list):
            raise Refused("invalid", "the body must be a list of events")
        return Accepted(
            [record for event in events for record in _records(delivery, event)], f"{timestamp}.{signature}"
        )

    def _is_signed(self, signature: str, signed: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        given = base64_bytes(signature)
        if given is None:
            return False
        for text in self._settings.sendgrid_public_keys:
            try:
                _public_key(text).verify(given, signed, ECDSA(SHA256()))
            except InvalidSignature:
                continue
            return True
        return False


def _public_key(text: str) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    key = load_der_public_key(base64.b64decode(text))
    if not isinstance(key, EllipticCurvePublicKey):
        raise TypeError("inbound.sendgrid_public_keys holds a key of another kind")
    return key


def _records(delivery: Delivery, event: Any) -> list[Record]:
    raw = orjson.dumps(event).decode()
    if not isinstance(event, dict):
        return [unmapped(delivery, "sendgrid", content_id(event), None, raw)]
    event_id = text_of(event.get("sg_event_id")) or content_id(event)
    word = EVENTS.get(text_of(event.get("event")) or "")
    if word is None:
        return [unmapped(delivery, "sendgrid", event_id, event.get("event"), raw)]
    # What follows the first dot is SendGrid's own routing, another for each recipient.
    message_id = (text_of(event.get("sg_message_id")) or "").split(".")[0] or event.get("smtp-id")
    return email_events(
        delivery, "sendgrid", event_id, word,
        occurred_at=epoch_instant(event.get("timestamp")),
        emails=recipients(event.get("email"), event.get("to"), header_recipients(event.get("headers"))),
        message_id=message_id, about=event, raw=raw,
        by_machine=is_machine(event, user_agent=event.get("useragent")),
    )  # fmt: skip
