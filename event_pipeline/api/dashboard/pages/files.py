"""``/files``: any table as a file, made in the background and kept for a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, cast

from fastapi import APIRouter, Form
from pydantic import ValidationError
from starlette.responses import HTMLResponse, Response

from event_pipeline.api.answers.exports import ExportItem, ExportRequest, TableChoice
from event_pipeline.api.dashboard.page import HEADERS, Page, acts, shows
from event_pipeline.api.exports.tables import stored_tables
from event_pipeline.api.problems import Problem
from event_pipeline.api.routes.export_jobs import deleted, item_of, submitted
from event_pipeline.api.sessions import Notice
from event_pipeline.exports.formats import FORMATS, FormatName

router = APIRouter(include_in_schema=False)

HERE = "/files"
GROUPS: Mapping[str, Mapping[str, str]] = {
    "What happened": {
        "core.fact_registrations": "Registrations",
        "core.fact_attendance": "Check-ins",
        "core.fact_payments": "Payments",
        "core.fact_payment_entries": "Money in and out",
        "core.fact_email_events": "Mails",
    },
    "Lists": {
        "core.dim_events": "Events",
        "core.dim_clubs": "Clubs",
        "core.dim_categories": "Categories",
        "core.dim_users": "People, without names",
        "core.bridge_event_tags": "Tags of events",
        "core.dim_dates": "Days of the calendar",
    },
    "Figures": {
        "marts.agg_daily_metrics": "By day",
        "marts.agg_event_metrics": "By event and day",
        "marts.agg_club_metrics": "By club",
        "marts.agg_registration_pace": "Pace of registrations",
        "marts.agg_arrivals": "Arrivals",
        "marts.agg_email_funnel": "Mail and attendance",
        "marts.agg_cohorts": "People who come again",
        "marts.agg_event_revenue": "Money by event, day and currency",
        "marts.agg_payment_discrepancies": "Payments to look at",
    },
}
"""What organisers call the tables; others stand below these under their own names."""
_OTHERS = "Of the pipeline itself"

FORMAT_NAMES: Mapping[FormatName, str] = {
    "xlsx": "Excel",
    "csv": "CSV, for any spreadsheet",
    "parquet": "Parquet, for analysts",
    "arrow": "Arrow, for analysts",
    "json": "JSON, for programs",
    "ndjson": "NDJSON, for programs",
}
STATES = {"waiting": "Waits", "running": "Is made", "done": "Ready", "failed": "Failed", "expired": "Deleted"}
_SHOWN = 30
_Word = Annotated[str, Form(max_length=200)]


@dataclass(frozen=True)
class Made:
    """A file that was asked for, as the page shows it."""

    item: ExportItem
    what: str

    @property
    def is_under_way(self) -> bool:
        """Whether it is still to come."""
        return self.item.state in ("waiting", "running")

    @property
    def size(self) -> str:
        """How large it is, for people."""
        megabytes = self.item.bytes / 1_000_000
        return f"{megabytes:,.1f} MB" if megabytes >= 0.1 else f"{self.item.bytes / 1_000:,.1f} kB"


@router.get(HERE)
def files(page: Annotated[Page, shows("export")]) -> Response:
    """The page."""
    return page.show(
        "files.html", groups=_groups(page), formats=FORMAT_NAMES, made=_made(page), states=STATES,
        hours=page.services.settings.exports.hours_kept,
    )  # fmt: skip


@router.get("/files/made")
def made(page: Annotated[Page, shows("export")]) -> Response:
    """The list alone, for the open page while something is made."""
    html = page.dashboard.html(
        "files_parts.html#made", page=page, made=_made(page), states=STATES, formats=FORMAT_NAMES
    )
    return HTMLResponse(html, headers=HEADERS)


@router.post("/files/make")
def make(
    page: Annotated[Page, acts("export")], table: _Word = "", form: _Word = "", from_day: _Word = "", to_day: _Word = ""
) -> Response:
    """Make a file in the background; audited."""
    try:
        submitted(page.request, page.services, page.session.key, _wanted(table, form, from_day, to_day))
    except Problem as problem:
        return page.go(HERE, Notice(f"No file is made: {problem.detail}.", is_error=True))
    return page.go(HERE, Notice("The file is being made. It stays here until it is deleted; you may leave the page."))


@router.post("/files/delete")
def delete(page: Annotated[Page, acts("export")], export_id: _Word = "") -> Response:
    """Stop making it, or delete it; audited."""
    deleted(page.request, page.services, page.session.key, export_id)
    return page.go(HERE, Notice("The file is deleted."))


def _wanted(table: str, form: str, from_day: str, to_day: str) -> ExportRequest:
    """What the form asks for. Raises Problem: invalid."""
    if form not in FORMATS:
        raise Problem("invalid", "choose a kind of file")
    first, last = (_day(name, text) for name, text in (("from", from_day), ("to", to_day)))
    try:
        choice = TableChoice(name=table, from_day=first, to_day=last)
    except ValidationError:
        raise Problem("invalid", "choose what it is to hold") from None
    # Excel takes CSV for UTF-8 only with a mark.
    return ExportRequest(format=cast("FormatName", form), byte_order_mark=form == "csv", table=choice)


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Problem("invalid", f"the day {name!r} must be written like 2026-06-01") from None


def _groups(page: Page) -> dict[str, dict[str, str]]:
    """The tables that the warehouse has now, by group, with their names for people."""
    with page.services.exporting.session() as session:
        present = set(stored_tables(session))
    known = {name for group in GROUPS.values() for name in group}
    found = {
        title: {name: label for name, label in group.items() if name in present} for title, group in GROUPS.items()
    }
    found[_OTHERS] = {name: name for name in sorted(present - known)}
    return {title: group for title, group in found.items() if group}


def _made(page: Page) -> list[Made]:
    """What this key asked for, the newest first."""
    page.services.exports.sweep()
    names = {name: label for group in GROUPS.values() for name, label in group.items()}
    asked = page.services.exports.store.page(page.session.key.key_id, _SHOWN, None)
    return [Made(item_of(export), names.get(export.label, export.label)) for export in asked]
