"""Every figure of an event's money and the places where it is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from event_pipeline_tests.consistency.asked import number, rupees
from event_pipeline_tests.consistency.readers import Place, in_files, summed


def _own(items: list[dict[str, Any]], name: str, currency: str = "INR") -> int:
    return sum(item[name]["amount_minor"] for item in items if item[name]["currency"] == currency)


REVENUE: Mapping[str, Place] = {
    "table fact_payments": summed("core.fact_payments", "revenue_minor", "currency = 'INR'"),
    "table fact_payment_entries": summed("core.fact_payment_entries", "amount_minor", "currency = 'INR'"),
    "table agg_event_metrics": summed("marts.agg_event_metrics", "revenue_minor"),
    "table agg_event_revenue": summed("marts.agg_event_revenue", "revenue_minor", "currency = 'INR'"),
    "API events": lambda asked: asked.listed["revenue"]["amount_minor"],
    "API event": lambda asked: asked.analytics["event"]["revenue"]["amount_minor"],
    "API event, payments": lambda asked: _own(asked.analytics["payments"], "revenue"),
    "page, card": lambda asked: rupees(asked.card("Revenue")),
    "workbook": lambda asked: round(asked.dashboard("Revenue") * 100),
    "API payments": lambda asked: _own(asked.payments, "revenue", "INR"),
    **in_files("payments", lambda asked, form: _revenue_of(asked.exported("payments", form), "INR")),
    **in_files("fact_payments", lambda asked, form: _revenue_of(asked.table("core.fact_payments", form), "INR")),
}

FOREIGN_REVENUE: Mapping[str, Place] = {
    "table fact_payments": summed("core.fact_payments", "revenue_minor", "currency = 'USD'"),
    "table fact_payment_entries": summed("core.fact_payment_entries", "amount_minor", "currency = 'USD'"),
    "table agg_event_revenue": summed("marts.agg_event_revenue", "revenue_minor", "currency = 'USD'"),
    "API event, payments": lambda asked: _own(asked.analytics["payments"], "revenue", "USD"),
    "API payments": lambda asked: _own(asked.payments, "revenue", "USD"),
    **in_files("payments", lambda asked, form: _revenue_of(asked.exported("payments", form), "USD")),
    **in_files("fact_payments", lambda asked, form: _revenue_of(asked.table("core.fact_payments", form), "USD")),
}

VERIFIED: Mapping[str, Place] = {
    "table fact_payments": summed("core.fact_payments", "(payment_status = 'verified')::INT"),
    "table agg_event_metrics": summed("marts.agg_event_metrics", "payments_verified"),
    "API event, payments": lambda asked: sum(
        item["payments"] for item in asked.analytics["payments"] if item["payment_status"] == "verified"
    ),
    "API payments": lambda asked: sum(item["payment_status"] == "verified" for item in asked.payments),
    "workbook, payments": lambda asked: asked.in_sheet("Status", "Payments").count("Verified"),
    **in_files(
        "fact_payments",
        lambda asked, form: sum(row["payment_status"] == "verified" for row in asked.table("core.fact_payments", form)),
    ),
}

OPEN_AMOUNTS: Mapping[str, Place] = {
    "table fact_payments": summed(
        "core.fact_payments", "amount_minor", "currency = 'INR' AND payment_status IN ('pending', 'verified')"
    ),
    "API payments": lambda asked: sum(
        item["amount"]["amount_minor"]
        for item in asked.payments
        if item["payment_status"] in ("pending", "verified") and (item["amount"] or {}).get("currency") == "INR"
    ),
    "alert high_value_payment": lambda asked: _paise_said(
        asked.alerts("high_value_payment", amount_minor=1, hours=100_000)
    ),
}

TO_CHECK: Mapping[str, Place] = {
    "table agg_payment_discrepancies": summed("marts.agg_payment_discrepancies", "1"),
    "API event": lambda asked: sum(item["payments"] for item in asked.analytics["discrepancies"]),
    "API payments": lambda asked: sum(len(item["discrepancies"]) for item in asked.payments),
    "page": lambda asked: _listed(asked.page),
    "workbook": lambda asked: len(asked.in_sheet("What Is Wrong", "Payments To Check")),
    "alert payment_discrepancy": lambda asked: sum(
        int(reason.split()[0].replace(",", ""))
        for text in asked.alerts("payment_discrepancy", days=10_000)
        for reason in text.partition("payments to check: ")[2].split("; ")
    ),
    **in_files(
        "discrepancies", lambda asked, form: sum(int(row["payments"]) for row in asked.exported("discrepancies", form))
    ),
}

PAID_REGISTRATIONS: Mapping[str, Place] = {
    "table fact_registrations": summed("core.fact_registrations", "(payment_status = 'verified')::INT"),
    "API participants": lambda asked: sum(item["payment_status"] == "verified" for item in asked.participants),
    "workbook, rows": lambda asked: asked.in_sheet("Payment Verified").count("Yes"),
}

FIGURES: Mapping[str, Mapping[str, Place]] = {
    "revenue": REVENUE,
    "revenue in another currency": FOREIGN_REVENUE,
    "verified payments": VERIFIED,
    "registrations that are paid": PAID_REGISTRATIONS,
    "amounts of open and verified payments": OPEN_AMOUNTS,
    "reasons to check a payment": TO_CHECK,
}
"""Figures of money, and every place that tells them."""


def _revenue_of(rows: list[dict[str, str]], currency: str) -> int:
    return sum(int(row["revenue_minor"]) for row in rows if row["currency"] == currency)


def _paise_said(texts: list[str]) -> int:
    amounts = [found for text in texts for found in re.findall(r"a payment of ([\d,.]+) INR", text)]
    return sum(rupees(amount) for amount in amounts)


def _listed(page: str) -> int:
    """Payments in the page's list of those to check."""
    listed = page.partition("<h3>Payments to check</h3>")[2].partition("</ul>")[0]
    return sum(number(found) for found in re.findall(r"<li>([\d,]+) payments? ", listed))
