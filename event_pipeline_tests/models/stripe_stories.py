"""Stories of payments as Stripe's events tell them, each with what it comes to and the days on which money moved."""

from __future__ import annotations

import json
import re

from event_pipeline_tests.inbound.stripe_story import (
    StripeEvent,
    charge,
    dispute,
    intent,
    refund,
    told,
)

PAID = [told("charge.succeeded", charge(), 1), told("payment_intent.succeeded", intent(), 1)]
IN = ("payment", 1000, "06-01")


def refunded(to: int, day: float, before: int = 0) -> StripeEvent:
    return told("charge.refunded", charge(to), day, amount_refunded=before)


def back(amount: int, day: str, kind: str = "refund") -> tuple[str, int, str]:
    return (kind, -amount, f"06-{day}")


AUTHORISED = {"amount": 1500, "amount_captured": 0, "captured": False}
PARTLY = {"amount": 1500, "amount_captured": 1000}

STORIES: dict[str, tuple[list[StripeEvent], str, int, list[tuple[str, int, str]]]] = {
    "paid": (PAID, "verified", 1000, [IN]),
    "only the charge told": (PAID[:1], "verified", 1000, [IN]),
    "only the intent told": (PAID[1:], "verified", 1000, [IN]),
    "refunded in part": ([*PAID, refunded(300, 3)], "verified", 700, [IN, back(300, "03")]),
    "refunded in parts on days of their own": (
        [*PAID, refunded(300, 3), refunded(1000, 5, 300)], "refunded", 0, [IN, back(300, "03"), back(700, "05")],
    ),
    "refund and charge tell of the same refund": (
        [*PAID, told("refund.created", refund(300), 3), refunded(300, 3), told("refund.updated", refund(300), 4)],
        "verified", 700, [IN, back(300, "03")],
    ),
    "only the refund told": ([*PAID, told("refund.created", refund(300), 3)], "verified", 700, [IN, back(300, "03")]),
    "refund is pending": (
        [*PAID, told("refund.created", refund(300, "pending"), 3)], "verified", 700, [IN, back(300, "03")],
    ),
    "no refund event, the charge shows it": (
        [*PAID, told("charge.updated", charge(300), 4)], "verified", 700, [IN, back(300, "04")],
    ),
    "first refund's event lost, the second shows both": (
        [*PAID, refunded(800, 6, 300)], "verified", 200, [IN, back(800, "06")],
    ),
    "an unknown refund, then one that only its own event tells": (
        [*PAID, refunded(300, 3), told("refund.created", refund(200, refund_id="re_2"), 5)],
        "verified", 500, [IN, back(300, "03"), back(200, "05")],
    ),
    "refund failed": (
        [*PAID, refunded(1000, 3), told("refund.failed", refund(1000, "failed"), 9)], "verified", 1000, [IN],
    ),
    "refund failed, told as an update of the charge's refund": (
        [*PAID, told("refund.created", refund(1000, "pending"), 3), refunded(1000, 3),
         told("charge.refund.updated", refund(1000, "failed"), 9, status="pending")], "verified", 1000, [IN],
    ),
    "refund cancelled": (
        [*PAID, refunded(400, 3), told("refund.updated", refund(400, "canceled"), 4)], "verified", 1000, [IN],
    ),
    "refund reversed by an update of the charge": (
        [*PAID, refunded(1000, 3), told("charge.updated", charge(0), 9, amount_refunded=1000)], "verified", 1000, [IN],
    ),
    "refund told, reversed by an update of the charge, its failure lost": (
        [*PAID, told("refund.created", refund(1000), 3), refunded(1000, 3),
         told("charge.updated", charge(0), 9, amount_refunded=1000)], "verified", 1000, [IN],
    ),
    "refund reversed and failed": (
        [*PAID, refunded(1000, 3), told("charge.updated", charge(0), 9, amount_refunded=1000),
         told("refund.failed", refund(1000, "failed"), 9.1)], "verified", 1000, [IN],
    ),
    "one of two refunds failed": (
        [*PAID, told("refund.created", refund(300), 3), refunded(300, 3),
         told("refund.created", refund(500, refund_id="re_2"), 5), refunded(800, 5, 300),
         told("refund.failed", refund(300, "failed"), 8)], "verified", 500, [IN, back(500, "05")],
    ),
    "refunded again after a refund failed": (
        [*PAID, told("refund.created", refund(1000), 3), refunded(1000, 3),
         told("refund.failed", refund(1000, "failed"), 8), told("charge.updated", charge(0), 8, amount_refunded=1000),
         told("refund.created", refund(1000, refund_id="re_2"), 9), refunded(1000, 9)],
        "refunded", 0, [IN, back(1000, "09")],
    ),
    "everything within one second": (
        [*PAID, told("refund.created", refund(300, "pending"), 1), refunded(300, 1),
         told("refund.updated", refund(300), 1)], "verified", 700, [back(300, "01"), IN][::-1],
    ),
    "refund and its reversal within one second": (
        [*PAID, refunded(300, 3), told("charge.updated", charge(0), 3, amount_refunded=300)], "verified", 1000, [IN],
    ),
    "dispute opened": ([*PAID, told("charge.dispute.created", dispute("needs_response"), 20)], "verified", 1000, [IN]),
    "dispute withdraws the money while it is open": (
        [*PAID, told("charge.dispute.created", dispute("needs_response"), 20),
         told("charge.dispute.funds_withdrawn", dispute("needs_response"), 20)], "verified", 1000, [IN],
    ),
    "dispute won": (
        [*PAID, told("charge.dispute.created", dispute("needs_response"), 20),
         told("charge.dispute.closed", dispute("won"), 25)], "verified", 1000, [IN],
    ),
    "inquiry closed": (
        [*PAID, told("charge.dispute.created", dispute("warning_needs_response"), 20),
         told("charge.dispute.closed", dispute("warning_closed"), 25)], "verified", 1000, [IN],
    ),
    "dispute lost": (
        [*PAID, told("charge.dispute.created", dispute("under_review"), 20),
         told("charge.dispute.closed", dispute("lost"), 25), told("charge.dispute.updated", dispute("lost"), 27)],
        "refunded", 0, [IN, back(1000, "25", "dispute")],
    ),
    "dispute lost and then won": (
        [*PAID, told("charge.dispute.closed", dispute("lost"), 22),
         told("charge.dispute.funds_reinstated", dispute("won"), 26)], "verified", 1000, [IN],
    ),
    "dispute of a part lost": (
        [*PAID, refunded(300, 3), told("charge.dispute.closed", dispute("lost", 400), 25)],
        "verified", 300, [IN, back(300, "03"), back(400, "25", "dispute")],
    ),
    "refunded in part and all of it lost": (
        [*PAID, refunded(300, 3), told("charge.dispute.closed", dispute("lost"), 25)],
        "refunded", 0, [IN, back(300, "03"), back(700, "25", "dispute")],
    ),
    "dispute names the charge alone": (
        [*PAID, told("charge.dispute.closed", dispute("lost", payment_intent=None), 25)],
        "refunded", 0, [IN, back(1000, "25", "dispute")],
    ),
    "authorised": ([told("charge.succeeded", charge(**AUTHORISED), 1)], "pending", 0, []),
    "authorised and let go": (
        [told("charge.succeeded", charge(**AUTHORISED), 1), told("charge.refunded", charge(1500, **AUTHORISED), 4),
         told("payment_intent.canceled", intent("canceled", 0), 4)], "failed", 0, [],
    ),
    "captured in part": (
        [told("charge.succeeded", charge(**AUTHORISED), 1), told("charge.captured", charge(500, **PARTLY), 2),
         told("charge.refunded", charge(800, **PARTLY), 7, amount_refunded=500)],
        "verified", 700, [("payment", 1000, "06-02"), back(300, "07")],
    ),
    "captured in part, its refunds told by themselves too": (
        [told("charge.captured", charge(500, **PARTLY), 2), told("refund.created", refund(500), 2),
         told("refund.created", refund(300, refund_id="re_2"), 7),
         told("charge.refunded", charge(800, **PARTLY), 7, amount_refunded=500)],
        "verified", 700, [("payment", 1000, "06-02"), back(300, "07")],
    ),
    "captured in part, a refund told before the charge shows it": (
        [told("charge.captured", charge(500, **PARTLY), 2), told("refund.created", refund(500), 2),
         told("refund.created", refund(300, refund_id="re_2"), 4), told("charge.updated", charge(800, **PARTLY), 7)],
        "verified", 700, [("payment", 1000, "06-02"), back(300, "04")],
    ),
    "session and intent": (
        [told("checkout.session.completed", {"id": "cs_1", "payment_intent": "pi_1", "payment_status": "paid",
                                             "amount_total": 1000, "currency": "inr", "metadata": {}}, 1), *PAID],
        "verified", 1000, [IN],
    ),
    "session without an intent": (
        [told("checkout.session.completed", {"id": "cs_1", "payment_intent": None, "payment_status": "paid",
                                             "amount_total": 1000, "currency": "inr", "metadata": {}}, 1)],
        "verified", 1000, [IN],
    ),
    "session that names its intent later": (
        [told("checkout.session.completed", {"id": "cs_1", "payment_intent": None, "payment_status": "unpaid",
                                             "amount_total": 1000, "currency": "inr", "metadata": {}}, 1),
         told("checkout.session.async_payment_succeeded", {"id": "cs_1", "payment_intent": "pi_1",
                                                           "amount_total": 1000, "currency": "inr"}, 2)],
        "verified", 1000, [("payment", 1000, "06-02")],
    ),
    "failed, then paid": (
        [told("charge.failed", charge(id="ch_0", status="failed"), 1),
         told("payment_intent.payment_failed", intent("requires_payment_method", 0), 1),
         told("charge.succeeded", charge(), 1), told("payment_intent.succeeded", intent(), 1)], "verified", 1000, [IN],
    ),
    "failed": (
        [told("payment_intent.created", intent("requires_payment_method", 0), 1),
         told("charge.failed", charge(status="failed"), 1),
         told("payment_intent.payment_failed", intent("requires_payment_method", 0), 1)], "failed", 0, [],
    ),
    "only a refund of all told, by the charge": (
        [told("charge.refunded", charge(1000, created=1_748_736_000), 4)], "refunded", 0, [IN, back(1000, "04")],
    ),
}  # fmt: skip


def numbered(events: list[StripeEvent], number: str) -> list[StripeEvent]:
    """The same story of another payment."""
    return json.loads(re.sub(r"\b(pi|ch|re|dp|cs)_(\d)|(evt)_", rf"\1\3_{number}_\2", json.dumps(events)))
