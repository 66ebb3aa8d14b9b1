"""What Stripe reports of payments: amounts, refunds, failures and disputes."""

from __future__ import annotations

from typing import Any

import pytest

from event_pipeline.inbound.delivery import Delivery
from event_pipeline.inbound.stripe import Stripe
from event_pipeline_tests.inbound import senders
from event_pipeline_tests.inbound.senders import INBOUND, NOW, stripe_event

pytestmark = senders.needs_recordings

INTENT = "pi_1PgafyB7WZ01zgkWSjxsAJo3"
CHARGE = "ch_1PgafuB7WZ01zgkWXYmPNZs8"


def record_of(event: dict[str, Any]) -> dict[str, Any]:
    sent = senders.stripe(event)
    headers = {name.lower(): value for name, value in sent.headers.items()}
    (record,) = Stripe(INBOUND).accept(Delivery(sent.body, headers, NOW)).records
    return record


@pytest.mark.parametrize(
    ("kind", "thing", "kind_of_object", "status", "payment_id", "amount", "captured"),
    [
        ("payment_intent.created", {}, "payment", "pending", INTENT, 1099, 0),
        ("payment_intent.processing", {}, "payment", "pending", INTENT, 1099, 0),
        ("payment_intent.succeeded", {"amount_received": 1000}, "payment", "succeeded", INTENT, 1099, 1000),
        ("payment_intent.payment_failed", {}, "payment", "failed", INTENT, 1099, 0),
        ("payment_intent.canceled", {}, "payment", "failed", INTENT, 1099, 0),
        ("charge.succeeded", {"captured": True, "amount_captured": 90}, "charge", "succeeded", CHARGE, 100, 90),
        ("charge.succeeded", {"captured": False}, "charge", "pending", CHARGE, 100, 0),
        ("charge.captured", {"amount_captured": 80, "captured": True, "payment_intent": "pi_9"}, "charge",
         "succeeded", "pi_9", 100, 80),
        ("charge.updated", {"captured": True, "amount_captured": 100, "status": "succeeded"}, "charge", "succeeded",
         CHARGE, 100, 100),
        ("charge.failed", {"payment_intent": {"id": "pi_9", "object": "payment_intent"}}, "charge", "failed", "pi_9",
         100, 0),
        ("checkout.session.completed", {"payment_status": "paid", "amount_total": 700}, "session", "succeeded", INTENT,
         700, 700),
        ("checkout.session.completed", {"payment_status": "unpaid", "amount_total": 700}, "session", "pending", INTENT,
         700, 0),
        ("checkout.session.async_payment_failed", {"amount_total": 700}, "session", "failed", INTENT, 700, 0),
        ("checkout.session.expired", {"payment_intent": None, "id": "cs_1", "amount_total": 5}, "session", "failed",
         "cs_1", 5, 0),
        ("refund.created", {"id": "re_1", "charge": CHARGE, "amount": 60, "status": "pending"}, "refund", "pending",
         CHARGE, 60, None),
        ("refund.updated", {"id": "re_1", "payment_intent": "pi_9", "amount": 60, "status": "succeeded"}, "refund",
         "succeeded", "pi_9", 60, None),
        ("charge.refund.updated", {"id": "re_1", "payment_intent": "pi_9", "amount": 60, "status": "failed"}, "refund",
         "failed", "pi_9", 60, None),
        ("refund.failed", {"id": "re_1", "payment_intent": "pi_9", "amount": 60}, "refund", "failed", "pi_9", 60, None),
        ("charge.dispute.created", {"id": "dp_1", "charge": CHARGE, "amount": 100, "status": "needs_response"},
         "dispute", "open", CHARGE, 100, None),
        ("charge.dispute.closed", {"id": "dp_1", "payment_intent": "pi_9", "status": "won"}, "dispute", "won", "pi_9",
         100, None),
        ("charge.dispute.closed", {"id": "dp_1", "payment_intent": "pi_9", "status": "warning_closed"}, "dispute",
         "won", "pi_9", 100, None),
        ("charge.dispute.closed", {"id": "dp_1", "payment_intent": "pi_9", "status": "lost"}, "dispute", "lost", "pi_9",
         100, None),
        ("charge.dispute.funds_reinstated", {"id": "dp_1", "payment_intent": "pi_9", "status": "lost"}, "dispute",
         "won", "pi_9", 100, None),
    ],
)  # fmt: skip
def test_an_event_says_in_which_state_an_object_was(
    kind: str,
    thing: dict[str, Any],
    kind_of_object: str,
    status: str,
    payment_id: str,
    amount: int,
    captured: int | None,
) -> None:
    record = record_of(stripe_event(kind, {"currency": "inr"} | thing))
    assert (record["type"], record["provider"], record["provider_event_id"]) == ("payment_event", "stripe", "evt_1")
    assert (record["object"], record["status"], record["payment_id"]) == (kind_of_object, status, payment_id)
    assert (record["amount_minor"], record["captured_minor"]) == (amount, captured)
    assert (record["currency"], record["occurred_at"]) == ("inr", "2026-06-01T09:29:00.000000Z")


