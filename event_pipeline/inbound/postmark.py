"""Postmark's webhooks: known by a password or a header that you choose, for Postmark signs nothing."""

from __future__ import annotations

from typing import Any

from event_pipeline.inbound.delivery import Accepted, Delivery, Record, Refused, object_of, text_of
from event_pipeline.inbound.machines import is_machine
from event_pipeline.inbound.recipients import header_recipients, recipients
from event_pipeline.inbound.records import content_id, email_events, unmapped
from event_pipeline.inbound.signatures import base64_bytes, require_match
from event_pipeline.settings import Inbound

_HEADER = "x-webhook-token"

EVENTS = {
    "Delivery": ("delivered", "DeliveredAt", "Recipient"),
    "Open": ("open", "ReceivedAt", "Recipient"),
    "Click": ("click", "ReceivedAt", "Recipient"),
    "SpamComplaint": ("spam_report", "BouncedAt", "Email"),
}
"""By Postmark's RecordType: our word, and which fields hold the time and the address."""

BOUNCES = {
    **dict.fromkeys(
        ("HardBounce", "SoftBounce", "BadEmailAddress", "Blocked", "SMTPApiError", "DMARCPolicy", "Unknown"), "bounce"
    ),
    **dict.fromkeys(("Transient", "DnsError"), "deferred"),
    **dict.fromkeys(("ManuallyDeactivated", "Unconfirmed", "TemplateRenderingFailed"), "dropped"),
    **dict.fromkeys(("SpamNotification", "SpamComplaint"), "spam_report"),
    "Unsubscribe": "unsubscribe",
}
"""Our word by the type of a bounce."""


class Postmark:
    """``POST /webhooks/email/postmark``. Ids travel as metadata, the mail's kind as its tag.

    Nothing of a request says when it was sent, so that a replay cannot be told from a retry; neither counts twice.
    """

    name, setting = "postmark", "inbound.postmark_secrets"

    def __init__(self, settings: Inbound) -> None:
        self._settings = settings

    @property
    def is_set_up(self) -> bool:
        """Whether a secret is there."""
        return bool(self._settings.postmark_secrets)

    def accept(self, delivery: Delivery) -> Accepted:
        """The records of the one event, one a recipient. Raises Refused."""
        expected = [secret.get_secret_value().encode() for secret in self._settings.postmark_secrets]
        require_match([_sent(delivery)], expected, self.setting)
        return Accepted(_records(delivery, delivery.json_object()))


def _sent(delivery: Delivery) -> bytes:
    token = delivery.headers.get(_HEADER)
    if token:
        return token.encode("latin-1", "replace")
    scheme, _, credentials = delivery.headers.get("authorization", "").partition(" ")
    decoded = base64_bytes(credentials.strip()) if scheme.lower() == "basic" else None
    if decoded is None:
        raise Refused("wrong-signature", "send the secret as basic authentication's password or as X-Webhook-Token")
    return decoded.partition(b":")[2]


def _records(delivery: Delivery, event: dict[str, Any]) -> list[Record]:
    event_id = content_id(event)
    word, at, address = _meaning(event)
    if word is None:
        return [unmapped(delivery, "postmark", event_id, event.get("RecordType"), delivery.text)]
    return email_events(
        delivery, "postmark", event_id, word,
        occurred_at=text_of(event.get(at)),
        emails=recipients(
            event.get(address), event.get("Recipient"), event.get("Recipients"), event.get("Email"), event.get("To"),
            header_recipients(event.get("Headers")), header_recipients(event.get("MessageHeaders")),
        ),
        message_id=event.get("MessageID"),
        about={"mail_type": event.get("Tag")} | object_of(event.get("Metadata")), raw=delivery.text,
        by_machine=is_machine(event, object_of(event.get("Client")), user_agent=event.get("UserAgent")),
    )  # fmt: skip


def _meaning(event: dict[str, Any]) -> tuple[str | None, str, str]:
    """Our word, the field with the time, the field with the address."""
    kind = text_of(event.get("RecordType")) or ""
    if kind == "Bounce":
        return BOUNCES.get(text_of(event.get("Type")) or ""), "BouncedAt", "Email"
    if kind == "SubscriptionChange":
        # Suppressions after bounces and complaints repeat what those events say.
        is_left = event.get("SuppressSending") is True and event.get("SuppressionReason") == "ManualSuppression"
        return "unsubscribe" if is_left else None, "ChangedAt", "Recipient"
    return EVENTS.get(kind, (None, "", ""))
