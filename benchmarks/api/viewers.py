"""What the dashboard costs: its first page in a browser that has never seen it, and overviews that stay open."""

from __future__ import annotations

import http.client
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlencode

from benchmarks.api.servers import Server

VIEWERS = 5

_LOADS = 7
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FOLLOWED = "/updates?topic=overview&about=month/registrations"
_DRAWN = "[...document.querySelectorAll('figure[data-chart]')].every((figure) => figure.dataset.drawn)"


@dataclass(frozen=True, slots=True)
class Looked:
    """In one state: the first page with its charts drawn, in milliseconds (None without Chromium), and the server's
    share of a core with nobody looking and with VIEWERS overviews open."""

    state: str
    first_page: float | None
    alone: float
    followed: float

    @property
    def line(self) -> str:
        """For whoever watches."""
        page = "no Chromium" if self.first_page is None else f"{self.first_page:,.0f} ms"
        return f"{self.state:8} dashboard: first page {page}; CPU {self.alone:.1%} alone, {self.followed:.1%} followed"


def look(server: Server, state: str, seconds: float) -> Looked:
    """Measures each share over so many seconds."""
    cookie = _sign_in(server)
    page = _first_page(server, cookie)
    alone = _share(server, seconds)
    with _viewers(server, cookie):
        return Looked(state, page, alone, _share(server, seconds))


def _sign_in(server: Server) -> str:
    """The cookie of a session."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    key = server.headers["Authorization"].removeprefix("Bearer ")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    connection.request("POST", "/sign-in", urlencode({"key": key}), headers)
    answer = connection.getresponse()
    answer.read()
    said = answer.getheader("Set-Cookie")
    if said is None:
        raise RuntimeError(f"signing in was answered {answer.status}")
    return said.partition(";")[0]


def _share(server: Server, seconds: float) -> float:
    used, began = server.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    return (server.cpu_seconds() - used) / (time.monotonic() - began)


@contextmanager
def _viewers(server: Server, cookie: str) -> Iterator[None]:
    """Overviews that are open, each with its connection; what comes is read and thrown away."""
    connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=60) for _ in range(VIEWERS)]
    answers = []
    for connection in connections:
        connection.request("GET", _FOLLOWED, headers={"Cookie": cookie, "Accept": "text/event-stream"})
        answers.append(connection.getresponse())
        if answers[-1].status != 200:
            raise RuntimeError(f"{_FOLLOWED} answered {answers[-1].status}")
    ended = threading.Event()

    def read(answer: http.client.HTTPResponse) -> None:
        with suppress(OSError, ValueError, http.client.HTTPException):
            while not ended.is_set() and answer.read1(65_536):
                pass

    threads = [threading.Thread(target=read, args=(answer,), daemon=True) for answer in answers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)
        for connection in connections:
            connection.close()


def _first_page(server: Server, cookie: str) -> float | None:
    """Median milliseconds from the address to the last chart, each time in a browser with nothing in its cache."""
    from playwright.sync_api import sync_playwright

    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        return None
    name, _, value = cookie.partition("=")
    url, took = f"http://127.0.0.1:{server.port}/", []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(_LOADS):
            context = browser.new_context()
            context.add_cookies([{"name": name, "value": value, "url": url}])
            page, began = context.new_page(), time.monotonic()
            page.goto(url)
            page.wait_for_function(_DRAWN)
            took.append((time.monotonic() - began) * 1000)
            context.close()
        browser.close()
    return median(took)