@pytest.mark.parametrize(
    ("thing", "before", "refunded", "returned"),
    [
        ({"amount_captured": 100, "amount_refunded": 30}, {"amount_refunded": 0}, 30, 0),
        ({"amount_captured": 100, "amount_refunded": 100}, {"amount_refunded": 30}, 100, 0),
        ({"amount_captured": 100, "amount_refunded": 40}, {}, 40, 0),
        ({"amount_captured": 100, "amount_refunded": 0}, {"amount_refunded": 70}, 0, 70),
        ({"amount_captured": 60, "amount_refunded": 40}, {}, 0, 0),
        ({"amount_captured": 60, "amount_refunded": 50}, {"amount_refunded": 40}, 10, 0),
        ({"amount_captured": 60, "amount_refunded": 20}, {"amount_refunded": 0}, 20, 0),
        ({"amount_captured": 60, "amount_refunded": 50}, {"amount_refunded": 0}, 50, 0),
        ({"amount_captured": 0, "amount_refunded": 100, "captured": False}, {"amount_refunded": 0}, 0, 0),
    ],
)
def test_a_charge_tells_what_was_given_back_of_what_was_received(
    thing: dict[str, Any], before: dict[str, Any], refunded: int, returned: int
) -> None:
    charge = {"amount": 100, "captured": True, "currency": "inr"} | thing
    record = record_of(stripe_event("charge.refunded", charge, previous_attributes=before))
    assert (record["refunded_minor"], record["returned_minor"]) == (refunded, returned)


@pytest.mark.parametrize(
    ("currency", "sent", "minor"),
    [
        ("inr", 1500, 1500),
        ("jpy", 1500, 1500),
        ("mga", 15, 1500),
        ("isk", 150_000, 1500),
        ("ugx", 150_000, 1500),
        ("huf", 150_000, 150_000),
        ("twd", 150_000, 150_000),
        ("kwd", 1500, 1500),
        ("usd", 1500, 1500),
    ],
)
def test_amounts_are_in_minor_units_of_iso_4217_however_stripe_counts(currency: str, sent: int, minor: int) -> None:
    thing = {"currency": currency, "amount": sent, "amount_received": sent}
    record = record_of(stripe_event("payment_intent.succeeded", thing))
    assert (record["amount_minor"], record["captured_minor"]) == (minor, minor)
    assert f'"amount_received": {sent}' in record["raw"]


def test_an_amount_that_its_currency_cannot_have_is_kept_whole_and_not_rounded() -> None:
    thing = {"currency": "isk", "amount": 150_000, "amount_received": 150_050}
    record = record_of(stripe_event("payment_intent.succeeded", thing))
    assert record["amount_minor"] == "150050 is no whole number of minor units of ISK"
    assert record["captured_minor"] is None
    assert '"amount_received": 150050' in record["raw"]


def test_the_apps_ids_come_from_metadata_or_the_sessions_reference() -> None:
    metadata = {"registration_id": "-Nx1", "eventId": "-Ny1"}
    record = record_of(stripe_event("payment_intent.succeeded", {"metadata": metadata}))
    assert (record["registration_id"], record["event_id"]) == ("-Nx1", "-Ny1")
    session = {"client_reference_id": "-Nx2", "payment_status": "paid"}
    assert record_of(stripe_event("checkout.session.completed", session))["registration_id"] == "-Nx2"


@pytest.mark.parametrize("kind", ["invoice.paid", "customer.created", "payout.paid"])
def test_what_is_about_no_payment_goes_to_quarantine(kind: str) -> None:
    assert record_of(stripe_event(kind, {}))["type"] == "unmapped_webhook"
