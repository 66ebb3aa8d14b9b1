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
    ("kind", "thing", "status", "payment_id", "amount"),
    [
        ("payment_intent.created", {}, "pending", INTENT, 1099),
        ("payment_intent.processing", {}, "pending", INTENT, 1099),
        ("payment_intent.succeeded", {"amount_received": 1000}, "succeeded", INTENT, 1000),
        ("payment_intent.payment_failed", {}, "failed", INTENT, 1099),
        ("payment_intent.canceled", {}, "failed", INTENT, 1099),
        ("charge.succeeded", {"captured": True, "amount_captured": 90}, "succeeded", CHARGE, 90),
        ("charge.succeeded", {"captured": False}, "pending", CHARGE, 100),
        ("charge.captured", {"amount_captured": 80, "captured": True, "payment_intent": "pi_9"}, "succeeded", "pi_9",
         80),
        ("charge.failed", {"payment_intent": {"id": "pi_9", "object": "payment_intent"}}, "failed", "pi_9", 100),
        ("checkout.session.completed", {"payment_status": "paid", "amount_total": 700}, "succeeded", INTENT, 700),
        ("checkout.session.completed", {"payment_status": "unpaid", "amount_total": 700}, "pending", INTENT, 700),
        ("checkout.session.async_payment_failed", {"amount_total": 700}, "failed", INTENT, 700),
        ("checkout.session.expired", {"payment_intent": None, "id": "cs_1", "amount_total": 5}, "failed", "cs_1", 5),
        ("charge.dispute.created", {"id": "dp_1", "charge": CHARGE, "amount": 100}, "pending", CHARGE, 100),
        ("charge.dispute.closed", {"id": "dp_1", "payment_intent": "pi_9", "status": "won"}, "pending", "pi_9", 100),
        ("charge.dispute.closed", {"id": "dp_1", "payment_intent": "pi_9", "status": "lost"}, "refunded", "pi_9", 100),
    ],
)  # fmt: skip
def test_an_event_says_what_became_of_a_payment(
    kind: str, thing: dict[str, Any], status: str, payment_id: str, amount: int
) -> None:
    record = record_of(stripe_event(kind, {"currency": "inr"} | thing))
    assert (record["type"], record["provider"], record["provider_event_id"]) == ("payment_event", "stripe", "evt_1")
    assert (record["status"], record["payment_id"], record["amount_minor"]) == (status, payment_id, amount)
    assert (record["currency"], record["occurred_at"]) == ("inr", "2026-06-01T09:29:00.000000Z")


def test_each_of_several_refunds_counts_what_it_gave_back_and_not_what_came_before() -> None:
    first = stripe_event(
        "charge.refunded", {"amount_refunded": 30}, previous_attributes={"amount_refunded": 0, "refunded": False}
    )
    second = stripe_event(
        "charge.refunded", {"amount_refunded": 100}, "evt_2", previous_attributes={"amount_refunded": 30}
    )
    assert [record_of(event)["amount_minor"] for event in (first, second)] == [30, 70]
    assert record_of(stripe_event("charge.refunded", {"amount_refunded": 40}))["amount_minor"] == 40


def test_the_apps_ids_come_from_metadata_or_the_sessions_reference() -> None:
    metadata = {"registration_id": "-Nx1", "eventId": "-Ny1"}
    record = record_of(stripe_event("payment_intent.succeeded", {"metadata": metadata}))
    assert (record["registration_id"], record["event_id"]) == ("-Nx1", "-Ny1")
    session = {"client_reference_id": "-Nx2", "payment_status": "paid"}
    assert record_of(stripe_event("checkout.session.completed", session))["registration_id"] == "-Nx2"


@pytest.mark.parametrize("kind", ["refund.created", "charge.refund.updated", "invoice.paid", "customer.created"])
def test_what_would_count_money_twice_or_is_about_none_goes_to_quarantine(kind: str) -> None:
    assert record_of(stripe_event(kind, {}))["type"] == "unmapped_webhook"
