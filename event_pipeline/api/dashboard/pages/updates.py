"""``/updates``: the server-sent events of an open page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from event_pipeline.api.dashboard.page import Page, shows
from event_pipeline.api.problems import Problem

router = APIRouter(include_in_schema=False)

_SIGN_OF_LIFE_SECONDS = 10.0
_BEGIN = b"retry: 3000\n\n"
_SIGN_OF_LIFE = b": still here\n\n"
_SIGNED_OUT = b"event: signed-out\ndata: {}\n\n"


@router.get("/updates")
async def updates(
    page: Annotated[Page, shows("read")], topic: str = "frame", about: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Follow a topic until the page is closed or the session ends."""
    feed = page.dashboard.feed
    if topic not in feed.topics:
        raise Problem("not-found", f"there is nothing to follow called {topic!r}")
    viewer = feed.join((topic, about))

    async def events() -> AsyncIterator[bytes]:
        try:
            yield _BEGIN
            while True:
                try:
                    message = await asyncio.wait_for(viewer.queue.get(), _SIGN_OF_LIFE_SECONDS)
                except TimeoutError:
                    message = _SIGN_OF_LIFE
                if message is None:
                    return
                # A key that is revoked ends what its sessions have open.
                if page.services.sessions.recognise(page.session.secret) is None:
                    yield _SIGNED_OUT
                    return
                yield message
        finally:
            feed.leave(viewer)

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
