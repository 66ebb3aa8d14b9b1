"""An event's payments: one row each, by name for who may see names, and their revenue is the event's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.api.sessions import COOKIE
from event_pipeline.increments.driver import Driver
from event_pipeline.warehouse.connection import connect, ibis_backend
from event_pipeline.warehouse.ingest import ingest_exports, ingest_inbox
from event_pipeline.warehouse.lake import Lake
from event_pipeline_tests.api.organisation import AS_OF, Api, running_api, settings_for
from event_pipeline_tests.exports.written import excel_sheets
from event_pipeline_tests.warehouse.documents import event, registration

EVENT = "/api/pipeline/events/paid"


def _reported(number: int, person: str, status: str, amount: int, currency: str = "INR") -> dict[str, Any]:
    return {
        "type": "payment_event", "provider": "shop", "provider_event_id": f"x{number}", "payment_id": f"pay-{person}",
        "status": status, "amount_minor": amount, "currency": currency, "registration_id": f"r-{person}",
        "event_id": "paid", "occurred_at": f"2025-06-0{number % 9 + 1}T10:00:00Z",
    }  # fmt: skip


@pytest.fixture(scope="module")
def treasury(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An event of 150 rupees: marked and reported, marked only, refunded, not marked, cancelled, and 5 dollars."""
    folder: Path = tmp_path_factory.mktemp("treasury")
    marked = {"event_id": "paid", "payment_status": "verified", "payment_amount": 150}
    people = {
        "asha": marked,
        "bela": marked,
        "chand": marked,
        "dev": {"event_id": "paid"},
        "esha": marked | {"status": "cancelled"},
        "finn": {"event_id": "paid"},
    }
    documents = {
        "events": {"paid": event(requires_payment=True, payment_amount=150)},
        "registrations": {f"r-{name}": registration(name, **fields) for name, fields in people.items()},
    }
    (folder / "exports").mkdir()
    (folder / "inbox").mkdir()
    (folder / "exports" / "console.json").write_text(json.dumps(documents))
    records = [
        _reported(1, "asha", "succeeded", 15_000),
        _reported(2, "chand", "succeeded", 15_000),
        _reported(3, "chand", "refunded", 15_000),
        _reported(4, "dev", "succeeded", 15_000),
        _reported(5, "esha", "succeeded", 15_000),
        _reported(6, "finn", "succeeded", 500, "USD"),
    ]
    (folder / "inbox" / "shop.ndjson").write_text("".join(json.dumps(record) + "\n" for record in records))
    settings = settings_for(folder)
    with connect(settings) as connection:
        lake = Lake.prepared(connection, settings)
        assert ingest_exports(lake, settings).failures == []
        assert ingest_inbox(lake, settings).failures == []
        Driver(ibis_backend(connection), settings).bring_up_to_date(AS_OF)
    with running_api(settings) as running:
        yield running


@pytest.fixture(scope="module")
def headers(treasury: Api) -> dict[str, str]:
    return treasury.headers()


@pytest.fixture(scope="module")
def analytics(treasury: Api, headers: dict[str, str]) -> dict[str, Any]:
    return treasury.http.get(f"{EVENT}/analytics", headers=headers).json()


@pytest.fixture(scope="module")
def payments(treasury: Api, headers: dict[str, str]) -> list[dict[str, Any]]:
    return treasury.http.get(f"{EVENT}/payments", headers=headers).json()["items"]


def _of(payments: list[dict[str, Any]], person: str) -> dict[str, Any]:
    (found,) = [payment for payment in payments if payment["email"] == f"{person}@example.org"]
    return found


def test_each_payment_is_one_row_with_what_app_and_provider_say(payments: list[dict[str, Any]]) -> None:
    assert len(payments) == 6
    said = {
        person: tuple(_of(payments, person)[name] for name in ("app_status", "provider_status", "payment_status"))
        for person in ("asha", "bela", "chand", "dev")
    }
    assert said == {
        "asha": ("verified", "verified", "verified"),
        "bela": ("verified", None, "verified"),
        "chand": ("verified", "refunded", "refunded"),
        "dev": (None, "verified", "verified"),
    }
    assert _of(payments, "chand")["not_counted_reason"] == "refunded"


def test_the_rows_add_up_to_the_revenue_shown(payments: list[dict[str, Any]], analytics: dict[str, Any]) -> None:
    totals: Counter[str] = Counter()
    for payment in payments:
        totals[payment["revenue"]["currency"]] += payment["revenue"]["amount_minor"]
    assert totals == {"INR": 60_000, "USD": 500}
    assert analytics["event"]["revenue"] == {"amount_minor": 60_000, "currency": "INR"}
    assert analytics["event"]["other_revenue"] == [{"amount_minor": 500, "currency": "USD"}]
    assert [item["revenue"] for item in analytics["revenue_by_currency"]] == [
        {"amount_minor": 60_000, "currency": "INR"},
        {"amount_minor": 500, "currency": "USD"},
    ]
    by_status = Counter[str]()
    for state in analytics["payments"]:
        by_status[state["revenue"]["currency"]] += state["revenue"]["amount_minor"]
    assert by_status == totals


def test_what_disagrees_is_counted_by_its_reason(analytics: dict[str, Any]) -> None:
    found = {item["discrepancy"]: item["payments"] for item in analytics["discrepancies"]}
    assert found == {
        "marked_but_not_reported": 1, "paid_but_not_marked": 2, "paid_for_cancelled": 1, "other_currency": 1,
    }  # fmt: skip
    assert analytics["discrepancies"][0]["summary"] == "marked as paid, but the payment provider received nothing"


