"""Every figure of an event and the places where it is told. A new place is one more line under its figure.

A place answers None where it says nothing of such an event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from event_pipeline_tests.consistency.asked import number
from event_pipeline_tests.consistency.money_places import FIGURES as MONEY
from event_pipeline_tests.consistency.readers import Place, in_files, in_table, last, summed

BEFORE_IT = datetime(2025, 6, 7, tzinfo=UTC)
"""The day before the difficult event."""


def _of_funnel(step: str, label: str) -> Mapping[str, Place]:
    return {
        "table agg_email_funnel": summed("marts.agg_email_funnel", step),
        "API event": lambda asked: asked.analytics["email_funnel"][step],
        **in_files("email_funnel", lambda asked, form: int(asked.exported("email_funnel", form)[0][step])),
        "workbook": lambda asked: asked.dashboard(label),
    }


REGISTRATIONS: Mapping[str, Place] = {
    "table fact_registrations": summed("core.fact_registrations", "is_counted::INT"),
    "table agg_event_metrics": summed("marts.agg_event_metrics", "registrations"),
    "table agg_email_funnel": summed("marts.agg_email_funnel", "registered"),
    "table agg_registration_pace": last(
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
    **in_table("core.fact_registrations", "is_counted"),
    **in_files("email_funnel", lambda asked, form: int(asked.exported("email_funnel", form)[0]["registered"])),
    **in_files("pace", lambda asked, form: int(asked.exported("pace", form)[-1]["cumulative_registrations"])),
}

PEOPLE: Mapping[str, Place] = {
    "table fact_registrations": summed("core.fact_registrations", "team_size", "is_counted"),
    "table agg_event_metrics": summed("marts.agg_event_metrics", "participants"),
    "table agg_registration_pace": last("marts.agg_registration_pace", "cumulative_participants", "-days_before_start"),
    "API events": lambda asked: asked.listed["participants"],
    "API event": lambda asked: asked.analytics["event"]["participants"],
    "API participants": lambda asked: sum(item["team_size"] for item in asked.participants if item["is_counted"]),
    "page, card": lambda asked: number(asked.said(r'<dd class="quiet">([\d,]+) (?:people|person)')),
    "list of events": lambda asked: _first_number(asked.list_line, "event-fill"),
    "workbook": lambda asked: asked.dashboard("Participants, teams included"),
    **in_table("core.fact_registrations", "is_counted", "team_size"),
    "alert event_nearly_full": lambda asked: _said_by(
        asked.alerts("event_nearly_full", BEFORE_IT, share=0.01), r"([\d,]+) (?:people are|person is) registered"
    ),
}

ATTENDED: Mapping[str, Place] = {
    "table fact_registrations": summed("core.fact_registrations", "is_attended::INT"),
    "table fact_attendance": summed("core.fact_attendance", "is_counted::INT"),
    "table agg_event_metrics": summed("marts.agg_event_metrics", "check_ins"),
    "table agg_email_funnel": summed("marts.agg_email_funnel", "attended"),
    "table agg_arrivals": last("marts.agg_arrivals", "cumulative_check_ins", "bucket_at"),
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
    **in_table("core.fact_registrations", "is_attended"),
    **in_table("core.fact_attendance", "is_counted"),
    **in_files("arrivals", lambda asked, form: sum(int(row["check_ins"]) for row in asked.exported("arrivals", form))),
}

CANCELLED: Mapping[str, Place] = {
    "table fact_registrations": summed("core.fact_registrations", "is_cancelled::INT"),
    "table agg_event_metrics": summed("marts.agg_event_metrics", "cancellations"),
    "API participants": lambda asked: sum(item["registration_status"] == "cancelled" for item in asked.participants),
    "workbook": lambda asked: asked.dashboard("Of these cancelled"),
    "workbook, rows": lambda asked: asked.in_sheet("Registration Status").count("Cancelled"),
    **in_table("core.fact_registrations", "is_cancelled"),
}

FIGURES: Mapping[str, Mapping[str, Place]] = {
    "registrations": REGISTRATIONS,
    "people": PEOPLE,
    "attended": ATTENDED,
    **MONEY,
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


def _said_by(texts: list[str], pattern: str) -> int | None:
    """The number in what alerts say; None where they say nothing."""
    return number(re.findall(pattern, texts[0])[0]) if texts else None
