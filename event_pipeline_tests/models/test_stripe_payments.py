"""A payment is in the state that its latest events tell, whatever came late, twice, in another order or not at all."""

from __future__ import annotations

import random
from typing import Any

import pytest

from event_pipeline_tests.inbound.stripe_story import by_day, charge, intent, payments_of, refund, stripe_changes, told
from event_pipeline_tests.models.one_document import quarantine
from event_pipeline_tests.models.stripe_rare_stories import RARE_STORIES
from event_pipeline_tests.models.stripe_stories import STORIES as COMMON_STORIES
from event_pipeline_tests.models.stripe_stories import numbered
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline, Row

STORIES = COMMON_STORIES | RARE_STORIES
ARRIVALS = ("as they happened", "twice and in any order")


@pytest.fixture(scope="module")
def tables(memory_pipeline: MemoryPipeline) -> dict[str, tuple[list[Row], list[Row]]]:
    """Payments and entries of every story, by its name and how its events arrived."""
    arrived = []
    for number, (events, *_) in enumerate(STORIES.values()):
        arrived += numbered(events, f"a{number}") + numbered(events, f"b{number}")
        arrived += numbered(events, f"b{number}")
    random.Random(1).shuffle(arrived)
    memory_pipeline.clear()
    in_order = [event for event in arrived if "_a" in event["id"]]
    in_order.sort(key=lambda event: event["created"])
    memory_pipeline.commit(*stripe_changes([*in_order, *[event for event in arrived if "_b" in event["id"]]]))
    payments = payments_of(memory_pipeline)
    entries = memory_pipeline.rows("core.fact_payment_entries")
    return {
        f"{story}, {how}": (
            [row for row in payments if f"_{letter}{number}_" in row["payment_id"]],
            [row for row in entries if f"_{letter}{number}_" in row["payment_id"]],
        )
        for number, story in enumerate(STORIES)
        for letter, how in zip("ab", ARRIVALS, strict=True)
    }


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("arrival", ARRIVALS)
def test_a_payment_is_what_happened_in_the_end(
    tables: dict[str, tuple[list[Row], list[Row]]], story: str, arrival: str
) -> None:
    _, status, revenue, expected = STORIES[story]
    (row,), entries = tables[f"{story}, {arrival}"]
    assert (row["payment_status"], row["revenue_minor"], row["currency"]) == (status, revenue, "INR")
    assert by_day(entries) == sorted(expected, key=lambda entry: (entry[2], entry[0], entry[1]))


@pytest.mark.parametrize(
    ("story", "provider_status", "is_disputed", "reason"),
    [
        ("dispute opened", "disputed", True, None),
        ("dispute won", "verified", False, None),
        ("inquiry closed", "verified", False, None),
        ("dispute in another currency open", "disputed", True, None),
        ("part of a disputed amount reinstated, because it was refunded before", "disputed", True, "partly_refunded"),
        ("dispute lost", "refunded", False, "dispute_lost"),
        ("dispute of a part lost", "verified", False, "dispute_lost"),
        ("refunded in part", "verified", False, "partly_refunded"),
        ("authorised", "pending", False, "pending"),
    ],
)
def test_what_a_provider_says_is_told_beside_what_counts(
    tables: dict[str, tuple[list[Row], list[Row]]], story: str, provider_status: str, is_disputed: bool, reason: str
) -> None:
    ((row,), _) = tables[f"{story}, {ARRIVALS[0]}"]
    found = (row["provider_status"], row["is_disputed"], row["not_counted_reason"])
    assert found == (provider_status, is_disputed, reason)


def test_a_registration_named_by_any_of_its_objects_is_that_of_the_payment(pipeline: MemoryPipeline) -> None:
    about: dict[str, Any] = {"metadata": {"registration_id": "-Nx1", "event_id": "-Ny1"}}
    arrived = []
    for carrier in ("intent", "charge", "refund"):
        events = [
            told("payment_intent.succeeded", intent(**(about if carrier == "intent" else {})), 1),
            told("charge.succeeded", charge(**(about if carrier == "charge" else {})), 1),
            told("refund.created", refund(100, **(about if carrier == "refund" else {})), 3),
        ]
        arrived += numbered(events, carrier)
    pipeline.commit(*stripe_changes(arrived))
    payments_of(pipeline)
    found = {(row["registration_id"], row["event_id"]) for row in pipeline.rows("staging.provider_payments")}
    assert found == {("-Nx1", "-Ny1")}
    assert len(pipeline.rows("core.fact_payments")) == 3


def test_quarantine_tells_which_amount_its_currency_cannot_have(pipeline: MemoryPipeline) -> None:
    half = told("payment_intent.succeeded", intent(received=150_050, amount=150_050, currency="isk"), 1)
    pipeline.commit(*stripe_changes([half]))
    assert payments_of(pipeline) == []
    said = "150050 is no whole number of minor units of ISK"
    assert ("amount_minor.garbled", "rejected", said) in quarantine(pipeline)
