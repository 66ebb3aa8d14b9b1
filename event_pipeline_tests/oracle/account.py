"""A Stripe account in small: what really happens to a payment, and the events that Stripe sends of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from event_pipeline.inbound.delivery import Delivery
from event_pipeline.inbound.stripe import Stripe
from event_pipeline.sources.change import Change
from event_pipeline.sources.documents import encode_document
from event_pipeline_tests.inbound.senders import INBOUND, stripe
from event_pipeline_tests.warehouse.documents import SEEN

Event = dict[str, Any]
BEGIN = datetime(2025, 6, 3, 6, tzinfo=UTC)


@dataclass
class Account:
    """One payment of one registration; every step appends the events that Stripe sends of it."""

    number: int
    registration_id: str | None
    amount: int
    currency: str
    at: datetime
    event_id: str = "e1"
    events: list[Event] = field(default_factory=list)
    captured: int = 0
    is_captured: bool = False
    returned: int = 0
    refunds: list[dict[str, Any]] = field(default_factory=list)
    made_at: int = 0

    def send(self, kind: str, thing: dict[str, Any], before: dict[str, Any] | None = None) -> None:
        """One event about the object as it is now."""
        name = f"evt_{self.number}_{len(self.events):03}"
        data: dict[str, Any] = {"object": thing} if before is None else {"object": thing, "previous_attributes": before}
        self.events.append(
            {"id": name, "object": "event", "type": kind, "created": int(self.at.timestamp()), "data": data}
        )

    def wait(self, minutes: int) -> None:
        """Time passes, at least some seconds, so that every object has one state an instant."""
        self.at += timedelta(minutes=minutes, seconds=7)

    def intent(self, status: str) -> dict[str, Any]:
        """The payment intent as it is now."""
        return self._thing("payment_intent", "pi", status, amount=self.amount, amount_received=self.captured)

    def charge(self, status: str = "succeeded") -> dict[str, Any]:
        """The charge as it is now; what was not captured is released, which Stripe counts as refunded."""
        released = self.amount - self.captured if self.is_captured else 0
        return self._thing(
            "charge", "ch" if status == "succeeded" else "chf", status, amount=self.amount,
            amount_captured=self.captured, amount_refunded=self.returned + released, captured=self.is_captured,
            refunded=self.returned + released == self.amount, payment_intent=f"pi_{self.number}",
            created=self.made_at,
        )  # fmt: skip

    def _thing(self, name: str, prefix: str, status: str, **more: Any) -> dict[str, Any]:
        metadata = {"event_id": self.event_id} | (
            {"registration_id": self.registration_id} if self.registration_id else {}
        )
        identity = {"id": f"{prefix}_{self.number}", "object": name, "status": status, "currency": self.currency}
        return identity | {"metadata": metadata, "created": self.made_at, **more}

    def attempt_fails(self) -> None:
        """A card is declined."""
        self.made_at = int(self.at.timestamp())
        self.send("charge.failed", self.charge("failed"))
        self.send("payment_intent.payment_failed", self.intent("requires_payment_method"))

    def pay(self, part: int | None) -> None:
        """Pays at once, or authorises and captures ``part`` of it later."""
        self.made_at = int(self.at.timestamp())
        if part is not None:
            self.send("charge.succeeded", self.charge())
            self.send("payment_intent.amount_capturable_updated", self.intent("requires_capture"))
            self.wait(60)
        self.captured, self.is_captured = self.amount if part is None else part, True
        self.send("charge.captured" if part is not None else "charge.succeeded", self.charge())
        self.send("payment_intent.succeeded", self.intent("succeeded"))

    def refund(self, amount: int, outcome: str, *, is_told_by_charge: bool) -> None:
        """Gives an amount back; a failed refund comes back to the account later."""
        amount = min(amount, self.captured - self.returned)
        if amount <= 0:
            return
        number = len(self.refunds)
        thing = {
            "id": f"re_{self.number}_{number}", "object": "refund", "amount": amount, "charge": f"ch_{self.number}",
            "payment_intent": f"pi_{self.number}", "currency": self.currency, "status": "pending",
            "created": int(self.at.timestamp()), "metadata": {},
        }  # fmt: skip
        self.refunds.append(thing)
        earlier = self.charge()["amount_refunded"]
        self.returned += amount
        if is_told_by_charge:
            self.send("charge.refunded", self.charge(), {"amount_refunded": earlier})
        self.send("refund.created", dict(thing))
        if outcome == "pending":
            return
        self.wait(30)
        thing["status"] = outcome
        if outcome in ("failed", "canceled"):
            earlier = self.charge()["amount_refunded"]
            self.returned -= amount
            self.send("refund.failed" if outcome == "failed" else "charge.refund.updated", dict(thing))
            self.wait(1)
            if is_told_by_charge:
                self.send("charge.updated", self.charge(), {"amount_refunded": earlier})
        else:
            self.send("refund.updated", dict(thing))

    def dispute(self, outcomes: tuple[str, ...]) -> None:
        """Somebody's bank asks the money back."""
        thing = {
            "id": f"dp_{self.number}", "object": "dispute", "amount": self.captured - self.returned,
            "charge": f"ch_{self.number}", "payment_intent": f"pi_{self.number}", "currency": self.currency,
            "status": "needs_response", "created": int(self.at.timestamp()), "metadata": {},
        }  # fmt: skip
        if thing["amount"] <= 0:
            return
        self.send("charge.dispute.created", dict(thing))
        for outcome in outcomes:
            self.wait(24 * 60)
            thing["status"] = outcome
            is_over = outcome in ("won", "lost", "warning_closed")
            self.send("charge.dispute.closed" if is_over else "charge.dispute.updated", dict(thing))


