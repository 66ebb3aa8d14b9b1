"""Money by event, day and currency, what a treasurer should look at, and since when marks by hand have stood."""

from __future__ import annotations

from typing import Any

import pytest

from event_pipeline.contracts.discrepancy_texts import DISCREPANCY_TEXTS
from event_pipeline.sources.change import Change
from event_pipeline_tests.warehouse.documents import SEEN, changed, event, payment_event, registration, sheet_row
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline, Row

FEE, DAY = 20_000, 86_400
MARKED: dict[str, Any] = {"payment_status": "verified", "payment_amount": 200}
TEAM: dict[str, Any] = {"additional_info": {"team_members": [{"name": "Ravi"}, {"name": "Mina"}]}}


def registered(person: str, registration_id: str = "", after: float = 0, **more: Any) -> Change:
    return changed("registrations", registration_id or person, registration(person, **more), after=after)


def reported(registration_id: str, amount: int = FEE, day: int = 3, number: str = "", **more: Any) -> Change:
    """The provider received it on that day of June."""
    fields = {"payment_id": f"pay_{registration_id}{number}", "occurred_at": f"2025-06-{day:02d}T06:00:00.000Z"} | more
    status = fields.pop("status", "succeeded")
    key = f"{registration_id}:{status}:{number}"
    return changed("payment_events", key, payment_event(registration_id, status, amount, **fields))


def at(day: int) -> dict[str, Any]:
    return {"updated_at": f"2025-06-{day:02d}T06:00:00.000Z"}


STORY: list[Change] = [
    changed("events", "e1", event(requires_payment=True, payment_amount=200)),
    changed("events", "e2", event(title="Cash at the door", requires_payment=True, payment_amount=200)),
    registered("agreed", **MARKED), reported("agreed"),
    registered("team", **MARKED, **TEAM), reported("team", 3 * FEE),
    registered("given-back", **MARKED), reported("given-back"),
    reported("given-back", day=7, status="refunded"),
    registered("rejected", payment_status="rejected", payment_amount=200),
    registered("cash", event_id="e2", **MARKED),
    registered("cash-short", event_id="e2", payment_status="verified", payment_amount=150),
    registered("no-proof", **MARKED, **at(2)),
    registered("unmarked"), reported("unmarked", day=4),
    registered("pending", payment_status="pending", payment_amount=200), reported("pending", day=4),
    registered("short", **MARKED), reported("short", 15_000, 5),
    registered("twice", **MARKED), reported("twice", day=3), reported("twice", day=6, number="-2"),
    registered("cancelled", **MARKED, status="cancelled"), reported("cancelled", day=3),
    registered("again"), registered("again", "again-b", registration_date="2025-06-02T02:55:00Z", **MARKED),
    reported("again-b", day=4),
    registered("contested", **MARKED), reported("contested", day=3),
    reported("contested", day=9, status="open", object="dispute", object_id="dp_1"),
    registered("abroad", **MARKED), reported("abroad", 500, 5, currency="usd"),
    reported("abroad", 200, 8, "-r", payment_id="pay_abroad", currency="usd", status="refunded"),
    # Marks: edited later; taken back and set again; set after other edits; in a sheet.
    registered("edited", event_id="e2", **MARKED, **at(2)),
    registered("edited", "", 10, event_id="e2", **MARKED, **at(5)),
    registered("reset", event_id="e2", **MARKED, **at(2)),
    registered("reset", "", 10, event_id="e2", payment_status="pending", payment_amount=200, **at(4)),
    registered("reset", "", 20, event_id="e2", **MARKED, **at(6)),
    registered("reset", "", 30, event_id="e2", **MARKED, **at(8)),
    registered("later", event_id="e2", payment_status="pending", payment_amount=200, **at(2)),
    registered("later", "", 10, event_id="e2", **MARKED, **at(7)),
    registered("restored", event_id="e2", **MARKED, **at(2)), changed("registrations", "restored", None, after=10),
    registered("restored", "", 20, event_id="e2", **MARKED, **at(5)),
    registered("typed"),
    changed("sheet_rows", "s/typed", sheet_row("typed", payment_verified="Yes")),
    changed("sheet_rows", "s/typed", sheet_row("typed", payment_verified="Yes", notes="cash"), after=3 * DAY),
]  # fmt: skip


@pytest.fixture(scope="module")
def tables(memory_pipeline: MemoryPipeline) -> dict[str, list[Row]]:
    memory_pipeline.clear()
    memory_pipeline.commit(*STORY)
    memory_pipeline.refresh()
    names = ("marts.agg_payment_discrepancies", "marts.agg_event_revenue", "core.fact_payments")
    return {name: memory_pipeline.rows(name) for name in names}


def test_every_kind_of_discrepancy_is_told_with_its_payment_day_and_amount(tables: dict[str, list[Row]]) -> None:
    found = {
        (row["discrepancy"], row["payment_id"], row["amount_minor"], row["revenue_minor"], row["paid_at"].day)
        for row in tables["marts.agg_payment_discrepancies"]
    }
    assert found == {
        ("marked_but_not_reported", "app:no-proof", FEE, FEE, 2),
        ("marked_but_not_reported", "sheet:typed", FEE, FEE, SEEN.day),
        ("paid_but_not_marked", "razorpay:pay_unmarked", FEE, FEE, 4),
        ("paid_but_not_marked", "razorpay:pay_pending", FEE, FEE, 4),
        ("amount_differs_from_fee", "razorpay:pay_short", 15_000, 15_000, 5),
        ("amount_differs_from_fee", "app:cash-short", 15_000, 15_000, 2),
        ("paid_twice", "razorpay:pay_twice", FEE, FEE, 3),
        ("paid_twice", "razorpay:pay_twice-2", FEE, FEE, 6),
        ("paid_but_not_marked", "razorpay:pay_twice-2", FEE, FEE, 6),
        ("paid_for_cancelled", "razorpay:pay_cancelled", FEE, FEE, 3),
        ("paid_for_duplicate", "razorpay:pay_again-b", FEE, FEE, 4),
        ("disputed", "razorpay:pay_contested", FEE, FEE, 3),
        ("other_currency", "razorpay:pay_abroad", 500, 300, 5),
    }
    assert {kind for kind, *_ in found} == set(DISCREPANCY_TEXTS)


def test_each_currency_moves_on_its_own_days_and_is_never_added(tables: dict[str, list[Row]]) -> None:
    rows = [row for row in tables["marts.agg_event_revenue"] if row["event_id"] == "e1"]
    abroad = {
        row["date"].day: (row["paid_minor"], row["refunded_minor"], row["revenue_minor"])
        for row in rows
        if row["currency"] == "USD"
    }
    assert abroad == {5: (500, 0, 500), 8: (0, 200, -200)}
    own = {row["date"].day: (row["paid_minor"], row["refunded_minor"]) for row in rows if row["currency"] == "INR"}
    assert own == {
        2: (FEE, 0), 3: (3 * FEE + 3 * FEE + 2 * FEE, 0), 4: (3 * FEE, 0), 5: (15_000, 0), 6: (FEE, 0), 7: (0, FEE),
        SEEN.day: (FEE, 0),
    }  # fmt: skip


def test_a_mark_counts_from_the_first_version_since_which_it_has_stood(tables: dict[str, list[Row]]) -> None:
    paid = {row["registration_id"]: row["paid_at"].day for row in tables["core.fact_payments"] if row["paid_at"]}
    names = ("no-proof", "edited", "reset", "later", "restored", "typed")
    assert [paid[name] for name in names] == [2, 2, 6, 7, 5, SEEN.day]
