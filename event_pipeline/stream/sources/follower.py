"""Keeps a source's connections alive: opens them, hands on what they receive, notices silence, backs off, reports.

Each connection is read by a thread of its own, so that a slow or refused one keeps no other; everything else happens
in the following thread alone.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from event_pipeline.errors import PermanentError, PipelineError, TransientError
from event_pipeline.sources.retry import MAX_WAIT_SECONDS
from event_pipeline.stream.sources.connection import Channel, Connection, SilenceError
from event_pipeline.stream.sources.live_source import LiveReport, LiveState, Report
from event_pipeline.stream.sources.mailbox import Mailbox

log = structlog.get_logger()

_WORST_FIRST: tuple[LiveState, ...] = ("refused", "unavailable", "silent", "connecting", "live")
_FIRST_WAIT_SECONDS = 0.5
_JOIN_SECONDS = 10.0
_LOOKED_AFTER_SECONDS = 30.0
"""So often it is made sure that every connection is still read."""


@dataclass(eq=False)
class _Link:
    """A connection that is open, and the thread that reads it."""

    connection: Connection
    heard_at: float
    is_closed: bool = False
    is_putting: bool = False
    thread: threading.Thread | None = None


@dataclass(eq=False)
class _Line:
    """A channel and how it fares; ``attempts`` counts connections lost since it was last live."""

    channel: Channel
    state: LiveState = "connecting"
    message: str = ""
    attempts: int = 0
    retry_at: float = 0.0
    link: _Link | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    """A message, or why the connection ended."""

    line: _Line
    link: _Link
    message: Any = None
    end: BaseException | None = None


@dataclass
class Follower:
    """Follows channels until ``stop`` is set. ``refused_seconds`` is how long a refused one is left alone."""

    source: str
    report: Report
    stop: threading.Event
    refused_seconds: float
    clock: Callable[[], float] = time.monotonic
    _lines: list[_Line] = field(default_factory=list)
    _links: set[_Link] = field(default_factory=set)
    _told: dict[str, tuple[LiveState, str]] = field(default_factory=dict)
    _mailbox: Mailbox[_Item] = field(default_factory=Mailbox)

    def add(self, channel: Channel) -> None:
        """Follow one more channel."""
        line = _Line(channel)
        self._lines.append(line)
        self._tell(line, "connecting", "")

    def run(self) -> None:
        """Returns when ``stop`` is set and every connection is closed."""
        threading.Thread(target=self._wake_at_stop, name=f"{self.source}-stop", daemon=True).start()
        try:
            while not self.stop.is_set():
                wait = self._look_after_lines()
                item = self._mailbox.get(wait)
                if item is not None and not item.link.is_closed:
                    self._take(item)
                if self._mailbox.is_empty:
                    self._idle()
        finally:
            for line in self._lines:
                self._close(line)
            for link in list(self._links):
                if link.thread is not None and link.thread.is_alive():
                    link.thread.join(_JOIN_SECONDS)

    def _wake_at_stop(self) -> None:
        self.stop.wait()
        self._mailbox.wake()

    def _look_after_lines(self) -> float | None:
        """Opens what is due, drops what is silent; seconds until there is something to do again."""
        waits: list[float] = []
        for line in list(self._lines):
            now = self.clock()
            if line.link is None and now >= line.retry_at:
                self._open(line)
            if line.link is not None and self._has_died(line.link):
                self._lose(line, TransientError("the thread that reads the connection ended without a word"))
            if line.link is None:
                waits.append(line.retry_at - now)
            elif line.channel.silent_seconds is not None:
                heard_at = now if line.link.is_putting else line.link.heard_at
                left = heard_at + line.channel.silent_seconds - now
                if left <= 0:
                    self._lose(line, SilenceError(f"nothing was heard for {line.channel.silent_seconds:g} s"))
                    left = line.retry_at - now
                waits.append(left)
        if any(line.link is not None for line in self._lines):
            waits.append(_LOOKED_AFTER_SECONDS)
        return max(0.0, min(waits)) if waits else None

    def _has_died(self, link: _Link) -> bool:
        """Whether nobody reads it any more and its end was not told, for want of memory for instance."""
        # In this order: what a thread put before it ended is seen.
        return link.thread is not None and not link.thread.is_alive() and self._mailbox.is_empty

    def _open(self, line: _Line) -> None:
        try:
            connection = line.channel.connect()
        except PipelineError as error:
            self._lose(line, error)
            return
        link = _Link(connection, self.clock())
        line.link = link
        self._links.add(link)
        link.thread = threading.Thread(
            target=self._read, args=(line, link), name=f"{self.source}-{line.channel.collection}", daemon=True
        )
        link.thread.start()

    def _read(self, line: _Line, link: _Link) -> None:
        """The reading thread."""
        end: BaseException = TransientError("the other side ended the connection")
        try:
            for message, size in link.connection.messages():
                if not self._put(_Item(line, link, message), size):
                    break
        except BaseException as error:  # noqa: BLE001 - raised again in the following thread unless it is the pipeline's own
            end = error
        self._put(_Item(line, link, end=end), 0)
        self._links.discard(link)

    def _put(self, item: _Item, size: int) -> bool:
        link = item.link
        link.is_putting = True
        is_put = self._mailbox.put(item, size, lambda: link.is_closed)
        link.heard_at = self.clock()
        link.is_putting = False
        return is_put

    def _take(self, item: _Item) -> None:
        line = item.line
        if item.end is not None:
            if not isinstance(item.end, PipelineError):
                raise item.end
            self._lose(line, item.end)
            return
        try:
            is_live = line.channel.receive(item.message)
        except PipelineError as error:
            self._lose(line, error)
            return
        if is_live:
            line.attempts = 0
            self._tell(line, "live", "")

    def _idle(self) -> None:
        for line in list(self._lines):
            if line.link is None:
                continue
            try:
                line.channel.idle()
            except PipelineError as error:
                self._lose(line, error)

    def _lose(self, line: _Line, error: PipelineError) -> None:
        self._close(line)
        line.channel.lost(error)
        line.attempts += 1
        if isinstance(error, PermanentError):
            wait = self.refused_seconds
            self._tell(line, "refused", str(error))
        else:
            asked = error.retry_after_seconds if isinstance(error, TransientError) else None
            wait = max(backoff_seconds(line.attempts), min(asked or 0.0, MAX_WAIT_SECONDS))
            self._tell(line, _state_after(error, line), str(error))
        line.retry_at = self.clock() + wait
        log.info(
            "live_connection_lost", source=self.source, collection=line.channel.collection,
            state=line.state, message=str(error), retry_seconds=round(wait, 1),
        )  # fmt: skip

    def _close(self, line: _Line) -> None:
        if line.link is not None:
            line.link.is_closed = True
            line.link.connection.close()
            line.link = None
            self._mailbox.wake()

    def _tell(self, line: _Line, state: LiveState, message: str) -> None:
        """Reports a collection by the channel that fares worst, when that changes."""
        line.state, line.message = state, message
        collection = line.channel.collection
        lines = [other for other in self._lines if other.channel.collection == collection]
        worst = min(lines, key=lambda other: _WORST_FIRST.index(other.state))
        if self._told.get(collection) != (worst.state, worst.message):
            self._told[collection] = (worst.state, worst.message)
            self.report(LiveReport(self.source, collection, worst.state, worst.message, datetime.now(UTC)))


def backoff_seconds(attempts: int) -> float:
    """Seconds to wait after so many failures in a row: doubling, bounded, and jittered by up to a half."""
    return random.uniform(0.5, 1.0) * min(MAX_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 2 ** min(attempts - 1, 20))  # noqa: S311


def _state_after(error: PipelineError, line: _Line) -> LiveState:
    """Servers end connections as a matter of course: only the second failure in a row counts as unavailable."""
    if isinstance(error, SilenceError):
        return "silent"
    return "connecting" if line.attempts == 1 and line.state != "silent" else "unavailable"
