"""``/sign-in`` and ``/sign-out``: a session in exchange for an API key."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from event_pipeline.api.dashboard.navigation import home_of
from event_pipeline.api.dashboard.page import HEADERS, SIGN_IN, check_form, dashboard_of, signed_in
from event_pipeline.api.observe import notes_of
from event_pipeline.api.sessions import COOKIE, is_same_origin

router = APIRouter(include_in_schema=False)

_HOUR = 3_600


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> Response:
    """The form; who is signed in already goes on."""
    page = signed_in(request)
    if page is not None:
        return RedirectResponse(_inside(next, home_of(page.session.key)), 303)
    return _form(request, next)


@router.post("/sign-in")
def sign_in(
    request: Request,
    key: Annotated[str, Form(max_length=1_000)] = "",
    next: Annotated[str, Form(max_length=2_000)] = "/",
) -> Response:
    """Begin a session. The key is in the body, never in an address, a log or the session."""
    dashboard = dashboard_of(request)
    services = dashboard.services
    if not is_same_origin(request):
        return _form(request, next, "Open this page here and sign in from it.", 403)
    known = services.keys.recognise(key.strip())
    if known is None:
        return _form(request, next, "This key is not known here, or it was revoked or has expired.", 401)
    session = services.sessions.begin(known, services.settings.dashboard.session_hours)
    services.audit.record(known.key_id, "sign_in", "dashboard", notes_of(request.scope).request_id)
    answer = RedirectResponse(_inside(next, home_of(known)), 303)
    answer.set_cookie(
        COOKIE,
        session.secret,
        max_age=round(services.settings.dashboard.session_hours * _HOUR),
        httponly=True,
        samesite="strict",
        secure=services.settings.dashboard.is_https_only or request.url.scheme == "https",
    )
    return answer


@router.post("/sign-out")
def sign_out(request: Request, token: Annotated[str, Form(max_length=200)] = "") -> Response:
    """End the session."""
    page = signed_in(request)
    answer = RedirectResponse(SIGN_IN, 303)
    if page is not None:
        check_form(page, token)
        page.services.sessions.end(page.session)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _form(request: Request, next: str, refusal: str = "", status: int = 200) -> Response:
    dashboard = dashboard_of(request)
    organisation = dashboard.services.settings.organisation
    html = dashboard.html("sign_in.html", organisation=organisation, next=_inside(next, "/"), refusal=refusal)
    return HTMLResponse(html, status, HEADERS)


def _inside(target: str, otherwise: str) -> str:
    """The address when it is one of this site's own pages, so that nobody is led elsewhere."""
    is_own = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_own and target != "/" else otherwise
