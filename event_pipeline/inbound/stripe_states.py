"""What each of Stripe's events says of the state that a session, payment intent, charge, refund or dispute was in.

Stripe sends events late, twice and in any order, and their times have whole seconds. ``order`` tells which of the
states of one second is the later one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from event_pipeline.inbound.delivery import text_of

_INTENTS = {
    "payment_intent.created": ("pending", 0),
    "payment_intent.processing": ("pending", 1),
    "payment_intent.requires_action": ("pending", 1),
    "payment_intent.partially_funded": ("pending", 1),
    "payment_intent.amount_capturable_updated": ("pending", 2),
    "payment_intent.payment_failed": ("failed", 3),
    "payment_intent.canceled": ("failed", 4),
    "payment_intent.succeeded": ("succeeded", 5),
}
_SESSIONS = {
    "checkout.session.completed": ("succeeded", 5),
    "checkout.session.async_payment_succeeded": ("succeeded", 5),
    "checkout.session.async_payment_failed": ("failed", 3),
    "checkout.session.expired": ("failed", 3),
}
_CHARGES = {
    "charge.pending": "pending",
    "charge.succeeded": "succeeded",
    "charge.captured": "succeeded",
    "charge.failed": "failed",
    "charge.expired": "failed",
    "charge.refunded": "succeeded",
    "charge.updated": None,
}
"""None: as the charge itself says."""
_REFUNDS = frozenset({"refund.created", "refund.updated", "refund.failed", "charge.refund.updated"})
_REFUND_STATUSES = {
    "pending": ("pending", 0),
    "requires_action": ("pending", 1),
    "succeeded": ("succeeded", 2),
    "canceled": ("canceled", 3),
    "failed": ("failed", 4),
}
_DISPUTES = frozenset(
    {
        "charge.dispute.created",
        "charge.dispute.updated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    }
)
_DISPUTE_STATUSES = {
    "warning_needs_response": ("open", 0),
    "warning_under_review": ("open", 1),
    "needs_response": ("open", 2),
    "under_review": ("open", 3),
    "lost": ("lost", 4),
    "warning_closed": ("won", 5),
    "charge_refunded": ("won", 5),
    "prevented": ("won", 5),
    "won": ("won", 5),
}
_ORDERS_OF_A_STEP = 10**13
"""More than twice the largest amount: orders of a charge are those of its step, then those of its amount."""


@dataclass(frozen=True)
class PaymentState:
    """The state of one object. Amounts are as Stripe counts; None is not known.

    ``captured`` is received and ``refunded`` given back until then, ``returned`` what this event took off ``refunded``.
    ``is_payment`` tells an event that is about receiving the money from one that only shows that it was received.
    """

    object: Literal["payment", "session", "charge", "refund", "dispute"]
    payment_id: str
    status: str
    order: int
    amount: Any
    captured: Any = None
    refunded: Any = None
    returned: Any = None
    is_payment: bool = False


def state_of(said: str, thing: Mapping[str, Any], before: Mapping[str, Any]) -> PaymentState | None:
    """The state that an event tells; None for events that are about no payment. ``before`` is previous_attributes."""
    payment_id = _id(thing.get("payment_intent")) or _id(thing.get("charge"))
    own_id = text_of(thing.get("id"))
    if said in _INTENTS and own_id:
        return _intent(said, thing, own_id)
    if said in _SESSIONS and (payment_id or own_id) and thing.get("mode") != "setup":
        return _session(said, thing, payment_id or own_id or "")
    if said in _CHARGES and (payment_id or own_id):
        return _charge(said, thing, before, payment_id or own_id or "")
    if said in _REFUNDS and payment_id:
        # An object without a state is of a time when refunds had none, because all of them succeeded.
        status, order = _REFUND_STATUSES.get(text_of(thing.get("status")) or "succeeded", ("pending", 0))
        if said == "refund.failed":
            status, order = _REFUND_STATUSES["failed"]
        return PaymentState("refund", payment_id, status, order, thing.get("amount"))
    if said in _DISPUTES and payment_id:
        status, order = _DISPUTE_STATUSES.get(text_of(thing.get("status")) or "", ("open", 2))
        # The money of a dispute that is over is back; of an open one only what was refunded before it.
        if said == "charge.dispute.funds_reinstated" and status != "open":
            status, order = _DISPUTE_STATUSES["won"]
        return PaymentState("dispute", payment_id, status, order, thing.get("amount"))
    return None


def _intent(said: str, thing: Mapping[str, Any], own_id: str) -> PaymentState:
    status, order = _INTENTS[said]
    amount, is_paid = thing.get("amount"), status == "succeeded"
    captured = thing.get("amount_received", amount) if is_paid else 0
    return PaymentState("payment", own_id, status, order, amount, captured, is_payment=is_paid)


def _session(said: str, thing: Mapping[str, Any], payment_id: str) -> PaymentState:
    status, order = _SESSIONS[said]
    amount, payment_status = thing.get("amount_total"), thing.get("payment_status")
    # A session may be complete while a slow method of payment is not, or before the day on which it is to be paid.
    is_open = payment_status == "unpaid" or (payment_status == "no_payment_required" and amount)
    if said == "checkout.session.completed" and is_open:
        status, order = "pending", 1
    is_paid = status == "succeeded"
    return PaymentState("session", payment_id, status, order, amount, amount if is_paid else 0, is_payment=is_paid)


def _charge(said: str, thing: Mapping[str, Any], before: Mapping[str, Any], payment_id: str) -> PaymentState:
    amount = thing.get("amount")
    status = _CHARGES[said] or text_of(thing.get("status")) or "succeeded"
    status = status if status in ("pending", "failed") else "succeeded"
    authorised, in_all = _amount(amount), _amount(thing.get("amount_refunded"))
    # An authorisation is only ever let go as a whole: a part given back is of money that was received.
    is_part = said == "charge.refunded" and in_all is not None and authorised is not None and in_all < authorised
    if status == "succeeded" and thing.get("captured") is False and not is_part:
        if said == "charge.refunded" or thing.get("refunded") is True:
            return PaymentState("charge", payment_id, "failed", 3 * _ORDERS_OF_A_STEP, amount, 0, 0, 0)
        return PaymentState("charge", payment_id, "pending", _ORDERS_OF_A_STEP, amount, 0, 0, 0)
    if status != "succeeded":
        order = 3 * _ORDERS_OF_A_STEP if status == "failed" else 0
        return PaymentState("charge", payment_id, status, order, amount, 0, 0, 0)
    captured = thing.get("amount_captured") or amount
    earlier = _amount(before.get("amount_refunded"))
    refunded, returned = in_all, 0
    if in_all is not None and earlier is not None:
        returned = max(earlier - in_all, 0)
    received = _amount(captured)
    if in_all is not None and authorised is not None and received is not None:
        refunded = _given_back(said, in_all, earlier, authorised - received)
    highest, is_reversal = max(in_all or 0, earlier or 0), returned > 0
    # An amount given back only grows, but for a refund that failed, which comes after the one that reached it.
    order = 2 * _ORDERS_OF_A_STEP + min(2 * highest + is_reversal, _ORDERS_OF_A_STEP - 1)
    is_payment = said in ("charge.succeeded", "charge.captured")
    return PaymentState("charge", payment_id, status, order, amount, captured, refunded, returned, is_payment)


def _given_back(said: str, refunded: int, earlier: int | None, released: int) -> int:
    """What of an amount refunded was ever received: the part that was never captured is only released.

    Stripe's amount refunded holds the released part. Of a charge that shows less than it, or that showed less before a
    refund, it does not.
    """
    is_beside = said == "charge.refunded" and earlier is not None and earlier < released
    return refunded if refunded < released or is_beside else refunded - max(released, 0)


def _amount(value: Any) -> int | None:
    """A whole number; None for whatever else stands there."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _id(value: Any) -> str | None:
    """The id of what is referred to, whether by its id or whole."""
    return text_of(value.get("id") if isinstance(value, dict) else value)
