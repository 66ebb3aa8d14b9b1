"""Stripe's webhooks: ``Stripe-Signature: t=..,v1=..`` over the timestamp and the raw body."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from event_pipeline.inbound.delivery import Accepted, Delivery, Record, Refused, object_of, text_of
from event_pipeline.inbound.records import content_id, epoch_instant, payment_event, unmapped
from event_pipeline.inbound.signatures import hmac_sha256, require_match, require_recent, signed_time
from event_pipeline.inbound.stripe_amounts import iso_minor_units
from event_pipeline.inbound.stripe_states import state_of
from event_pipeline.settings import Inbound


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
    state = state_of(said, thing, object_of(event["data"].get("previous_attributes")))
    if state is None:
        return unmapped(delivery, "stripe", event_id, said, delivery.text)
    currency, at = thing.get("currency"), epoch_instant(event.get("created"))
    try:
        amount, captured, refunded, returned = (
            iso_minor_units(value, currency) for value in (state.amount, state.captured, state.refunded, state.returned)
        )
    except ValueError as not_whole:
        # Rounded it would be another amount: with the reason in its place, the event is refused by the tables.
        amount, captured, refunded, returned = str(not_whole), None, None, None
    about = {"registration_id": thing.get("client_reference_id")} | object_of(thing.get("metadata"))
    return payment_event(
        delivery, "stripe", event_id, state.status,
        payment_id=state.payment_id, amount_minor=amount, currency=currency,
        occurred_at=at, about=about, raw=delivery.text,
        state={
            "object": state.object, "object_id": text_of(thing.get("id")), "captured_minor": captured,
            "refunded_minor": refunded, "returned_minor": returned, "state_order": state.order,
            "paid_at": at if state.is_payment and captured else None,
            "object_created_at": epoch_instant(thing.get("created")),
        },
    )  # fmt: skip
