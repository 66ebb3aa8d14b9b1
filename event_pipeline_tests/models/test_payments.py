"""Payments: money counts once, whoever says so, and never more than was paid less what was given back."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.models.registry import MODELS
from event_pipeline.sources.change import Change
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.models.star import broken_promises
from event_pipeline_tests.warehouse.documents import changed, event, payment_event, registration, sheet_row
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline, Row, broken_references

FEE = 20_000
VERIFIED = {"payment_status": "verified", "payment_amount": 150}


def registered(person: str, **more: Any) -> Change:
    return changed("registrations", person, registration(person, **more))


def reported(person: str, status: str = "succeeded", amount: int = 15_000, number: int = 1, **more: Any) -> Change:
    fields = {"occurred_at": f"2025-06-{2 + number:02d}T00:00:00.000Z", **more}
    return changed("payment_events", f"{person}:{status}:{number}", payment_event(person, status, amount, **fields))


def typed(person: str, **fields: str) -> Change:
    return changed("sheet_rows", f"s/{person}", sheet_row(person, payment_verified="Yes", **fields))


STORY: list[Change] = [
    changed("events", "e1", event(requires_payment=True, payment_amount="₹200")),
    registered("by-hand", **VERIFIED),
    registered("of-the-event", payment_status="verified", payment_amount=None),
    registered("pending", payment_status="pending", payment_amount=150),
    registered("rejected", payment_status="rejected", payment_amount=150),
    registered("no-payment"),
    registered("cancelled", **VERIFIED, status="cancelled"),
    registered("double", **VERIFIED),
    changed("registrations", "double-b", registration("double", **VERIFIED, registration_date="2025-06-03T00:00:00Z")),
    registered("both", **VERIFIED),
    reported("both"),
    registered("failed", **VERIFIED),
    reported("failed", "failed"),
    registered("repeated"),
    reported("repeated"),
    reported("repeated", number=2),
    reported("repeated", "pending", number=3),
    registered("partly-back"),
    reported("partly-back"),
    reported("partly-back", "refunded", 5_000, number=2),
    registered("wholly-back"),
    reported("wholly-back"),
    reported("wholly-back", "refunded", 10_000, number=2),
    reported("wholly-back", "refunded", 10_000, number=3),
    reported("refund-first", "refunded", 4_000),
    registered("begun"),
    reported("begun", "pending"),
    reported("of-nobody", currency="inr"),
    reported("elsewhere", event_id="e-gone"),
    registered("typed"),
    typed("typed", payment_amount="₹120"),
    registered("typed-pending", payment_status="pending", payment_amount=150),
    typed("typed-pending", payment_amount="₹120"),
    registered("typed-rejected", payment_status="rejected", payment_amount=150),
    typed("typed-rejected"),
    typed("walk-in", payment_amount="₹100"),
]


@pytest.fixture(scope="module")
def tables(memory_pipeline: MemoryPipeline) -> dict[str, list[Row]]:
    memory_pipeline.clear()
    memory_pipeline.commit(*STORY)
    memory_pipeline.refresh()
    return {name: memory_pipeline.rows(name) for name in MODELS}


@pytest.fixture(scope="module")
def payments(tables: dict[str, list[Row]]) -> dict[str, Row]:
    return {row["payment_id"]: row for row in tables["core.fact_payments"]}


@pytest.mark.parametrize(
    ("payment_id", "status", "amount", "revenue"),
    [
        ("app:by-hand", "verified", 15_000, 15_000),
        ("app:of-the-event", "verified", FEE, FEE),
        ("app:pending", "pending", 15_000, 0),
        ("app:rejected", "rejected", 15_000, 0),
        ("app:cancelled", "verified", 15_000, 15_000),
        ("app:double", "verified", 15_000, 15_000),
        ("app:double-b", "verified", 15_000, 15_000),
        ("razorpay:pay_both", "verified", 15_000, 15_000),
        ("app:failed", "verified", 15_000, 15_000),
        ("razorpay:pay_failed", "failed", 15_000, 0),
        ("razorpay:pay_repeated", "verified", 15_000, 15_000),
        ("razorpay:pay_partly-back", "verified", 15_000, 10_000),
        ("razorpay:pay_wholly-back", "refunded", 15_000, 0),
        ("razorpay:pay_refund-first", "refunded", 4_000, 0),
        ("razorpay:pay_begun", "pending", 15_000, 0),
        ("sheet:typed", "verified", 12_000, 12_000),
        ("sheet:typed-pending", "verified", 15_000, 15_000),
        ("app:typed-rejected", "rejected", 15_000, 0),
    ],
)
def test_a_payment_is_worth_what_was_verified(
    payments: dict[str, Row], payment_id: str, status: str, amount: int, revenue: int
) -> None:
    row = payments[payment_id]
    assert (row["payment_status"], row["amount_minor"], row["revenue_minor"]) == (status, amount, revenue)


def test_no_payment_is_made_up(payments: dict[str, Row]) -> None:
    assert "app:no-payment" not in payments
    assert "app:both" not in payments
    assert len([payment for payment in payments if "repeated" in payment]) == 1


def test_a_refund_is_never_more_than_was_paid(payments: dict[str, Row]) -> None:
    assert payments["razorpay:pay_wholly-back"]["refunded_minor"] == 15_000
    assert payments["razorpay:pay_partly-back"]["refunded_minor"] == 5_000


def test_an_amount_taken_from_the_event_is_told(payments: dict[str, Row]) -> None:
    assert payments["app:of-the-event"]["is_amount_from_event"] is True
    assert payments["app:by-hand"]["is_amount_from_event"] is False


def test_a_walk_in_who_paid_cash_is_revenue(payments: dict[str, Row]) -> None:
    (row,) = [row for row in payments.values() if row["payment_id"].startswith("sheet:sheet:")]
    assert (row["method"], row["amount_minor"], row["revenue_minor"]) == ("sheet", 10_000, 10_000)


def test_a_payment_for_no_known_registration_stays_on_the_unknown_person(payments: dict[str, Row]) -> None:
    nobody, elsewhere = payments["razorpay:pay_of-nobody"], payments["razorpay:pay_elsewhere"]
    assert (nobody["registration_id"], nobody["user_id"], nobody["event_id"]) == (None, "unknown", "e1")
    assert (elsewhere["event_id"], elsewhere["revenue_minor"], nobody["currency"]) == ("unknown", 15_000, "INR")


def test_a_payment_happened_when_it_was_first_received(payments: dict[str, Row]) -> None:
    row = payments["razorpay:pay_repeated"]
    assert row["occurred_at"] == row["paid_at"] == datetime(2025, 6, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("payment_id", "app_status", "provider_status", "reason"),
    [
        ("app:by-hand", "verified", None, None),
        ("app:pending", "pending", None, "pending"),
        ("app:rejected", "rejected", None, "rejected"),
        ("razorpay:pay_both", "verified", "verified", None),
        ("app:failed", "verified", "failed", None),
        ("razorpay:pay_failed", None, "failed", "failed"),
        ("razorpay:pay_partly-back", None, "verified", "partly_refunded"),
        ("razorpay:pay_wholly-back", None, "refunded", "refunded"),
        ("razorpay:pay_begun", None, "pending", "pending"),
        ("sheet:typed-pending", "verified", None, None),
    ],
)
def test_a_payment_tells_what_each_says_of_it_and_why_it_does_not_count(
    payments: dict[str, Row], payment_id: str, app_status: str | None, provider_status: str | None, reason: str | None
) -> None:
    row = payments[payment_id]
    found = (row["app_status"], row["provider_status"], row["not_counted_reason"])
    assert found == (app_status, provider_status, reason)


def test_the_entries_of_each_payment_add_up_to_its_revenue(tables: dict[str, list[Row]]) -> None:
    moved: defaultdict[str, int] = defaultdict(int)
    for row in tables["core.fact_payment_entries"]:
        moved[row["payment_id"]] += row["amount_minor"]
    expected = {row["payment_id"]: row["revenue_minor"] for row in tables["core.fact_payments"]}
    assert {payment_id: moved[payment_id] for payment_id in expected} == expected


def test_a_registration_reads_as_its_payments_stand(tables: dict[str, list[Row]]) -> None:
    found = {row["registration_id"]: row["payment_status"] for row in tables["core.fact_registrations"]}
    names = ("by-hand", "pending", "rejected", "no-payment", "failed", "wholly-back", "partly-back", "typed-pending")
    assert [found[name] for name in names] == [
        "verified", "pending", "rejected", None, "verified", "refunded", "verified", "verified",
    ]  # fmt: skip


def test_payments_keep_their_contract(tables: dict[str, list[Row]]) -> None:
    assert broken_references(tables) == []
    assert broken_promises(MODELS["core.fact_payments"].contract, tables["core.fact_payments"]) == []


def test_revenue_of_the_marts_is_that_of_the_payments(tables: dict[str, list[Row]]) -> None:
    revenue = sum(row["revenue_minor"] for row in tables["core.fact_payments"])
    assert sum(row["revenue_minor"] for row in tables["marts.agg_daily_metrics"]) == revenue


reports = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["pending", "succeeded", "failed", "refunded"]),
        st.integers(0, 5) | st.sampled_from([10**11]),
        st.integers(1, 9),
    ),
    max_size=12,
)


@given(reports)
@settings(deadline=None, max_examples=scaled(20))
def test_revenue_lies_between_nothing_and_what_was_paid(memory_pipeline: MemoryPipeline, told: list[Any]) -> None:
    memory_pipeline.clear()
    said: defaultdict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    latest = {f"{person}:{status}:{number}": (person, status, amount) for person, status, amount, number in told}
    for person, status, amount in latest.values():
        said[person][status].append(amount)
    for report in dict.fromkeys(told):
        person, status, amount, number = report
        if latest[f"{person}:{status}:{number}"] == (person, status, amount):
            memory_pipeline.commit(reported(person, status, amount, number))
    memory_pipeline.refresh(
        {"staging.payment_events", "staging.provider_refunds", "staging.provider_payments", "core.fact_payments"}
    )
    found = memory_pipeline.by_key("core.fact_payments")
    assert set(found) == {f"razorpay:pay_{person}" for person in said}
    for person, by_status in said.items():
        paid, back = max(by_status["succeeded"], default=0), sum(by_status["refunded"])
        assert found[f"razorpay:pay_{person}"]["revenue_minor"] == max(paid - back, 0)