def test_only_payments_to_check_are_listed_when_asked_for(treasury: Api, headers: dict[str, str]) -> None:
    listed = treasury.http.get(f"{EVENT}/payments", params={"to_check": "true"}, headers=headers).json()["items"]
    assert {payment["email"].partition("@")[0]: payment["discrepancies"] for payment in listed} == {
        "bela": ["marked_but_not_reported"],
        "dev": ["paid_but_not_marked"],
        "esha": ["paid_for_cancelled"],
        "finn": ["other_currency", "paid_but_not_marked"],
    }


def test_payments_are_named_page_by_page_and_every_read_is_audited(treasury: Api, headers: dict[str, str]) -> None:
    found, cursor, reads = [], None, 0
    while reads == 0 or cursor:
        query = {"limit": 4} | ({"cursor": cursor} if cursor else {})
        answer = treasury.http.get(f"{EVENT}/payments", params=query, headers=headers)
        assert answer.headers["cache-control"] == "no-store"
        found += [payment["payment_id"] for payment in answer.json()["items"]]
        cursor, reads = answer.json()["next_cursor"], reads + 1
    assert found == sorted(set(found))
    assert (len(found), reads) == (6, 2)
    audit = treasury.http.get("/api/pipeline/audit", params={"limit": reads}, headers=headers).json()["items"]
    assert {(entry["action"], entry["target"]) for entry in audit} == {("read_payments", "paid")}
    assert sum(entry["details"]["payments"] for entry in audit) == 6


def test_payments_of_an_event_that_is_not_there_are_a_problem(treasury: Api, headers: dict[str, str]) -> None:
    answer = treasury.http.get("/api/pipeline/events/-Nnone/payments", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:event-pipeline:problem:not-found")


def test_analytics_hold_other_currencies_beside_revenue(treasury: Api, headers: dict[str, str]) -> None:
    answer = treasury.http.get("/api/pipeline/analytics", params={"period": "all"}, headers=headers).json()
    assert answer["totals"]["revenue"] == {"amount_minor": 60_000, "currency": "INR"}
    assert answer["totals"]["other_revenue"] == [{"amount_minor": 500, "currency": "USD"}]
    assert answer["top_events"][0]["other_revenue"] == [{"amount_minor": 500, "currency": "USD"}]
    totals = treasury.http.get("/api/pipeline/status", headers=headers).json()["totals"]
    assert totals["revenue"] == {"amount_minor": 60_000, "currency": "INR"}
    assert totals["other_revenue"] == [{"amount_minor": 500, "currency": "USD"}]


def test_the_chart_of_revenue_tells_what_it_does_not_draw(treasury: Api) -> None:
    session = treasury.services.sessions.begin(treasury.services.keys.create("x", ("read",))[0], 1)
    headers = {"Accept": "text/html", "Cookie": f"{COOKIE}={session.secret}"}
    page = treasury.http.get("/", params={"period": "all", "metric": "revenue"}, headers=headers).text
    assert "In other currencies, not drawn here: $5." in page


def test_money_by_day_is_exported_in_each_currency(treasury: Api, headers: dict[str, str]) -> None:
    path = "/api/pipeline/exports/analytics/revenue"
    rows = treasury.http.get(path, params={"period": "all", "format": "json"}, headers=headers).json()
    moved = {(row["date"], row["currency"]): (row["received_minor"], row["refunded_minor"]) for row in rows}
    assert moved["2025-06-03", "INR"] == (15_000, 0)
    assert moved["2025-06-04", "INR"] == (0, 15_000)
    assert moved["2025-06-07", "USD"] == (500, 0)


def test_the_workbook_lists_payments_and_those_to_check(treasury: Api, headers: dict[str, str]) -> None:
    sheets = excel_sheets(treasury.http.get(f"{EVENT}/workbook", headers=headers).content)
    header, *rows = sheets["Payments"][2:]
    listed = [dict(zip(header, row, strict=True)) for row in rows]
    assert {row["Name"]: row["Status"] for row in listed} == {
        "Asha": "Verified", "Bela": "Verified", "Chand": "Refunded", "Dev": "Verified", "Esha": "Verified",
        "Finn": "Verified",
    }  # fmt: skip
    assert sum(row["Revenue"] for row in listed if row["Name"] != "Finn") == 600
    header, *rows = sheets["Payments To Check"][2:]
    reasons = {(row[0], row[2]) for row in rows}
    assert ("Bela", "Marked as paid, but the payment provider received nothing") in reasons
    assert len(rows) == 5
    registrations = {row[1]: row for row in sheets["Registrations"][3:]}
    is_paid = sheets["Registrations"][2].index("Payment Verified")
    assert {name: row[is_paid] for name, row in registrations.items()} == {
        "Asha": "Yes", "Bela": "Yes", "Chand": "No", "Dev": "Yes", "Esha": "Yes", "Finn": "Yes",
    }  # fmt: skip


def test_the_participants_state_is_the_one_that_counts(treasury: Api, headers: dict[str, str]) -> None:
    people = treasury.http.get(f"{EVENT}/participants", headers=headers).json()["items"]
    assert {person["person_name"]: person["payment_status"] for person in people}["Chand"] == "refunded"
