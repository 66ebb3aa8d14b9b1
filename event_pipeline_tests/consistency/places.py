"""Every figure of an event and the places where it is told. A new place is one more line under its figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from event_pipeline_tests.consistency.asked import Asked, number, rupees

Place = Callable[[Asked], Any]

_OF_EVENT = "FROM warehouse.{} WHERE event_id = $event"


def _sum(table: str, expression: str, condition: str = "true") -> Place:
    query = f"SELECT coalesce(sum({expression}), 0)::BIGINT {_OF_EVENT.format(table)} AND {condition}"
    return lambda asked: asked.sql(query)


def _last(table: str, column: str, order: str) -> Place:
    query = f"SELECT coalesce(arg_max({column}, {order}), 0) {_OF_EVENT.format(table)}"
    return lambda asked: asked.sql(query)


def _in_csv(table: str, condition: str, amount: str | None = None) -> Place:
    def count(asked: Asked) -> int:
        rows = [row for row in asked.table(table) if row[condition].lower() == "true"]
        return sum(int(row[amount]) if amount else 1 for row in rows)

    return count


def _of_funnel(step: str, label: str) -> Mapping[str, Place]:
    return {
        "table agg_email_funnel": _sum("marts.agg_email_funnel", step),
        "API event": lambda asked: asked.analytics["email_funnel"][step],
        "CSV email_funnel": lambda asked: int(asked.exported("email_funnel")[0][step]),
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
    "CSV fact_registrations": _in_csv("core.fact_registrations", "is_counted"),
    "CSV email_funnel": lambda asked: int(asked.exported("email_funnel")[0]["registered"]),
    "CSV pace": lambda asked: int(asked.exported("pace")[-1]["cumulative_registrations"]),
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
    "CSV fact_registrations": _in_csv("core.fact_registrations", "is_counted", "team_size"),
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
    "CSV fact_registrations": _in_csv("core.fact_registrations", "is_attended"),
    "CSV fact_attendance": _in_csv("core.fact_attendance", "is_counted"),
    "CSV arrivals": lambda asked: sum(int(row["check_ins"]) for row in asked.exported("arrivals")),
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
    "CSV payments": lambda asked: _exported_revenue(asked, "INR"),
    "CSV fact_payments": lambda asked: _stored_revenue(asked, "INR"),
}

FOREIGN_REVENUE: Mapping[str, Place] = {
    "table fact_payments": _sum("core.fact_payments", "revenue_minor", "currency = 'USD'"),
    "table fact_payment_entries": _sum("core.fact_payment_entries", "amount_minor", "currency = 'USD'"),
    "table agg_event_revenue": _sum("marts.agg_event_revenue", "revenue_minor", "currency = 'USD'"),
    "API event, payments": lambda asked: _own(asked.analytics["payments"], "revenue", "USD"),
    "CSV payments": lambda asked: _exported_revenue(asked, "USD"),
    "CSV fact_payments": lambda asked: _stored_revenue(asked, "USD"),
}

VERIFIED: Mapping[str, Place] = {
    "table fact_payments": _sum("core.fact_payments", "(payment_status = 'verified')::INT"),
    "table agg_event_metrics": _sum("marts.agg_event_metrics", "payments_verified"),
    "API event, payments": lambda asked: sum(
        item["payments"] for item in asked.analytics["payments"] if item["payment_status"] == "verified"
    ),
    "CSV fact_payments": lambda asked: sum(
        row["payment_status"] == "verified" for row in asked.table("core.fact_payments")
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
    "CSV fact_registrations": _in_csv("core.fact_registrations", "is_cancelled"),
}

FIGURES: Mapping[str, Mapping[str, Place]] = {
    "registrations": REGISTRATIONS,
    "people": PEOPLE,
    "attended": ATTENDED,
    "revenue": REVENUE,
    "revenue in another currency": FOREIGN_REVENUE,
    "verified payments": VERIFIED,
    "registrations that are paid": PAID_REGISTRATIONS,
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


def _exported_revenue(asked: Asked, currency: str) -> int:
    rows = asked.exported("payments")
    return sum(int(row["revenue_minor"]) for row in rows if row["currency"] == currency)


def _stored_revenue(asked: Asked, currency: str) -> int:
    rows = asked.table("core.fact_payments")
    return sum(int(row["revenue_minor"]) for row in rows if row["currency"] == currency)
