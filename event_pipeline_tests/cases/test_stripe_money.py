"""Refunds that fail and captures in part: Stripe's events through the webhook to revenue."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from event_pipeline_tests.inbound.stripe_story import by_day, payments_of, stripe_changes
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

CASES = Path(__file__).parent


@pytest.mark.parametrize(
    ("case", "amount", "refunded", "revenue", "entries"),
    [
        ("33-stripe-refund-failed", 150_000, 0, 150_000, [("payment", 150_000, "05-10")]),
        ("42-stripe-partial-capture", 100_000, 30_000, 70_000,
         [("payment", 100_000, "05-13"), ("refund", -30_000, "05-13")]),
    ],
)  # fmt: skip
def test_a_payment_comes_to_what_happened_in_the_end(
    pipeline: MemoryPipeline,
    case: str,
    amount: int,
    refunded: int,
    revenue: int,
    entries: list[tuple[str, int, str]],
) -> None:
    events = json.loads((CASES / case / "events.json").read_bytes())
    pipeline.commit(*stripe_changes(events[::-1] + events))
    (row,) = payments_of(pipeline)
    assert (row["payment_status"], row["amount_minor"]) == ("verified", amount)
    assert (row["refunded_minor"], row["revenue_minor"]) == (refunded, revenue)
    assert by_day(pipeline.rows("core.fact_payment_entries")) == entries
