"""Every figure of an event and the places where it is told. A new place is one more line under its figure.

A place answers None where it says nothing of such an event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from event_pipeline_tests.consistency.asked import FORMS, Asked, Form, number, rupees

Place = Callable[[Asked], Any]

BEFORE_IT = datetime(2025, 6, 7, tzinfo=UTC)
"""The day before the difficult event."""

_OF_EVENT = "FROM warehouse.{} WHERE event_id = $event"


def _sum(table: str, expression: str, condition: str = "true") -> Place:
    query = f"SELECT coalesce(sum({expression}), 0)::BIGINT {_OF_EVENT.format(table)} AND {condition}"
    return lambda asked: asked.sql(query)


def _last(table: str, column: str, order: str) -> Place:
    query = f"SELECT coalesce(arg_max({column}, {order}), 0) {_OF_EVENT.format(table)}"
    return lambda asked: asked.sql(query)


def _files(name: str, read: Callable[[Asked, Form], Any]) -> Mapping[str, Place]:
    """The same file in each form."""

    def of(form: Form) -> Place:
        return lambda asked: read(asked, form)

    return {f"{form.upper()} {name}": of(form) for form in FORMS}


def _in_table(table: str, condition: str, amount: str | None = None) -> Mapping[str, Place]:
    def count(asked: Asked, form: Form) -> int:
        rows = [row for row in asked.table(table, form) if row[condition] == "true"]
        return sum(int(row[amount]) if amount else 1 for row in rows)

    return _files(table, count)


def _of_funnel(step: str, label: str) -> Mapping[str, Place]:
    return {
        "table agg_email_funnel": _sum("marts.agg_email_funnel", step),
        "API event": lambda asked: asked.analytics["email_funnel"][step],
        **_files("email_funnel", lambda asked, form: int(asked.exported("email_funnel", form)[0][step])),
        "workbook": lambda asked: asked.dashboard(label),
    }


def _own(items: list[dict[str, Any]], name: str, currency: str = "INR") -> int:
    return sum(item[name]["amount_minor"] for item in items if item[name]["currency"] == currency)


REGISTRATIONS: Mapping[str, Place] = {
    "table fact_registrations": _sum("core.fact_registrations", "is_counted::INT"),
    "table agg_event_metrics": _sum("marts.agg_event_metrics", "registrations"),
    "table agg_email_funnel": _sum("marts.agg_email_funnel", "registered"),
    "table agg_registration_pace": _last(
        "marts.agg_registration_pace", "cumulative_registrations", "-days_before_start"
    ),
    "API events": lambda asked: asked.listed["registrations"],
    "API event": lambda asked: asked.analytics["event"]["registrations"],
    "API event, mail": lambda asked: asked.analytics["email_funnel"]["registered"],
    "API event, pace": lambda asked: asked.analytics["pace"]["points"][-1]["cumulative_registrations"],
    "API participants": lambda asked: sum(item["is_counted"] for item in asked.participants),
    "page, card": lambda asked: number(asked.card("Registrations")),
    "page, check-in": lambda asked: number(asked.said(r'id="live-count"[^>]*><b>[^<]*</b> of ([\d,]+) ')),
    "workbook": lambda asked: asked.dashboard("Registrations"),
    "workbook, rows": lambda asked: (
        asked.dashboard("Rows in the sheet Registrations")
        - asked.dashboard("Of these cancelled")
        - asked.dashboard("Of these duplicates")
    ),
    **_in_table("core.fact_registrations", "is_counted"),
    **_files("email_funnel", lambda asked, form: int(asked.exported("email_funnel", form)[0]["registered"])),
    **_files("pace", lambda asked, form: int(asked.exported("pace", form)[-1]["cumulative_registrations"])),
}

PEOPLE: Mapping[str, Place] = {
    "table fact_registrations": _sum("core.fact_registrations", "team_size", "is_counted"),
    "table agg_event_metrics": _sum("marts.agg_event_metrics", "participants"),
    "table agg_registration_pace": _last(
        "marts.agg_registration_pace", "cumulative_participants", "-days_before_start"
    ),
    "API events": lambda asked: asked.listed["participants"],
    "API event": lambda asked: asked.analytics["event"]["participants"],
    "API participants": lambda asked: sum(item["team_size"] for item in asked.participants if item["is_counted"]),
    "page, card": lambda asked: number(asked.said(r'<dd class="quiet">([\d,]+) (?:people|person)')),
    "list of events": lambda asked: _first_number(asked.list_line, "event-fill"),
    "workbook": lambda asked: asked.dashboard("Participants, teams included"),
    **_in_table("core.fact_registrations", "is_counted", "team_size"),
    "alert event_nearly_full": lambda asked: _said_by(
        asked.alerts("event_nearly_full", BEFORE_IT, share=0.01), r"([\d,]+) (?:people are|person is) registered"
    ),
}

ATTENDED: Mapping[str, Place] = {
    "table fact_registrations": _sum("core.fact_registrations", "is_attended::INT"),
    "table fact_attendance": _sum("core.fact_attendance", "is_counted::INT"),
    "table agg_event_metrics": _sum("marts.agg_event_metrics", "check_ins"),
    "table agg_email_funnel": _sum("marts.agg_email_funnel", "attended"),
    "table agg_arrivals": _last("marts.agg_arrivals", "cumulative_check_ins", "bucket_at"),
    "API events": lambda asked: asked.listed["check_ins"],
    "API event": lambda asked: asked.analytics["event"]["check_ins"],
    "API event, mail": lambda asked: asked.analytics["email_funnel"]["attended"],
    "API event, no-shows": lambda asked: asked.analytics["no_shows"]["attended"],
    "API event, arrivals": lambda asked: sum(item["check_ins"] for item in asked.analytics["arrivals"]),
    "API participants": lambda asked: sum(item["attended_at"] is not None for item in asked.participants),
    "page, card": lambda asked: number(asked.card("Checked in")),
    "page, check-in": lambda asked: number(asked.said(r'id="live-count"[^>]*><b>([\d,]+)</b>')),
    "list of events": lambda asked: _first_number(asked.list_line, "event-sums"),
    "workbook": lambda asked: asked.dashboard("Attended"),
    "workbook, check-ins": lambda asked: asked.dashboard("Check-ins"),
    "workbook, rows": lambda asked: asked.in_sheet("Attendance Status").count("Attended"),
    **_in_table("core.fact_registrations", "is_attended"),
    **_in_table("core.fact_attendance", "is_counted"),
    **_files("arrivals", lambda asked, form: sum(int(row["check_ins"]) for row in asked.exported("arrivals", form))),
}

REVENUE: Mapping[str, Place] = {
    "table fact_payments": _sum("core.fact_payments", "revenue_minor", "currency = 'INR'"),
    "table fact_payment_entries": _sum("core.fact_payment_entries", "amount_minor", "currency = 'INR'"),
    "table agg_event_metrics": _sum("marts.agg_event_metrics", "revenue_minor"),
    "table agg_event_revenue": _sum("marts.agg_event_revenue", "revenue_minor", "currency = 'INR'"),
    "API events": lambda asked: asked.listed["revenue"]["amount_minor"],
    "API event": lambda asked: asked.analytics["event"]["revenue"]["amount_minor"],
    "API event, payments": lambda asked: _own(asked.analytics["payments"], "revenue"),
    "page, card": lambda asked: rupees(asked.card("Revenue")),
    "workbook": lambda asked: round(asked.dashboard("Revenue") * 100),
    "API payments": lambda asked: _own(asked.payments, "revenue", "INR"),
    **_files("payments", lambda asked, form: _revenue_of(asked.exported("payments", form), "INR")),
    **_files("fact_payments", lambda asked, form: _revenue_of(asked.table("core.fact_payments", form), "INR")),
}

FOREIGN_REVENUE: Mapping[str, Place] = {
    "table fact_payments": _sum("core.fact_payments", "revenue_minor", "currency = 'USD'"),
    "table fact_payment_entries": _sum("core.fact_payment_entries", "amount_minor", "currency = 'USD'"),
    "table agg_event_revenue": _sum("marts.agg_event_revenue", "revenue_minor", "currency = 'USD'"),
    "API event, payments": lambda asked: _own(asked.analytics["payments"], "revenue", "USD"),
    "API payments": lambda asked: _own(asked.payments, "revenue", "USD"),
    **_files("payments", lambda asked, form: _revenue_of(asked.exported("payments", form), "USD")),
    **_files("fact_payments", lambda asked, form: _revenue_of(asked.table("core.fact_payments", form), "USD")),
}

VERIFIED: Mapping[str, Place] = {
    "table fact_payments": _sum("core.fact_payments", "(payment_status = 'verified')::INT"),
    "table agg_event_metrics": _sum("marts.agg_event_metrics", "payments_verified"),
    "API event, payments": lambda asked: sum(
        item["payments"] for item in asked.analytics["payments"] if item["payment_status"] == "verified"
    ),
    "API payments": lambda asked: sum(item["payment_status"] == "verified" for item in asked.payments),
    "workbook, payments": lambda asked: asked.in_sheet("Status", "Payments").count("Verified"),
    **_files(
        "fact_payments",
        lambda asked, form: sum(row["payment_status"] == "verified" for row in asked.table("core.fact_payments", form)),
    ),
}

OPEN_AMOUNTS: Mapping[str, Place] = {
    "table fact_payments": _sum(
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
    "table agg_payment_discrepancies": _sum("marts.agg_payment_discrepancies", "1"),
    "API event": lambda asked: sum(item["payments"] for item in asked.analytics["discrepancies"]),
    "API payments": lambda asked: sum(len(item["discrepancies"]) for item in asked.payments),
    "page": lambda asked: _listed(asked.page),
    "workbook": lambda asked: len(asked.in_sheet("What Is Wrong", "Payments To Check")),
    "alert payment_discrepancy": lambda asked: sum(
        int(reason.split()[0].replace(",", ""))
        for text in asked.alerts("payment_discrepancy", days=10_000)
        for reason in text.partition("payments to check: ")[2].split("; ")
    ),
    **_files(
        "discrepancies", lambda asked, form: sum(int(row["payments"]) for row in asked.exported("discrepancies", form))
    ),
}

PAID_REGISTRATIONS: Mapping[str, Place] = {
    "table fact_registrations": _sum("core.fact_registrations", "(payment_status = 'verified')::INT"),
    "API participants": lambda asked: sum(item["payment_status"] == "verified" for item in asked.participants),
    "workbook, rows": lambda asked: asked.in_sheet("Payment Verified").count("Yes"),
}

CANCELLED: Mapping[str, Place] = {
    "table fact_registrations": _sum("core.fact_registrations", "is_cancelled::INT"),
    "table agg_event_metrics": _sum("marts.agg_event_metrics", "cancellations"),
    "API participants": lambda asked: sum(item["registration_status"] == "cancelled" for item in asked.participants),
    "workbook": lambda asked: asked.dashboard("Of these cancelled"),
    "workbook, rows": lambda asked: asked.in_sheet("Registration Status").count("Cancelled"),
    **_in_table("core.fact_registrations", "is_cancelled"),
}

FIGURES: Mapping[str, Mapping[str, Place]] = {
    "registrations": REGISTRATIONS,
    "people": PEOPLE,
    "attended": ATTENDED,
    "revenue": REVENUE,
    "revenue in another currency": FOREIGN_REVENUE,
    "verified payments": VERIFIED,
    "registrations that are paid": PAID_REGISTRATIONS,
    "amounts of open and verified payments": OPEN_AMOUNTS,
    "reasons to check a payment": TO_CHECK,
    "cancelled": CANCELLED,
    "mail sent": _of_funnel("sent", "Registrations with a mail sent"),
    "mail delivered": _of_funnel("delivered", "Delivered"),
    "mail opened": _of_funnel("opened", "Opened"),
    "mail clicked": _of_funnel("clicked", "Clicked"),
    "mail bounced": _of_funnel("bounced", "Bounced"),
}
"""Figures of an event, and every place that tells them."""


def _first_number(line: str, part: str) -> int:
    return number(line.split(f'class="{part}"')[1].split("<b>")[1].split("</b>")[0])


def _revenue_of(rows: list[dict[str, str]], currency: str) -> int:
    return sum(int(row["revenue_minor"]) for row in rows if row["currency"] == currency)


def _said_by(texts: list[str], pattern: str) -> int | None:
    """The number in what alerts say; None where they say nothing."""
    return number(re.findall(pattern, texts[0])[0]) if texts else None


def _paise_said(texts: list[str]) -> int:
    amounts = [found for text in texts for found in re.findall(r"a payment of ([\d,.]+) INR", text)]
    return sum(rupees(amount) for amount in amounts)


def _listed(page: str) -> int:
    """Payments in the page's list of those to check."""
    listed = page.partition("<h3>Payments to check</h3>")[2].partition("</ul>")[0]
    return sum(number(found) for found in re.findall(r"<li>([\d,]+) payments? ", listed))
