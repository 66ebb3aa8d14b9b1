"""``/door``: scanning codes at the door, by camera, by a scanner that types, or by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from event_pipeline.api.answers.inbound import storable
from event_pipeline.api.dashboard.page import Page, acts, shows
from event_pipeline.api.door import Answer, Decision, Override, Scan
from event_pipeline.api.problems import Problem

router = APIRouter(include_in_schema=False)

_NEAR = timedelta(days=1)

WORDS: dict[Answer, tuple[str, str, str]] = {
    "admitted": ("good", "Come in", ""),
    "already_in": ("warn", "Already in", "Somebody checked in with this code or as this person before."),
    "unpaid": ("warn", "Not paid", "Attendance is recorded; decide whether to let them in."),
    "not_this_event": ("bad", "Another event", "The code is not for this door."),
    "not_this_day": ("bad", "Another day", "The event of this code is not on today."),
    "cancelled": ("bad", "Cancelled", "The registration was cancelled."),
    "taken_back": ("bad", "Taken back", "Attendance was taken back in the app after this scan."),
    "unknown": ("bad", "Not registered", "Nobody is registered with this code."),
    "garbled": ("bad", "Scan again", "Not a ticket code, or it was misread. Try again, or look up the name."),
    "invalid": ("bad", "Not sent right", "This device sends scans in a wrong form. Reload the page."),
}
"""By the answer: its tone, what is said in large letters, and what below."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer as the page shows it without scripts; ``override_text`` is a code that may be admitted anyway."""

    tone: str
    word: str
    more: str
    override_text: str | None = None


@dataclass(frozen=True, slots=True)
class NearEvent:
    """An event whose doors may be open."""

    event_id: str
    title: str


@router.get("/door")
def door(page: Annotated[Page, shows("scan")], event_id: str = "") -> Response:
    """The page, for the door of that event; for whatever event a code names when there is none."""
    return _page(page, event_id)


@router.post("/door")
def door_by_form(
    page: Annotated[Page, acts("scan")],
    text: Annotated[str, Form(max_length=5_000)] = "",
    event_id: Annotated[str, Form(max_length=200)] = "",
    override: Annotated[bool, Form()] = False,
) -> Response:
    """One scan sent as a form, by a browser without scripts."""
    now = page.services.now()
    key_id = page.session.key.key_id
    admitted_by = Override(key_id) if override else None
    scan = Scan(str(storable(text)), now, key_id, None, event_id.strip() or None, admitted_by)
    (decision,) = page.services.door.decide([scan], now)
    return _page(page, event_id, _shown(page, decision, text))


def _page(page: Page, event_id: str, shown: Shown | None = None) -> Response:
    return page.show("door.html", events=_near_events(page, event_id), chosen=event_id, shown=shown, words=WORDS)


def _shown(page: Page, decision: Decision, text: str) -> Shown:
    tone, word, more = WORDS[decision.answer]
    if decision.answer == "already_in" and decision.since:
        more = f"Since {page.dashboard.formats.weekday(decision.since)}."
    return Shown(tone, word, more, text if decision.may_override else None)


def _near_events(page: Page, chosen: str) -> list[NearEvent]:
    """Events of yesterday, today and tomorrow, and the chosen one; none while the warehouse cannot be read."""
    now = page.services.now()
    try:
        with page.dashboard.warehouse() as (session, _):
            rows = session.rows(
                "SELECT event_id, title FROM mirror.dim_events WHERE event_id <> 'unknown' AND title IS NOT NULL "
                "AND (event_id = $chosen OR starts_at BETWEEN $first AND $last) ORDER BY starts_at, title",
                {"chosen": chosen, "first": now - _NEAR, "last": now + _NEAR},
            )
    except Problem:
        # Codes are read and kept all the same.
        return []
    return [NearEvent(**row) for row in rows]