DISPUTES = [("won",), ("lost",), ("lost", "won"), ("under_review",), ("under_review", "lost"), ("warning_closed",), ()]


CURRENCIES = ("usd", "jpy", "vnd", "kwd", "bhd", "isk", "ugx", "mga", "huf")
"""Beside the own one: with two decimals, with none, with three, and those that Stripe counts in units of its own."""


@st.composite
def accounts(
    draw: st.DrawFn, number: int, event_id: str, registration_ids: st.SearchStrategy[str | None], own: str
) -> list[Event]:
    """Events of a payment in time order, up to any moment of its life; most are in the ``own`` currency."""
    amount = draw(st.sampled_from([10_000, 15_000, 30_000]))
    currency = draw(st.one_of(st.just(own), st.just(own), st.sampled_from(CURRENCIES)))
    at = BEGIN + timedelta(minutes=draw(st.integers(0, 20 * 24)) * 30, seconds=number)
    account = Account(number, draw(registration_ids), amount, currency, at, event_id)
    if draw(st.booleans()):
        account.attempt_fails()
        account.wait(5)
    if draw(st.integers(0, 4)):
        account.pay(draw(st.sampled_from([None, None, amount // 2, amount - 100])))
        for _ in range(draw(st.integers(0, 2))):
            account.wait(draw(st.sampled_from([10, 600, 3_000])))
            outcome = draw(st.sampled_from(["succeeded", "pending", "failed", "canceled"]))
            account.refund(draw(st.sampled_from([5_000, amount])), outcome, is_told_by_charge=draw(st.booleans()))
        if draw(st.integers(0, 2)) == 0:
            account.wait(600)
            account.dispute(draw(st.sampled_from(DISPUTES)))
    kept = draw(st.integers(0, len(account.events)))
    return account.events[: len(account.events) - kept // 3]


def reported(event: Event) -> Change:
    """The event as Stripe posts it, through the product's own reading of it."""
    at = SEEN + timedelta(seconds=1)
    sent = stripe(json.dumps(event).encode(), at)
    headers = {name.lower(): value for name, value in sent.headers.items()}
    (record,) = Stripe(INBOUND).accept(Delivery(sent.body, headers, at)).records
    collection = "payment_events" if record["type"] == "payment_event" else "unreadable"
    name = f"{record['provider']}:{record['provider_event_id']}"
    return Change.upsert("inbox", collection, name, encode_document(record), at)
