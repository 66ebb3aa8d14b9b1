"""``Idempotency-Key``: a POST that is sent again is answered again, not done again.

The order: the key is claimed on disk, the request is done, its answer is stored under the key. A claim that was left
without an answer, by a kill or an error nobody foresaw, says that it may have been done: it is never done again under
that key, but answered by the problem ``outcome-unknown`` until the key is forgotten. What only reads is done again.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated

import orjson
from fastapi import Header, Request, Response
from pydantic import BaseModel

from event_pipeline.api.database import Database
from event_pipeline.api.problems import Problem
from event_pipeline.control.errors import UnansweredError
from event_pipeline.errors import PipelineError
from event_pipeline.sqlite import instant, stamp

KEPT = timedelta(hours=24)
_MOST_KEPT_BYTES = 1_000_000
"""Only reading answers more than that, and reading may be done again."""

_DEAD_AFTER = timedelta(minutes=5)
"""A request that has not ended by then was cut short with its process."""

_CUT_SHORT = "cut short"
"""Stands where an answer's headers would, while there is no status."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of your own, such as a UUID: sent again within 24 hours with the same body, the request "
        "is answered as it was and not done again.",
    ),
]
"""A route's parameter for the key."""


@dataclass(frozen=True)
class Answer:
    """What a POST answers; a body of bytes is JSON unless a ``Content-Type`` in the headers says otherwise."""

    body: BaseModel | bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class StoredAnswers:
    """Answers by API key and idempotency key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def once(
        self,
        request: Request,
        key_id: str,
        idempotency_key: str | None,
        body: BaseModel | None,
        act: Callable[[], Answer],
        *,
        only_reads: bool = False,
    ) -> Response:
        """Do it, or answer as before. Raises Problem: key-reused, in-progress, outcome-unknown.

        What is refused is not kept: nothing was done.
        """
        if idempotency_key is None:
            return _response(act())
        fingerprint = _fingerprint(request, body)
        stored = self._claim(key_id, idempotency_key, fingerprint, only_reads=only_reads)
        if stored is not None:
            return stored
        try:
            answer = act()
        except BaseException as error:
            if only_reads or (isinstance(error, Problem | PipelineError) and not isinstance(error, UnansweredError)):
                self._forget(key_id, idempotency_key)
            else:
                self._cut_short(key_id, idempotency_key)
            raise
        response = _response(answer)
        if only_reads and len(response.body) > _MOST_KEPT_BYTES:
            self._forget(key_id, idempotency_key)
            return response
        try:
            self._store(key_id, idempotency_key, answer, bytes(response.body))
        except BaseException:
            self._cut_short(key_id, idempotency_key)
            raise
        return response

    def _store(self, key_id: str, idempotency_key: str, answer: Answer, body: bytes) -> None:
        headers = orjson.dumps(dict(answer.headers)).decode()
        self._database.execute(
            "UPDATE stored_answers SET status = ?, headers = ?, body = ? WHERE key_id = ? AND idempotency_key = ?",
            (answer.status, headers, body, key_id, idempotency_key),
        )

    def _claim(self, key_id: str, idempotency_key: str, fingerprint: str, *, only_reads: bool) -> Response | None:
        """The stored answer; None when this request is the one to do it."""
        now = datetime.now(UTC)
        with self._database.transaction():
            self._database.execute(
                "DELETE FROM stored_answers WHERE at < ? OR (? AND status IS NULL AND at < ? AND fingerprint = ?)",
                (stamp(now - KEPT), only_reads, stamp(now - _DEAD_AFTER), fingerprint),
            )
            rows = self._database.execute(
                "SELECT * FROM stored_answers WHERE key_id = ? AND idempotency_key = ?", (key_id, idempotency_key)
            )
            if not rows:
                self._database.execute(
                    "INSERT INTO stored_answers (key_id, idempotency_key, fingerprint, at) VALUES (?, ?, ?, ?)",
                    (key_id, idempotency_key, fingerprint, stamp(now)),
                )
                return None
        (row,) = rows
        if row["fingerprint"] != fingerprint:
            raise Problem("key-reused", "this Idempotency-Key came with another path or body; use a new one")
        if row["status"] is None:
            began = instant(row["at"])
            if row["headers"] == _CUT_SHORT or began < now - _DEAD_AFTER:
                raise Problem(
                    "outcome-unknown",
                    f"it began at {began:%H:%M:%S} UTC and was cut short, so that it may have been done or not; look "
                    "whether it was (GET /api/pipeline/audit, or what it would have made), and if not, send it with a "
                    "new Idempotency-Key",
                )
            raise Problem(
                "in-progress", f"it began at {began:%H:%M:%S} UTC; ask again in a second", {"Retry-After": "1"}
            )
        headers = orjson.loads(row["headers"]) | {"Idempotency-Replayed": "true"}
        return Response(row["body"], row["status"], headers, "application/json")

    def _cut_short(self, key_id: str, idempotency_key: str) -> None:
        """It may have been done; where even this cannot be written, the claim says so once it is old."""
        with suppress(sqlite3.Error):
            self._database.execute(
                "UPDATE stored_answers SET headers = ? WHERE key_id = ? AND idempotency_key = ?",
                (_CUT_SHORT, key_id, idempotency_key),
            )

    def _forget(self, key_id: str, idempotency_key: str) -> None:
        self._database.execute(
            "DELETE FROM stored_answers WHERE key_id = ? AND idempotency_key = ?", (key_id, idempotency_key)
        )


def _fingerprint(request: Request, body: BaseModel | None) -> str:
    said = (request.method, request.url.path, body.model_dump_json() if body is not None else "")
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _response(answer: Answer) -> Response:
    body = answer.body if isinstance(answer.body, bytes) else answer.body.model_dump_json()
    return Response(body, answer.status, dict(answer.headers), "application/json")
