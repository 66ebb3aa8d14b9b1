"""``/events``: every event with its figures, the latest first."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from event_pipeline.api.answers.events import EventStatus
from event_pipeline.api.dashboard.page import Page, shows
from event_pipeline.api.queries.events import Filters
from event_pipeline.api.routes.events import events_answer

router = APIRouter(include_in_schema=False)

STATUSES: dict[str, str] = {
    "": "All",
    "upcoming": "Upcoming",
    "ongoing": "Happening now",
    "completed": "Past",
    "cancelled": "Cancelled",
}
_ON_A_PAGE = 30


@router.get("/events")
def events(
    page: Annotated[Page, shows("read")],
    status: str = "",
    q: Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")] = "",
    cursor: Annotated[str | None, Query(max_length=1_000)] = None,
) -> Response:
    """The page; ``q`` is looked for in titles."""
    chosen = _status(status)
    filters = Filters(status=chosen, text=q.strip() or None)
    with page.dashboard.warehouse() as (session, state):
        found = events_answer(session, state, page.services, filters, _ON_A_PAGE, cursor)
    more = urlencode({"status": status, "q": q, "cursor": found.next_cursor}) if found.next_cursor else ""
    return page.show(
        "events.html",
        events=found.items,
        more=more,
        is_first=cursor is None,
        status=chosen or "",
        q=q,
        statuses=STATUSES,
        refused=page.dashboard.quarantine.get().rejected.get("events", 0),
    )


def _status(text: str) -> EventStatus | None:
    known: tuple[EventStatus, ...] = ("upcoming", "ongoing", "completed", "cancelled")
    return next((status for status in known if status == text), None)
