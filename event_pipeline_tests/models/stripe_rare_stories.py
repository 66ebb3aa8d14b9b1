"""Stories of payments that are rare and real: reversals, inquiries, releases and sessions paid later or never."""

from __future__ import annotations

from typing import Any

from event_pipeline_tests.inbound.stripe_story import StripeEvent, dispute, intent, refund, told
from event_pipeline_tests.inbound.stripe_story import charge as charge_given_back
from event_pipeline_tests.models.stripe_stories import AUTHORISED, IN, PAID, PARTLY, back, refunded

CS, D = "checkout.session.", "charge.dispute."


def charge(given_back: int = 0, /, **more: Any) -> dict[str, Any]:
    """A charge whose own flag ``refunded`` may be given too."""
    return charge_given_back(given_back) | more


def old(given_back: int) -> dict[str, Any]:
    """A charge of an API version without amount_captured."""
    return {name: value for name, value in charge(given_back).items() if name != "amount_captured"}


def session(status: str, **more: Any) -> dict[str, Any]:
    """A checkout session with that payment_status."""
    fields = {"id": "cs_1", "object": "checkout.session", "payment_intent": "pi_1", "payment_status": status}
    return fields | {"amount_total": 1000, "currency": "inr", "metadata": {}} | more


RARE_STORIES: dict[str, tuple[list[StripeEvent], str, int, list[tuple[str, int, str]]]] = {
    "refunded again, first failed without charge.updated": (
        [*PAID, told("refund.created", refund(1000), 3), refunded(1000, 3),
         told("refund.failed", refund(1000, "failed"), 8), told("refund.created", refund(1000, refund_id="re_2"), 9),
         refunded(1000, 9)], "refunded", 0, [IN, back(1000, "09")],
    ),
    "refunded again, only charges and the failure": (
        [*PAID, refunded(1000, 3), told("refund.failed", refund(1000, "failed"), 8), refunded(1000, 9)],
        "refunded", 0, [IN, back(1000, "09")],
    ),
    "refund failed, only refund events": (
        [*PAID, told("refund.created", refund(1000, "pending"), 3), told("refund.updated", refund(1000, "failed"), 8),
         told("refund.failed", refund(1000, "failed"), 8)], "verified", 1000, [IN],
    ),
    "refund requires action then cancelled": (
        [*PAID, told("refund.created", refund(400, "requires_action"), 3),
         told("refund.updated", refund(400, "canceled"), 30)], "verified", 1000, [IN],
    ),
    "partial refund reversed by charge.updated without previous": (
        [*PAID, refunded(300, 3), told("charge.updated", charge(0), 9)], "verified", 1000, [IN],
    ),
    "two refunds, one reversed": (
        [*PAID, refunded(300, 3), refunded(700, 5, 300), told("charge.updated", charge(300), 9, amount_refunded=700)],
        "verified", 700, [IN, back(300, "03")],
    ),
    "two refunds, first reversed": (
        [*PAID, told("refund.created", refund(300), 3), refunded(300, 3),
         told("refund.created", refund(400, refund_id="re_2"), 5), refunded(700, 5, 300),
         told("charge.updated", charge(400), 9, amount_refunded=700), told("refund.failed", refund(300, "failed"), 9)],
        "verified", 600, [IN, back(400, "05")],
    ),
    "reversed then refunded": (
        [*PAID, refunded(1000, 3), told("charge.updated", charge(0), 9, amount_refunded=1000), refunded(500, 11)],
        "verified", 500, [IN, back(500, "11")],
    ),
    "refund without payment_intent": (
        [*PAID, told("refund.created", refund(300, payment_intent=None), 3)], "verified", 700, [IN, back(300, "03")],
    ),
    "refund with expanded charge": (
        [*PAID, told("refund.created", refund(300, payment_intent=None, charge={"id": "ch_1", "object": "charge"}), 3)],
        "verified", 700, [IN, back(300, "03")],
    ),
    "charge.refunded with nested list missing": (
        [*PAID,
         told("charge.refunded", charge(1000, refunds=None, refunded=True), 4, amount_refunded=0, refunded=False)],
        "refunded", 0, [IN, back(1000, "04")],
    ),
    "charge.refunded with nested list empty": (
        [*PAID,
         told("charge.refunded", charge(1000, refunds={"data": []}, refunded=True), 4, amount_refunded=0)],
        "refunded", 0, [IN, back(1000, "04")],
    ),
    "old api, no amount_captured": (
        [told("charge.succeeded", old(0), 1), told("charge.refunded", old(400), 4, amount_refunded=0)],
        "verified", 600, [IN, back(400, "04")],
    ),
    "won then updated": (
        [*PAID, told(D + "created", dispute("needs_response"), 5),
         told(D + "funds_withdrawn", dispute("needs_response"), 5), told(D + "updated", dispute("under_review"), 7),
         told(D + "closed", dispute("won"), 20), told(D + "funds_reinstated", dispute("won"), 20)],
        "verified", 1000, [IN],
    ),
    "lost then won closed twice": (
        [*PAID, told(D + "created", dispute("needs_response"), 5), told(D + "closed", dispute("lost"), 20),
         told(D + "closed", dispute("won"), 28)], "verified", 1000, [IN],
    ),
    "lost then reinstated still lost": (
        [*PAID, told(D + "closed", dispute("lost"), 20), told(D + "funds_reinstated", dispute("lost"), 28)],
        "verified", 1000, [IN],
    ),
    "lost then updated won": (
        [*PAID, told(D + "closed", dispute("lost"), 20), told(D + "updated", dispute("won"), 28, status="lost")],
        "verified", 1000, [IN],
    ),
    "won then lost (arbitration)": (
        [*PAID, told(D + "closed", dispute("won"), 20), told(D + "updated", dispute("lost"), 28)],
        "refunded", 0, [IN, back(1000, "28", "dispute")],
    ),
    "inquiry escalated and lost": (
        [*PAID, told(D + "created", dispute("warning_needs_response"), 5),
         told(D + "updated", dispute("warning_under_review"), 6), told(D + "updated", dispute("needs_response"), 8),
         told(D + "funds_withdrawn", dispute("needs_response"), 8), told(D + "closed", dispute("lost"), 20)],
        "refunded", 0, [IN, back(1000, "20", "dispute")],
    ),
    "inquiry refunded": (
        [*PAID, told(D + "created", dispute("warning_needs_response"), 5), told("refund.created", refund(1000), 7),
         refunded(1000, 7), told(D + "closed", dispute("charge_refunded"), 8)], "refunded", 0, [IN, back(1000, "07")],
    ),
    "inquiry refunded, warning_closed": (
        [*PAID, told(D + "created", dispute("warning_needs_response"), 5), refunded(1000, 7),
         told(D + "closed", dispute("warning_closed"), 8)], "refunded", 0, [IN, back(1000, "07")],
    ),
    "part of a disputed amount reinstated, because it was refunded before": (
        [*PAID, refunded(300, 3), told(D + "created", dispute("needs_response"), 5),
         told(D + "funds_withdrawn", dispute("needs_response"), 5),
         told(D + "funds_reinstated", dispute("needs_response"), 6)], "verified", 700, [IN, back(300, "03")],
    ),
    "partially refunded and lost in full, part reinstated at once": (
        [*PAID, refunded(300, 3), told(D + "created", dispute("needs_response"), 5),
         told(D + "closed", dispute("lost"), 9)], "refunded", 0, [IN, back(300, "03"), back(700, "09", "dispute")],
    ),
    "dispute in another currency lost": (
        [*PAID, told(D + "closed", dispute("lost", 12, currency="usd"), 25)],
        "refunded", 0, [IN, back(1000, "25", "dispute")],
    ),
    "dispute in another currency open": (
        [*PAID, told(D + "created", dispute("needs_response", 12, currency="usd"), 25)], "verified", 1000, [IN],
    ),
    "dispute amount above the charge": (
        [*PAID, told(D + "closed", dispute("lost", 1100), 25)], "refunded", 0, [IN, back(1000, "25", "dispute")],
    ),
    "fully refunded, then lost": (
        [*PAID, refunded(1000, 3), told(D + "closed", dispute("lost"), 25)], "refunded", 0, [IN, back(1000, "03")],
    ),
    "two partial disputes": (
        [*PAID, told(D + "closed", dispute("lost", 400), 20), told(D + "closed", dispute("won", 300, id="dp_2"), 21)],
        "verified", 600, [IN, back(400, "20", "dispute")],
    ),
    "authorised, voided, intent never told": (
        [told("charge.succeeded", charge(**AUTHORISED), 1),
         told("charge.refunded", charge(1500, **AUTHORISED, refunded=True), 4, amount_refunded=0)], "failed", 0, [],
    ),
    "authorisation expired": (
        [told("charge.succeeded", charge(**AUTHORISED), 1),
         told("charge.expired", charge(1500, **AUTHORISED, refunded=True), 8),
         told("payment_intent.canceled", intent("canceled", 0), 8)], "failed", 0, [],
    ),
    "authorised and captured in full": (
        [told("charge.succeeded", charge(**AUTHORISED | {"amount": 1000}), 1),
         told("payment_intent.amount_capturable_updated", intent("requires_capture", 0), 1),
         told("charge.captured", charge(0), 3), told("payment_intent.succeeded", intent(), 3)],
        "verified", 1000, [("payment", 1000, "06-03")],
    ),
    "captured in part, release beside": (
        [told("charge.captured", charge(0, **PARTLY), 2), told("payment_intent.succeeded", intent(amount=1500), 2)],
        "verified", 1000, [("payment", 1000, "06-02")],
    ),
    "captured in part, release beside, refunded in two parts": (
        [told("charge.captured", charge(0, **PARTLY), 2),
         told("charge.refunded", charge(300, **PARTLY), 4, amount_refunded=0),
         told("charge.refunded", charge(700, **PARTLY), 6, amount_refunded=300)],
        "verified", 300, [("payment", 1000, "06-02"), back(300, "04"), back(400, "06")],
    ),
    "captured in part, all refunded": (
        [told("charge.captured", charge(500, **PARTLY), 2),
         told("charge.refunded", charge(1500, **PARTLY), 7, amount_refunded=500)],
        "refunded", 0, [("payment", 1000, "06-02"), back(1000, "07")],
    ),
    "captured in part, refund failed": (
        [told("charge.captured", charge(500, **PARTLY), 2), told("refund.created", refund(300, refund_id="re_2"), 7),
         told("charge.refunded", charge(800, **PARTLY), 7, amount_refunded=500),
         told("refund.failed", refund(300, "failed", refund_id="re_2"), 12)],
        "verified", 1000, [("payment", 1000, "06-02")],
    ),
    "captured in part, refund event only": (
        [told("charge.succeeded", charge(**AUTHORISED), 1), told("charge.captured", charge(500, **PARTLY), 2),
         told("refund.created", refund(300, refund_id="re_2"), 7)],
        "verified", 700, [("payment", 1000, "06-02"), back(300, "07")],
    ),
    "session unpaid": ([told(CS + "completed", session("unpaid"), 1)], "pending", 0, []),
    "session unpaid, failed": (
        [told(CS + "completed", session("unpaid"), 1), told("payment_intent.processing", intent("processing", 0), 1),
         told(CS + "async_payment_failed", session("unpaid"), 4),
         told("payment_intent.payment_failed", intent("requires_payment_method", 0), 4)], "failed", 0, [],
    ),
    "session unpaid, succeeded": (
        [told(CS + "completed", session("unpaid"), 1), told(CS + "async_payment_succeeded", session("paid"), 4),
         told("payment_intent.succeeded", intent(), 4)], "verified", 1000, [("payment", 1000, "06-04")],
    ),
    "session no_payment_required later": (
        [told(CS + "completed", session("no_payment_required", payment_intent=None), 1)], "pending", 0, [],
    ),
    "session no_payment_required of nothing": (
        [told(CS + "completed", session("no_payment_required", payment_intent=None, amount_total=0), 1)],
        "verified", 0, [],
    ),
    "session expired": ([told(CS + "expired", session("unpaid", payment_intent=None), 2)], "failed", 0, []),
    "intent cancelled after failed": (
        [told("payment_intent.payment_failed", intent("requires_payment_method", 0), 1),
         told("payment_intent.canceled", intent("canceled", 0), 2)], "failed", 0, [],
    ),
    "failed, then requires action": (
        [told("payment_intent.payment_failed", intent("requires_payment_method", 0), 1),
         told("payment_intent.requires_action", intent("requires_action", 0), 2)], "pending", 0, [],
    ),
    "failure delivered after success": (
        [told("payment_intent.succeeded", intent(), 1), told("charge.succeeded", charge(), 1),
         told("charge.failed", charge(id="ch_0", status="failed"), 0.9),
         told("payment_intent.payment_failed", intent("requires_payment_method", 0), 0.9)], "verified", 1000, [IN],
    ),
    "pending bank debit failed": (
        [told("charge.pending", charge(status="pending"), 1), told("charge.failed", charge(status="failed"), 6),
         told("payment_intent.payment_failed", intent("requires_payment_method", 0), 6)], "failed", 0, [],
    ),
    "charge alone without intent": (
        [told("charge.succeeded", charge(payment_intent=None), 1),
         told("charge.refunded", charge(200, payment_intent=None), 3, amount_refunded=0)],
        "verified", 800, [IN, back(200, "03")],
    ),
    "dispute early, intent late": (
        [told(D + "created", dispute("needs_response", payment_intent=None), 20), *PAID], "verified", 1000, [IN],
    ),
    "charge.refunded then refund.created in a later second": (
        [*PAID, refunded(300, 3), told("refund.created", refund(300, created=1748736000 + 2 * 86400), 3.00002)],
        "verified", 700, [IN, back(300, "03")],
    ),
    "two refunds, one charge event lost": (
        [*PAID, told("refund.created", refund(300), 3), refunded(300, 3),
         told("refund.created", refund(200, refund_id="re_2"), 5)],
        "verified", 500, [IN, back(300, "03"), back(200, "05")],
    ),
    "refund pending for days, then failed and charge.updated": (
        [*PAID, told("refund.created", refund(1000, "pending"), 3),
         told("charge.refunded", charge(1000), 3, amount_refunded=0),
         told("refund.updated", refund(1000, "pending"), 4), told("refund.failed", refund(1000, "failed"), 12),
         told("charge.refund.updated", refund(1000, "failed"), 12),
         told("charge.updated", charge(0), 12, amount_refunded=1000, refunded=True)], "verified", 1000, [IN],
    ),
}  # fmt: skip
