"""Stripe's payments from its own events: the latest state of each intent, charge, refund and dispute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Event = Mapping[str, Any]

OPEN_DISPUTES = ("needs_response", "under_review", "warning_needs_response", "warning_under_review")
_IN_HUNDREDTHS = frozenset(["ISK", "UGX"])
"""Currencies without decimals by ISO 4217 that Stripe counts in hundredths all the same."""
_IN_WHOLE_UNITS = frozenset(["MGA"])
"""Currencies with two decimals by ISO 4217 that Stripe counts in whole units."""

RECEIVING = ("charge", "payment_intent", "checkout.session")
"""Objects about the money that comes in; their currency is the payment's."""


@dataclass
class GivenBack:
    """An amount given back by a refund or a lost dispute."""

    object_id: str
    kind: str
    amount_minor: int
    at: datetime


@dataclass
class ProviderPayment:
    """What a provider's payment came to; ``received_minor`` is 0 where no money came."""

    payment_id: str
    provider: str
    status: str = "pending"
    registration_id: str | None = None
    event_id: str | None = None
    currency: str | None = None
    asked_minor: int = 0
    received_minor: int = 0
    given_back: list[GivenBack] = field(default_factory=list)
    is_disputed: bool = False
    is_dispute_lost: bool = False
    paid_at: datetime | None = None
    last_at: datetime | None = None

    @property
    def refunded_minor(self) -> int:
        """Given back in all."""
        return sum(entry.amount_minor for entry in self.given_back)


def payments(events: Iterable[Event]) -> list[ProviderPayment]:
    """Every payment of these events, each given once."""
    charges_of = _intents_of_charges(events := list(events))
    grouped: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        grouped[_payment_id(_thing(event), charges_of)].append(event)
    return [_payment(key, theirs) for key, theirs in grouped.items()]


def _thing(event: Event) -> Mapping[str, Any]:
    return event["data"]["object"]


def _intents_of_charges(events: Iterable[Event]) -> dict[str, str]:
    found = {}
    for event in events:
        thing = _thing(event)
        charge = thing["id"] if thing["object"] == "charge" else thing.get("charge")
        if charge and thing.get("payment_intent"):
            found[charge] = thing["payment_intent"]
    return found


def _payment_id(thing: Mapping[str, Any], charges_of: Mapping[str, str]) -> str:
    if thing["object"] == "payment_intent":
        return thing["id"]
    charge = thing["id"] if thing["object"] == "charge" else thing.get("charge")
    return thing.get("payment_intent") or charges_of.get(charge or "") or charge or thing["id"]


def _payment(payment_id: str, events: list[Event]) -> ProviderPayment:
    ordered = sorted(events, key=_order)
    latest: dict[tuple[str, str], Event] = {}
    for event in ordered:
        latest[_thing(event)["object"], _thing(event)["id"]] = event
    payment = ProviderPayment(f"stripe:{payment_id}", "stripe")
    for event in [event for event in ordered if _thing(event)["object"] in RECEIVING] or ordered:
        payment.currency = (_thing(event).get("currency") or "").upper() or payment.currency
    for event in ordered:
        metadata = _thing(event).get("metadata") or {}
        payment.registration_id = metadata.get("registration_id") or payment.registration_id
        payment.event_id = metadata.get("event_id") or payment.event_id
    by_kind = defaultdict(list)
    for (kind, _), event in latest.items():
        by_kind[kind].append(event)
    _receive(payment, by_kind["charge"], by_kind["payment_intent"], ordered)
    _give_back(payment, by_kind["charge"], by_kind["refund"], ordered)
    _dispute(payment, by_kind["dispute"])
    payment.last_at = _at(ordered[-1])
    _settle(payment, by_kind["charge"], by_kind["payment_intent"])
    _in_minor_units(payment)
    return payment


def _order(event: Event) -> tuple[int, str]:
    return event["created"], event["id"]


def _at(event: Event) -> datetime:
    return datetime.fromtimestamp(event["created"], UTC)


def _captured(charge: Mapping[str, Any]) -> int:
    return charge["amount_captured"] if charge["status"] == "succeeded" and charge["captured"] else 0


