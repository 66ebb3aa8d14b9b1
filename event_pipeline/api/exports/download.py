"""A finished file as an answer, whole or by the part that the client lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import FileResponse

from event_pipeline.api.problems import Problem

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

_WRONG_RANGE = frozenset({400, 416})


class Download(FileResponse):
    """As the framework's, but a wrong ``Range`` is a problem document like any other."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Raises Problem: wrong-range."""

        async def send_unless_wrong(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _WRONG_RANGE:
                size = self.stat_result.st_size if self.stat_result else 0
                detail = f"the header Range must name bytes that the file has, such as bytes=0-99; it has {size:,}"
                raise Problem("wrong-range", detail, {"Content-Range": f"bytes */{size}"})
            await send(message)

        await super().__call__(scope, receive, send_unless_wrong)
