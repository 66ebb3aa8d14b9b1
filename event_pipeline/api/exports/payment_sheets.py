"""The worksheets ``Payments`` and ``Payments To Check`` of an event's workbook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from event_pipeline.api.answers.common import Money as Amount
from event_pipeline.api.answers.payments import Payment
from event_pipeline.contracts.discrepancy_texts import DISCREPANCY_TEXTS
from event_pipeline.exports.event_workbook import EventWorkbook, Money

_PAYMENTS = (
    "Name", "Email", "Status", "Amount", "Refunded", "Revenue", "Paid", "Refunded On", "Paid By", "App Says",
    "Provider Says", "Not Counted Because", "Payment",
)  # fmt: skip
_TO_CHECK = ("Name", "Email", "What Is Wrong", "What To Do", "Status", "Amount", "Revenue", "Paid", "Payment")


def add_payments(book: EventWorkbook, payments: Iterable[Payment]) -> None:
    """One row a payment, then one row for each reason to look at one; the revenue adds up to that of the event."""
    to_check: list[Payment] = []

    def rows() -> Iterator[list[Any]]:
        for payment in payments:
            if payment.discrepancies:
                to_check.append(payment)
            yield _cells(payment)

    book.add_table("Payments", _PAYMENTS, rows())
    reasons = (_reason_cells(payment, kind) for payment in to_check for kind in payment.discrepancies)
    book.add_table("Payments To Check", _TO_CHECK, reasons)


def money_cell(amount: Amount | None) -> Money | None:
    """The amount as a cell of the workbook."""
    return None if amount is None else Money(amount.amount_minor, amount.currency)


def _cells(payment: Payment) -> list[Any]:
    return [
        payment.person_name, payment.email, _word(payment.payment_status), money_cell(payment.amount),
        money_cell(payment.refunded), money_cell(payment.revenue), payment.paid_at, payment.refunded_at or "",
        _word(payment.method), _word(payment.app_status), _word(payment.provider_status),
        _word(payment.not_counted_reason), payment.payment_id,
    ]  # fmt: skip


def _reason_cells(payment: Payment, kind: str) -> list[Any]:
    text = DISCREPANCY_TEXTS[kind]
    return [
        payment.person_name, payment.email, text.summary.capitalize(), text.advice, _word(payment.payment_status),
        money_cell(payment.amount), money_cell(payment.revenue), payment.paid_at, payment.payment_id,
    ]  # fmt: skip


def _word(state: str | None) -> str:
    return state.replace("_", " ").capitalize() if state else ""
