"""A page that is asked for: who asks, what they may see, and how it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Form, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from event_pipeline.api.access import admitted, require_scopes
from event_pipeline.api.dashboard.dashboard import Dashboard
from event_pipeline.api.dashboard.navigation import entries_for
from event_pipeline.api.keys import Scope
from event_pipeline.api.openapi import version
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services
from event_pipeline.api.sessions import BrowserSession, Notice, is_same_origin, session_of

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    # Browsers hide the origin of forms where no referrer is sent at all.
    "Referrer-Policy": "same-origin",
}
SIGN_IN = "/sign-in"


@dataclass(frozen=True)
class Page:
    """One request for a page, by someone signed in."""

    request: Request
    dashboard: Dashboard
    session: BrowserSession

    @property
    def services(self) -> Services:
        """The parts of the API."""
        return self.dashboard.services

    def may(self, scope: Scope) -> bool:
        """Whether the key has that scope."""
        return scope in self.session.key.scopes

    @cached_property
    def notice(self) -> Notice | None:
        """What the last form came to, shown once."""
        return self.services.sessions.take(self.session)

    def show(self, template: str, **context: Any) -> Response:
        """The page of that template."""
        return HTMLResponse(self.dashboard.html(template, **frame(self), **context), headers=HEADERS)

    def go(self, path: str, notice: Notice | None = None) -> Response:
        """To another page, which shows the notice."""
        if notice:
            self.services.sessions.leave(self.session, notice)
        return RedirectResponse(path, 303)


def frame(page: Page) -> dict[str, Any]:
    """What the frame around every page shows."""
    key, path = page.session.key, page.request.url.path
    return {
        "page": page,
        "path": path,
        "menu": entries_for(key),
        "organisation": page.services.settings.organisation,
        "now": page.services.now(),
        "standing": page.dashboard.feed.standing() if page.may("read") else None,
        "version": version(),
    }


def dashboard_of(request: Request) -> Dashboard:
    """The dashboard of the application that answers."""
    return request.app.state.dashboard


def signed_in(request: Request) -> Page | None:
    """The page, when somebody is signed in."""
    dashboard = dashboard_of(request)
    session = session_of(request, dashboard.services.sessions)
    return Page(request, dashboard, session) if session else None


def shows(*scopes: Scope) -> Any:
    """A dependency for a page: someone signed in with all of these scopes. Gives the Page."""

    def shown(request: Request) -> Page:
        return _allowed(request, scopes)

    return Depends(shown)


def acts(*scopes: Scope) -> Any:
    """A dependency for what a form sends: as ``shows``, with the session's token in the field ``token``."""

    def acted(request: Request, token: Annotated[str, Form(max_length=200)] = "") -> Page:
        page = _allowed(request, scopes)
        check_form(page, token)
        return page

    return Depends(acted)


def check_form(page: Page, token: str) -> None:
    """Raises Problem for a form that no page of this session sent."""
    if not is_same_origin(page.request) or not page.session.accepts(token):
        raise Problem("forbidden", "the form is not of this session; open the page again and send it from there")


def sign_in_path(request: Request) -> str:
    """Where to sign in, and come back from."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    comes_back = request.method == "GET" and target != "/"
    return f"{SIGN_IN}?next={quote(target, safe='/')}" if comes_back else SIGN_IN


def _allowed(request: Request, scopes: tuple[Scope, ...]) -> Page:
    page = signed_in(request)
    if page is None:
        raise Problem("unauthorized", "sign in with an API key")
    admitted(request, page.services, page.session.key)
    require_scopes(page.session.key, *scopes)
    return page
