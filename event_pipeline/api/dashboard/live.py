"""Updates of open pages as server-sent events: worked out once however many look, sent when the warehouse changed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import orjson
import structlog

from event_pipeline.api.problems import Problem

if TYPE_CHECKING:
    from event_pipeline.api.dashboard.dashboard import Dashboard, Topic

_LOOK_SECONDS = 5.0
"""How often states are looked at while nothing is committed."""

_ANYWAY_SECONDS = 20.0
"""How often pages are brought up to date when nothing has happened: time itself goes by."""

_LEAST_SHARE = 50
"""Updates are followed by a pause of so many times the time they took, but not a long one."""

_LONGEST_PAUSE_SECONDS = 5.0

_WAITING = 64
"""Updates that may wait for a slow viewer; who is further behind gets the newest only."""

log = structlog.get_logger(__name__)
About = tuple[str, str]
"""A topic and what it is about, such as an event's id."""


@dataclass(eq=False)
class Viewer:
    """An open page. ``queue`` is read by the loop that answers it; None in it ends the page's updates."""

    about: About
    loop: asyncio.AbstractEventLoop
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(_WAITING))

    def send(self, message: bytes | None) -> None:
        """Hand over an update, from any thread."""
        self.loop.call_soon_threadsafe(self._put, message)

    def _put(self, message: bytes | None) -> None:
        while self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(message)


@dataclass(frozen=True)
class Standing:
    """How things stand, for the top of every page."""

    state: str
    message: str
    as_of: datetime | None


class LiveFeed:
    """Knows who looks at what, and tells them."""

    def __init__(self, dashboard: Dashboard, topics: Mapping[str, Topic]) -> None:
        self._dashboard, self._topics = dashboard, topics
        # A signal that ends the process may come while its own thread holds it.
        self._lock = threading.RLock()
        self._viewers: set[Viewer] = set()
        self._sent: dict[About, dict[str, str]] = {}
        self._is_closed = False
        self._seen, self._looked, self._published = -1, 0.0, 0.0
        self._known: Standing | None = None

    @property
    def topics(self) -> frozenset[str]:
        """What can be followed."""
        return frozenset(self._topics)

    def join(self, about: About) -> Viewer:
        """Follow that topic from now on. Raises Problem: busy, when too many do."""
        viewer = Viewer(about, asyncio.get_running_loop())
        with self._lock:
            if self._is_closed or len(self._viewers) >= self._dashboard.services.settings.dashboard.viewers:
                raise Problem("busy", "too many pages are open; this one is not brought up to date by itself")
            self._viewers.add(viewer)
            self._sent.pop(about, None)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """The page was closed."""
        with self._lock:
            self._viewers.discard(viewer)
            if not any(other.about == viewer.about for other in self._viewers):
                self._sent.pop(viewer.about, None)

    def close(self) -> None:
        """End everyone's updates, so that the process can end."""
        with self._lock:
            self._is_closed = True
            viewers, self._viewers = list(self._viewers), set()
        for viewer in viewers:
            viewer.send(None)

    def standing(self) -> Standing:
        """How things stand: the worst part that is in use, in words."""
        from event_pipeline.api.dashboard.attention import standing_of

        return standing_of(self._dashboard.look.get(), self._dashboard.services)

    def turn(self) -> float:
        """Bring open pages up to date if there is something new, and the seconds until the next look; for a background
        task."""
        mirror, least = self._dashboard.services.mirror, self._dashboard.services.settings.dashboard.live_seconds
        moved = mirror.wait_beyond(self._seen, 1.0)
        now = time.monotonic()
        if not self._viewers:
            # Who comes has a page that is new.
            return least
        if not moved and now - self._looked < _LOOK_SECONDS:
            return 0.0
        self._looked = now
        if moved:
            self._seen = mirror.current.snapshot
        standing = self.standing()
        if not (moved or standing != self._known or now - self._published >= _ANYWAY_SECONDS):
            return 0.0
        self._known, self._published, began = standing, now, time.monotonic()
        self.publish()
        return max(least, min(_LONGEST_PAUSE_SECONDS, _LEAST_SHARE * (time.monotonic() - began)))

    def publish(self) -> None:
        """Send each page what is new on it."""
        with self._lock:
            viewers = list(self._viewers)
        for about in {viewer.about for viewer in viewers}:
            message = self._news(about)
            if message is not None:
                for viewer in viewers:
                    if viewer.about == about:
                        viewer.send(message)

    def _news(self, about: About) -> bytes | None:
        """The fragments that are other than those sent last."""
        topic, subject = about
        try:
            fragments = dict(self._topics[topic](self._dashboard, subject))
            fragments["live-standing"] = self._dashboard.html("parts.html#standing_chip", standing=self.standing())
        except Problem as problem:
            log.info("page_not_updated", topic=topic, reason=problem.detail)
            return None
        except Exception:
            # One page that cannot be worked out, say for an address that is none, must not stop the others.
            log.exception("page_not_updated", topic=topic)
            return None
        with self._lock:
            known = self._sent.get(about, {})
            self._sent[about] = fragments
        new = {name: html for name, html in fragments.items() if known.get(name) != html}
        return b"event: update\ndata: " + orjson.dumps(new) + b"\n\n" if new else None