def _receive(payment: ProviderPayment, charges: list[Event], intents: list[Event], ordered: list[Event]) -> None:
    by_charge = sum(_captured(_thing(event)) for event in charges)
    by_intent = sum(_thing(event)["amount_received"] for event in intents if _thing(event)["status"] == "succeeded")
    payment.received_minor = by_charge or by_intent
    payment.asked_minor = max((_thing(event)["amount"] for event in (*charges, *intents)), default=0)
    shown = [event for event in ordered if _shows_money(_thing(event))]
    payment.paid_at = _at(shown[0]) if payment.received_minor and shown else None


def _shows_money(thing: Mapping[str, Any]) -> bool:
    if thing["object"] == "charge":
        return _captured(thing) > 0
    return thing["object"] == "payment_intent" and thing["status"] == "succeeded"


def _give_back(payment: ProviderPayment, charges: list[Event], refunds: list[Event], ordered: list[Event]) -> None:
    """What the charge says in all; refunds begun after that are added, those that failed after it are taken off."""
    alive = [event for event in refunds if _thing(event)["status"] not in ("failed", "canceled")]
    entries = [
        GivenBack(_thing(event)["id"], "refund", _thing(event)["amount"], _made_at(_thing(event))) for event in alive
    ]
    for event in charges:
        charge = _thing(event)
        said = charge["amount_refunded"] - max(charge["amount"] - charge["amount_captured"], 0)
        for refund in refunds:
            thing = _thing(refund)
            failed_later = thing["status"] in ("failed", "canceled") and _order(refund) > _order(event)
            begun_later = thing["status"] not in ("failed", "canceled") and thing["created"] > event["created"]
            is_before = thing["created"] <= event["created"]
            said += thing["amount"] if begun_later else -thing["amount"] if failed_later and is_before else 0
        unnamed = said - sum(entry.amount_minor for entry in entries)
        if unnamed > 0 and charge["captured"]:
            entries.append(GivenBack(charge["id"], "refund", unnamed, _shown_since(ordered, charge)))
    payment.given_back += entries


def _shown_since(ordered: list[Event], charge: Mapping[str, Any]) -> datetime:
    """Since when every state of the charge has shown as much given back as its latest: one that failed is not it."""
    since = None
    for event in ordered:
        thing = _thing(event)
        if thing["id"] == charge["id"]:
            is_shown = thing["amount_refunded"] >= charge["amount_refunded"]
            since = (since or _at(event)) if is_shown else None
    assert since is not None, "the latest state shows what it shows"
    return since


def _made_at(thing: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(thing["created"], UTC)


def _dispute(payment: ProviderPayment, disputes: list[Event]) -> None:
    for event in disputes:
        dispute = _thing(event)
        payment.is_disputed |= dispute["status"] in OPEN_DISPUTES
        if dispute["status"] == "lost":
            payment.is_dispute_lost = True
            is_foreign = (dispute.get("currency") or "").upper() != payment.currency
            lost = payment.asked_minor if is_foreign and payment.asked_minor else dispute["amount"]
            payment.given_back.append(GivenBack(dispute["id"], "dispute", lost, _at(event)))


def _settle(payment: ProviderPayment, charges: list[Event], intents: list[Event]) -> None:
    if payment.received_minor:
        is_gone = payment.refunded_minor >= payment.received_minor
        payment.status = "refunded" if is_gone else "verified"
        return
    last = max((*charges, *intents), key=_order, default=None)
    said = _thing(last) if last else {"status": "pending"}
    is_released = said.get("refunded") is True and not said["captured"]
    is_over = said["status"] in ("failed", "canceled", "requires_payment_method") or is_released
    payment.status = "failed" if is_over else "pending"


def _in_minor_units(payment: ProviderPayment) -> None:
    """Amounts in ISO 4217's minor units, which are Stripe's own of all but a few currencies."""
    if payment.currency in _IN_HUNDREDTHS:
        _convert(payment, lambda amount: amount // 100)
    elif payment.currency in _IN_WHOLE_UNITS:
        _convert(payment, lambda amount: amount * 100)


def _convert(payment: ProviderPayment, to_minor: Callable[[int], int]) -> None:
    payment.asked_minor = to_minor(payment.asked_minor)
    payment.received_minor = to_minor(payment.received_minor)
    for entry in payment.given_back:
        entry.amount_minor = to_minor(entry.amount_minor)
