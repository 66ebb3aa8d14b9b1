"""Bounds what clients may hold: how many connections, for how long they may be idle or slow, how large headers are."""

from __future__ import annotations

import asyncio
import resource
from collections import OrderedDict
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from event_pipeline.settings.sections import Api

_SHARE_OF_FILES = 2
"""At most every second file that the process may open is a connection: the warehouse and the disk need the others."""

_CLOSING_SECONDS = 5.0
BACKLOG = 64
"""Connections that are accepted in one go, and so the most by which their number is exceeded for a moment."""


class Connections:
    """The open connections of one server, those that wait for a client first in, first closed. For its loop only."""

    def __init__(self, settings: Api) -> None:
        self.settings = settings
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = settings.connections
        self.most = most if files == resource.RLIM_INFINITY else max(1, min(most, files // _SHARE_OF_FILES))
        self._waiting: OrderedDict[BoundedProtocol, None] = OrderedDict()
        self._open: set[BoundedProtocol] = set()

    def opened(self, connection: BoundedProtocol) -> bool:
        """Take it in, in the place of the one that has waited for its client the longest; whether there is room."""
        while len(self._open) >= self.most:
            if not self._waiting:
                return False
            oldest = next(iter(self._waiting))
            self.closed(oldest)
            oldest.abort()
        self._open.add(connection)
        self._waiting[connection] = None
        return True

    def waits(self, connection: BoundedProtocol) -> None:
        """It waits for its client's next request."""
        if connection in self._open:
            self._waiting[connection] = None
            self._waiting.move_to_end(connection)

    def works(self, connection: BoundedProtocol) -> None:
        """A request of its client's is being answered."""
        self._waiting.pop(connection, None)

    def closed(self, connection: BoundedProtocol) -> None:
        """It is gone."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)


class BoundedProtocol(H11Protocol):
    """uvicorn's protocol, which closes a connection whose client is slow: to send headers, a body, or to read.

    What goes on for as long as the client reads it, such as the updates of open pages, has no end.
    """

    limits: Connections

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(transport)
        if not self.limits.opened(self):
            self.transport.write(_FULL)
            self.transport.close()
            return
        self._expect_within(self.limits.settings.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self.limits.closed(self)
        self._expect_within(None)
        self._read_within(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came; the first of the next request begins the time for its headers."""
        if self.timeout_keep_alive_task is not None:
            self._expect_within(self.limits.settings.header_seconds)
        super().data_received(data)

    def handle_events(self) -> None:
        """Take in what came, and expect what is missing of it in time."""
        before = self.cycle
        super().handle_events()
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.limits.works(self)
            if not self.cycle.more_body:
                self._expect_within(None)
            elif self.cycle is not before:
                self._expect_within(self.limits.settings.body_seconds)

    def on_response_complete(self) -> None:
        """A request was answered."""
        self._expect_within(None)
        self.limits.waits(self)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        self._read_within(self.limits.settings.send_seconds)

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self._read_within(None)

    def timeout_keep_alive_handler(self) -> None:
        """Nothing more was asked: close it, at once where the client does not even read what it was sent."""
        super().timeout_keep_alive_handler()
        self._read_within(_CLOSING_SECONDS)

    def abort(self) -> None:
        """Close it now, whatever is on its way."""
        self.transport.abort()

    def _expect_within(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._too_slow)

    def _read_within(self, seconds: float | None) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = None if seconds is None else self.loop.call_later(seconds, self.abort)

    def _too_slow(self) -> None:
        """What was expected did not come: a half request is told so, an idle connection is just closed."""
        if self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            self.transport.write(_TOO_SLOW)
        self.transport.close()
        self._read_within(_CLOSING_SECONDS)


def bounded_protocol(limits: Connections) -> type[BoundedProtocol]:
    """The protocol of one server's connections."""
    return type("BoundedProtocol", (BoundedProtocol,), {"limits": limits})


def _plain(status: str, retry: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\n{retry}content-length: 0\r\nconnection: close\r\n\r\n".encode()


_TOO_SLOW = _plain("408 Request Timeout")
_FULL = _plain("503 Service Unavailable", "retry-after: 5\r\n")
