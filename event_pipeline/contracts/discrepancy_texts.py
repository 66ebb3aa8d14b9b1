"""What people read about each kind of payment discrepancy: pages, workbooks and alerts use these words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from event_pipeline.contracts.marts import DISCREPANCIES


@dataclass(frozen=True, slots=True)
class DiscrepancyText:
    """``summary`` completes "2 payments ..."; ``advice`` says what a treasurer does about it."""

    summary: str
    advice: str


DISCREPANCY_TEXTS: Mapping[str, DiscrepancyText] = dict(
    zip(
        DISCREPANCIES,
        (
            DiscrepancyText(
                "marked as paid, but the payment provider received nothing",
                "Ask for the proof of payment, or take the mark back in the app.",
            ),
            DiscrepancyText(
                "received by the provider, but not marked as paid", "Mark the registration as paid in the app."
            ),
            DiscrepancyText("with an amount other than the fee", "Ask for the rest, or give the difference back."),
            DiscrepancyText("made more than once for one registration", "Refund all but one of them."),
            DiscrepancyText("for a cancelled registration", "Refund it, or note why it stays."),
            DiscrepancyText("for a duplicate registration", "Check whether it is for somebody else, else refund it."),
            DiscrepancyText("disputed by the payer", "Answer the dispute at the provider before its deadline."),
            DiscrepancyText("in another currency", "Add it to the books in its own currency."),
        ),
        strict=True,
    )
)
"""By kind, in the order in which lists show them."""
