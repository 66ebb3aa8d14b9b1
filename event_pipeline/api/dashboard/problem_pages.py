"""Errors as pages, for browsers that asked for one: what it means, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Scope

from event_pipeline.api.dashboard.navigation import home_of
from event_pipeline.api.dashboard.page import HEADERS, dashboard_of, frame, sign_in_path, signed_in
from event_pipeline.api.observe import notes_of
from event_pipeline.api.problems import KINDS

_OTHERS = ("/api/", "/webhooks/", "/scans", "/assets/", "/updates", "/docs", "/openapi.json")
"""What no person opens by itself: answered with problem documents."""


@dataclass(frozen=True, slots=True)
class _Said:
    title: str
    advice: str


_SAID = {
    "not-found": _Said("There is no such page", "It may have been renamed, or the event it was about is gone."),
    "forbidden": _Said(
        "This needs another key",
        "Your key does not allow this. Whoever runs the pipeline can issue one that does, with `event-pipeline keys`.",
    ),
    "warehouse-not-ready": _Said(
        "There is nothing to show yet",
        "The tables have not been made, or are being made anew. This page comes by itself as soon as they are there.",
    ),
    "busy": _Said("Too many people look at once", "Wait a moment and try again."),
    "timeout": _Said("This took too long", "The warehouse is busy. Wait a moment and try again."),
    "rate-limited": _Said("Too many requests", "The key has used up what it may ask in a minute. Wait a moment."),
    "invalid": _Said("This address does not make sense", "A part of it has a value that is not allowed."),
    "internal": _Said("Something went wrong here", "It was written to the log, under the number below."),
}
_WAITING = frozenset({"warehouse-not-ready"})


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks, for something that is a page."""
    accepts = "text/html" in request.headers.get("accept", "")
    return accepts and not request.url.path.startswith(_OTHERS)


def fault_page(scope: Scope, detail: str) -> Response | None:
    """What went wrong as a page, without the frame: that may be what went wrong. None where no page is wanted."""
    request = Request(scope)
    if not wants_page(request):
        return None
    status, said = KINDS["internal"][0], _SAID["internal"]
    context = {
        "title": said.title,
        "advice": said.advice,
        "detail": detail,
        "again": request.url.path if request.method == "GET" else "/",
        "again_text": "Try again",
        "request_id": notes_of(scope).request_id,
    }
    dashboard = dashboard_of(request)
    organisation = dashboard.services.settings.organisation
    return HTMLResponse(dashboard.html("problem_alone.html", organisation=organisation, **context), status, HEADERS)


def problem_page(request: Request, kind: str, detail: str, status: int | None = None) -> Response:
    """The problem as a page; to sign in, where nobody is signed in."""
    if kind == "unauthorized":
        return RedirectResponse(sign_in_path(request), 303)
    known, title = KINDS[kind]
    notes_of(request.scope).problem = kind
    said = _SAID.get(kind, _Said(title, "Go back and try again."))
    page = signed_in(request)
    dashboard = dashboard_of(request)
    tries_again = request.method == "GET" and kind not in ("not-found", "forbidden", "invalid")
    context = {
        "title": said.title,
        "advice": said.advice,
        "detail": detail,
        "again": str(request.url.path) if tries_again else home_of(page.session.key) if page else "/",
        "again_text": "Try again" if tries_again else "Go to the first page",
        "request_id": notes_of(request.scope).request_id,
        "is_waiting": kind in _WAITING,
    }
    framed = frame(page) if page else {"organisation": dashboard.services.settings.organisation}
    html = dashboard.html("problem.html" if page else "problem_alone.html", **framed, **context)
    return HTMLResponse(html, status or known, HEADERS)
