"""The dashboard served on loopback, and a browser that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
import uvicorn

from event_pipeline.api.app import create_app
from event_pipeline.api.keys import SCOPES
from event_pipeline.api.services import Services
from event_pipeline.api.sessions import COOKIE
from event_pipeline.settings import Settings
from event_pipeline_tests.api.organisation import NOW

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_PATIENCE_MILLISECONDS = 90_000
_PHONE, _DESKTOP = (390, 844), (1280, 900)
Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Site:
    """The dashboard answering at ``url``, at NOW."""

    url: str
    services: Services
    settings: Settings

    def session(self, *scopes: str) -> str:
        """The cookie of someone who signed in with a new key of these scopes, all by default."""
        key, _ = self.services.keys.create("a test's", scopes or SCOPES)
        return self.services.sessions.begin(key, 1).secret


@contextmanager
def served(settings: Settings) -> Iterator[Site]:
    """The application behind uvicorn, on a port that is free."""
    services = Services.of(settings)
    services.now = lambda: NOW
    app = create_app(settings, services)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            _wait_for(server, thread)
            yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", services, settings)
        finally:
            app.state.dashboard.feed.close()
            server.should_exit = True
            thread.join(30)


def _wait_for(server: uvicorn.Server, thread: threading.Thread) -> None:
    pause = threading.Event()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        pause.wait(0.02)


@contextmanager
def launched_browser() -> Iterator[Browser]:
    """Chromium, which no test of a page can do without; a missing one skips, and fails where CI is set."""
    from playwright.sync_api import sync_playwright

    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        reason = "Chromium is not installed (Debian: apt-get install chromium)"
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(f"CI must not skip: {reason}")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(Path(path)), args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page that is open, with what the browser had to complain about and which other hosts were asked."""

    site: Site
    page: Page
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    expected: str = "(nothing)"
    """What complaints are to be about, such as the status of a page that says what is wrong."""

    def open(self, path: str) -> Page:
        """Go there, and wait until its charts are drawn."""
        self.page.goto(self.site.url + path)
        self.page.wait_for_function(
            "[...document.querySelectorAll('figure[data-chart]')].every((figure) => figure.dataset.drawn)"
        )
        return self.page

    def check_accessible(self) -> None:
        """Axe finds nothing, and nothing is wider than the window."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
        assert self.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")

    def text(self, selector: str) -> str:
        """What is written there, with single spaces."""
        return " ".join(self.page.locator(selector).inner_text().split())


@contextmanager
def visiting(
    browser: Browser, site: Site, secret: str = "", *, is_phone: bool = False, scheme: Scheme = "light",
    has_scripts: bool = True,
) -> Iterator[Visit]:  # fmt: skip
    """A browser of one's own, signed in with that cookie. Nothing may be wrong in it at the end."""
    width, height = _PHONE if is_phone else _DESKTOP
    size: ViewportSize = {"width": width, "height": height}
    context = browser.new_context(viewport=size, color_scheme=scheme, java_script_enabled=has_scripts)
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    if secret:
        context.add_cookies([{"name": COOKIE, "value": secret, "url": site.url}])
    visit = Visit(site, context.new_page())
    visit.page.on("console", lambda said: visit.complaints.append(said.text) if said.type == "error" else None)
    visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    context.on("request", lambda request: _note_host(visit, request.url))
    try:
        yield visit
    finally:
        context.close()
    assert visit.elsewhere == []
    assert [said for said in visit.complaints if visit.expected not in said] == []


def _note_host(visit: Visit, url: str) -> None:
    if not url.startswith((visit.site.url + "/", "data:")):
        visit.elsewhere.append(url)
