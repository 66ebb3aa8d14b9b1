"""Pages of a list: opaque cursors that say where the last one ended, valid for the same filters only."""

from __future__ import annotations

import base64
import hashlib
from binascii import Error as NotBase64
from typing import Annotated, Any

import orjson
from fastapi import Query

from event_pipeline.api.problems import Problem

Limit = Annotated[int, Query(ge=1, le=500, description="Most items on a page.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=1_000, description="`next_cursor` of the page before, with the same filters; the first when empty."
    ),
]


def write_cursor(filters: Any, place: list[Any]) -> str:
    """The cursor of the page after the item at that place, a list of plain values."""
    text = orjson.dumps([_mark(filters), *place])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def read_cursor(cursor: str, filters: Any, kinds: tuple[type | tuple[type, ...], ...]) -> list[Any]:
    """The place that the cursor holds, a value of each kind. Raises Problem when it is no cursor of these filters."""
    try:
        mark, *place = orjson.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (NotBase64, ValueError, TypeError):
        mark, place = None, []
    fits = len(place) == len(kinds) and all(isinstance(v, kind) for v, kind in zip(place, kinds, strict=True))
    if mark != _mark(filters) or not fits:
        raise Problem("invalid", "query.cursor: is not the next_cursor of a page with the same filters; leave it out")
    return place


def _mark(filters: Any) -> str:
    return hashlib.sha256(repr(filters).encode()).hexdigest()[:12]
