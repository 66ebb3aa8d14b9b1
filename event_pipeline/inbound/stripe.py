"""Stripe's webhooks: ``Stripe-Signature: t=..,v1=..`` over the timestamp and the raw body."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from event_pipeline.inbound.delivery import Accepted, Delivery, Record, Refused, object_of, text_of
from event_pipeline.inbound.records import content_id, epoch_instant, payment_event, unmapped
from event_pipeline.inbound.signatures import hmac_sha256, require_match, require_recent, signed_time
from event_pipeline.settings import Inbound

INTENTS = {
    "payment_intent.created": "pending",
    "payment_intent.processing": "pending",
    "payment_intent.requires_action": "pending",
    "payment_intent.amount_capturable_updated": "pending",
    "payment_intent.succeeded": "succeeded",
    "payment_intent.payment_failed": "failed",
    "payment_intent.canceled": "failed",
}
CHARGES = {
    "charge.pending": "pending",
    "charge.succeeded": "succeeded",
    "charge.captured": "succeeded",
    "charge.failed": "failed",
    "charge.expired": "failed",
    "charge.refunded": "refunded",
}
SESSIONS = {
    "checkout.session.completed": "succeeded",
    "checkout.session.async_payment_succeeded": "succeeded",
    "checkout.session.async_payment_failed": "failed",
    "checkout.session.expired": "failed",
}
DISPUTES = frozenset(
    {
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    }
)
"""Stripe's events that change or concern a payment, and what they say of it."""


class Stripe:
    """``POST /webhooks/payments/stripe``. A payment is its payment intent; ids travel as metadata."""

    name, setting = "stripe", "inbound.stripe_secrets"

    def __init__(self, settings: Inbound) -> None:
        self._settings = settings

    @property
    def is_set_up(self) -> bool:
        """Whether a secret is there."""
        return bool(self._settings.stripe_secrets)

    def accept(self, delivery: Delivery) -> Accepted:
        """The record of the one event. Raises Refused."""
        header = delivery.header("Stripe-Signature")
        pairs = [part.strip().partition("=") for part in header.split(",")]
        timestamp = next((value for name, _, value in pairs if name == "t"), "")
        given = [value.encode() for name, _, value in pairs if name == "v1"]
        tolerance = timedelta(seconds=self._settings.clock_tolerance_seconds)
        require_recent(signed_time(timestamp), delivery.received_at, tolerance, tolerance)
        signed = timestamp.encode() + b"." + delivery.body
        expected = [hmac_sha256(secret, signed).hex().encode() for secret in self._settings.stripe_secrets]
        require_match(given, expected, self.setting)
        event = delivery.json_object()
        if not isinstance(object_of(event.get("data")).get("object"), dict):
            raise Refused("invalid", "the body must be an event with data.object; thin events are not read")
        return Accepted([_record(delivery, event)], header)


def _record(delivery: Delivery, event: dict[str, Any]) -> Record:
    said, thing = text_of(event.get("type")) or "", event["data"]["object"]
    event_id = text_of(event.get("id")) or content_id(event)
    found = _meaning(said, thing, object_of(event["data"].get("previous_attributes")))
    if found is None:
        return unmapped(delivery, "stripe", event_id, said, delivery.text)
    status, payment_id, amount = found
    about = {"registration_id": thing.get("client_reference_id")} | object_of(thing.get("metadata"))
    return payment_event(
        delivery, "stripe", event_id, status,
        payment_id=payment_id, amount_minor=amount, currency=thing.get("currency"),
        occurred_at=epoch_instant(event.get("created")), about=about, raw=delivery.text,
    )  # fmt: skip


def _meaning(said: str, thing: dict[str, Any], before: dict[str, Any]) -> tuple[str, Any, Any] | None:
    """Status, payment and amount; None for what is about no payment."""
    if said in INTENTS:
        status = INTENTS[said]
        return status, thing.get("id"), thing.get("amount_received" if status == "succeeded" else "amount")
    payment_id = _id(thing.get("payment_intent")) or _id(thing.get("charge")) or thing.get("id")
    if said in CHARGES:
        return _charged(CHARGES[said], thing, before, payment_id)
    if said in SESSIONS:
        # A session may be complete while a slow method of payment is not.
        is_waiting = SESSIONS[said] == "succeeded" and thing.get("payment_status") == "unpaid"
        return "pending" if is_waiting else SESSIONS[said], payment_id, thing.get("amount_total")
    if said in DISPUTES:
        is_lost = said == "charge.dispute.closed" and thing.get("status") == "lost"
        return "refunded" if is_lost else "pending", payment_id, thing.get("amount")
    return None


def _charged(status: str, thing: dict[str, Any], before: dict[str, Any], payment_id: Any) -> tuple[str, Any, Any]:
    if status == "refunded":
        # A charge tells what was given back in all; an event must tell what was given back now, or it counts twice.
        returned, earlier = thing.get("amount_refunded"), before.get("amount_refunded")
        now = returned - earlier if isinstance(returned, int) and isinstance(earlier, int) else returned
        return status, payment_id, now
    if status == "succeeded":
        if thing.get("captured") is False:
            return "pending", payment_id, thing.get("amount")
        return status, payment_id, thing.get("amount_captured", thing.get("amount"))
    return status, payment_id, thing.get("amount")


def _id(value: Any) -> str | None:
    """The id of what is referred to, whether by its id or whole."""
    return text_of(value.get("id") if isinstance(value, dict) else value)
