"""Answers that carry an ETag: nothing is read for a client that has them, nor twice for two that ask the same."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import Request, Response
from pydantic import BaseModel

if TYPE_CHECKING:
    from event_pipeline.api.catalog_session import Session
    from event_pipeline.api.mirror import Mirrored
    from event_pipeline.api.services import Services

JSON = "application/json"
_MOST_BYTES = 32_000_000


class AnswerCache:
    """The latest answers by ETag, within a number of bytes."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes, self._bytes = most_bytes, 0
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, bytes] = OrderedDict()

    def get(self, etag: str) -> bytes | None:
        """The answer, when it is kept."""
        with self._lock:
            if etag in self._answers:
                self._answers.move_to_end(etag)
            return self._answers.get(etag)

    def put(self, etag: str, body: bytes) -> None:
        """Keep it, and let go of those that were not asked for the longest."""
        with self._lock:
            self._bytes += len(body) - len(self._answers.pop(etag, b""))
            self._answers[etag] = body
            while self._bytes > self._most_bytes:
                _, gone = self._answers.popitem(last=False)
                self._bytes -= len(gone)


def conditional(request: Request, services: Services, build: Callable[[Session, Mirrored], BaseModel]) -> Response:
    """The answer that ``build`` makes of one look at the warehouse, 304 when the client has it. Raises Problem.

    It must depend on nothing but the request's address, the warehouse's state and the organisation's day.
    """

    def look() -> tuple[Mirrored, BaseModel]:
        with services.reader.session() as session:
            # The copies may just have been exchanged for newer ones.
            state = services.mirror.state_in(session)
            return state, build(session, state)

    return _answer(request, services, services.mirror.current, look)


def of_copies(request: Request, services: Services, build: Callable[[Mirrored], BaseModel]) -> Response:
    """As ``conditional``, of what the state of the copies holds by itself."""
    state = services.mirror.current
    return _answer(request, services, state, lambda: (state, build(state)))


def _answer(
    request: Request, services: Services, state: Mirrored, look: Callable[[], tuple[Mirrored, BaseModel]]
) -> Response:
    etag = _etag(request, state, services)
    if _client_has(request, etag):
        return Response(status_code=304, headers=_headers(etag))
    body = services.cache.get(etag)
    if body is None:
        state, answer = look()
        etag = _etag(request, state, services)
        body = answer.model_dump_json().encode()
        services.cache.put(etag, body)
    return Response(body, media_type=JSON, headers=_headers(etag))


def _headers(etag: str) -> dict[str, str]:
    return {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization, X-API-Key, Cookie"}


def _etag(request: Request, state: Mirrored, services: Services) -> str:
    query = sorted(request.query_params.multi_items())
    said = repr((state.snapshot, state.committed_at, services.today, request.url.path, query))
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


def _client_has(request: Request, etag: str) -> bool:
    known = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    return etag in known or known == ["*"]
