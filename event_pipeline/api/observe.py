"""What surrounds every request: its id, its time, its count, safe headers, and a problem for what nobody caught."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from starlette.exceptions import HTTPException

from event_pipeline.api.problems import MEDIA_TYPE, document

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from event_pipeline.api.counters import Counters

_NOTES = "event_pipeline.notes"
_REQUEST_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)
_UNKNOWN_ROUTE = "(no route)"
_SERVER_ERROR = 500

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
"""What every answer says unless its route says it otherwise."""

PageOf = Callable[["Scope", str], "ASGIApp | None"]
"""The page that says a fault, with that detail; None where the request wants no page."""

log = structlog.get_logger(__name__)


@dataclass
class Notes:
    """What is known of a request beside what it carries; ``headers`` are added to its answer."""

    request_id: str
    headers: dict[str, str] = field(default_factory=dict)
    key_id: str | None = None
    problem: str | None = None


def notes_of(scope: Scope) -> Notes:
    """The notes of the request that is being answered."""
    return scope[_NOTES]


class Observed:
    """ASGI middleware around the whole application."""

    def __init__(
        self,
        app: ASGIApp,
        counters: Counters,
        most_bytes: int,
        page_of: PageOf | None = None,
        most_headers: tuple[int, int] = (100, 32_768),
    ) -> None:
        """``most_headers`` are how many there may be, and their bytes."""
        self._app, self._counters, self._most_bytes, self._page_of = app, counters, most_bytes, page_of
        self._most_headers, self._most_header_bytes = most_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notes = scope[_NOTES] = Notes(_request_id(scope))
        began, status = time.perf_counter(), 0
        until_answered: float | None = None

        async def send_with_headers(message: Message) -> None:
            nonlocal status, until_answered
            if message["type"] == "http.response.start":
                status = message["status"]
                if _is_endless(message["headers"]):
                    until_answered = time.perf_counter() - began
                message["headers"] = [*message["headers"], *_missing_headers(message["headers"], notes)]
            await send(message)

        try:
            if self._has_large_headers(scope):
                detail = f"at most {self._most_headers} headers of {self._most_header_bytes:,} bytes together are read"
                await self._send_problem(scope, notes, receive, send_with_headers, "headers-too-large", detail)
                return
            await self._app(scope, _limited(receive, self._most_bytes), send_with_headers)
        except Exception:
            log.exception("request_failed", request_id=notes.request_id, path=scope["path"])
            if status:
                # The answer has begun: only cutting the connection tells the client that it is not whole.
                raise
            await self._send_problem(scope, notes, receive, send_with_headers)
        finally:
            # How long somebody keeps a page open says nothing of how fast it was answered.
            seconds = time.perf_counter() - began if until_answered is None else until_answered
            route = getattr(scope.get("route"), "path", _UNKNOWN_ROUTE)
            self._counters.count(scope["method"], route, status or _SERVER_ERROR, seconds)
            log.info(
                "request", request_id=notes.request_id, method=scope["method"], path=scope["path"], status=status,
                milliseconds=round(seconds * 1000, 1), caller=notes.key_id, problem=notes.problem,
            )  # fmt: skip

    def _has_large_headers(self, scope: Scope) -> bool:
        headers = scope["headers"]
        size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        size += sum(len(name) + len(value) + 4 for name, value in headers)
        return len(headers) > self._most_headers or size > self._most_header_bytes

    async def _send_problem(
        self, scope: Scope, notes: Notes, receive: Receive, send: Send, kind: str = "internal", detail: str = ""
    ) -> None:
        """A page where the request is a person's, a problem document otherwise."""
        notes.problem = kind
        detail = detail or f"the log has the reason under the request id {notes.request_id}"
        page = self._page_of(scope, detail) if self._page_of and kind == "internal" else None
        if page is not None:
            await page(scope, receive, send)
            return
        status, body = document(kind, detail, scope["path"], notes.request_id)
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _limited(receive: Receive, most_bytes: int) -> Receive:
    """The body as it comes, refused as soon as it is too long."""
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most_bytes:
            raise HTTPException(413, f"the body may have {most_bytes:,} bytes")
        return message

    return receive_limited


def _is_endless(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the answer goes on for as long as the client listens."""
    return any(name.lower() == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers)


def _request_id(scope: Scope) -> str:
    """The client's own id where it sent a plain one, so that its log and ours can be read together."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            return text if _REQUEST_ID.fullmatch(text) else uuid.uuid4().hex
    return uuid.uuid4().hex


def _missing_headers(present: list[tuple[bytes, bytes]], notes: Notes) -> list[tuple[bytes, bytes]]:
    names = {name.lower() for name, _ in present}
    wanted = _HEADERS | notes.headers | {"x-request-id": notes.request_id}
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in wanted.items()]
    return [(name, value) for name, value in encoded if name not in names]
