"""What Stripe tells of one payment, from its webhook through the inbox's records to the tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from event_pipeline.inbound.delivery import Delivery
from event_pipeline.inbound.stripe import Stripe
from event_pipeline.sources.change import Change
from event_pipeline_tests.inbound import senders
from event_pipeline_tests.inbound.senders import INBOUND, NOW
from event_pipeline_tests.warehouse.documents import changed
from event_pipeline_tests.warehouse.pipelines import Pipeline, Row

TABLES = (
    "staging.events", "staging.registrations", "staging.payment_events", "staging.provider_refunds",
    "staging.provider_payments", "staging.resolved_registrations", "core.fact_payments", "core.fact_payment_entries",
)  # fmt: skip
DAY = 86_400
START = 1_748_736_000
"""2025-06-01 in UTC, and half past five in India."""

StripeEvent = dict[str, Any]


def stripe_changes(events: Iterable[StripeEvent]) -> list[Change]:
    """The inbox's documents of these events, each signed and accepted as Stripe sends it."""
    changes = []
    for event in events:
        sent = senders.stripe(event)
        headers = {name.lower(): value for name, value in sent.headers.items()}
        for record in Stripe(INBOUND).accept(Delivery(sent.body, headers, NOW)).records:
            assert record["type"] == "payment_event", record["event"]
            changes.append(changed("payment_events", f"stripe:{record['provider_event_id']}", record))
    return changes


def payments_of(pipeline: Pipeline) -> list[Row]:
    """core.fact_payments once everything is up to date."""
    pipeline.refresh(TABLES)
    return pipeline.rows("core.fact_payments")


def by_day(rows: Iterable[Row]) -> list[tuple[str, int, str]]:
    """Kind, amount, month and day of each of these movements of money, by day."""
    return sorted(
        ((row["entry_kind"], row["amount_minor"], row["occurred_date"].isoformat()[5:]) for row in rows),
        key=lambda entry: (entry[2], entry[0], entry[1]),
    )


def told(kind: str, thing: dict[str, Any], day: float, number: int = 0, **before: Any) -> StripeEvent:
    """An event of that day of June 2025, with what its object held before."""
    data = {"object": thing} | ({"previous_attributes": before} if before else {})
    created = START + int((day - 1) * DAY)
    name = f"evt_{kind}_{created}_{thing['id']}_{number}"
    return {"id": name, "object": "event", "created": created, "type": kind, "data": data}


def intent(status: str = "succeeded", received: int = 1000, **more: Any) -> dict[str, Any]:
    """A payment intent of 10.00."""
    fields = {"id": "pi_1", "object": "payment_intent", "amount": 1000, "amount_received": received}
    return fields | {"currency": "inr", "status": status, "metadata": {}} | more


def charge(refunded: int = 0, **more: Any) -> dict[str, Any]:
    """A captured charge of 10.00 of which so much was given back."""
    fields = {"id": "ch_1", "object": "charge", "amount": 1000, "amount_captured": 1000, "amount_refunded": refunded}
    fields |= {"captured": True, "currency": "inr", "payment_intent": "pi_1", "status": "succeeded", "metadata": {}}
    return fields | more


def refund(amount: int, status: str = "succeeded", refund_id: str = "re_1", **more: Any) -> dict[str, Any]:
    """A refund of the charge."""
    fields = {"id": refund_id, "object": "refund", "amount": amount, "charge": "ch_1", "payment_intent": "pi_1"}
    return fields | {"currency": "inr", "status": status, "metadata": {}} | more


def dispute(status: str, amount: int = 1000, **more: Any) -> dict[str, Any]:
    """A dispute of the charge."""
    fields = {"id": "dp_1", "object": "dispute", "amount": amount, "charge": "ch_1", "payment_intent": "pi_1"}
    return fields | {"currency": "inr", "status": status, "metadata": {}} | more
