"""How every source fares, as it last said itself: for the status table, the heartbeat and the log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import structlog

from event_pipeline.stream.heartbeat import SourceBeat, Standing
from event_pipeline.stream.sources.live_source import LiveReport

log = structlog.get_logger()

REPEATED_SECONDS = 600.0
"""A source that stays live is written down again after so long: what reads the table sees that it is still followed."""

_Place = tuple[str, str]


class Register:
    """The latest report of each source and collection, and those of them that are not committed yet. For all threads.

    ``on_report`` is called, without any lock, when there is something to commit.
    """

    def __init__(
        self, on_report: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_report, self._clock = on_report, clock
        self._lock = threading.Lock()
        self._latest: dict[_Place, LiveReport] = {}
        self._pending: dict[_Place, LiveReport] = {}
        self._written: dict[_Place, float] = {}
        self._changed_at: dict[str, datetime] = {}
        self._is_closed = False

    def expect(self, source: str, collections: Iterable[str]) -> None:
        """The source is about to be followed, and reports of these collections."""
        for collection in collections:
            self.report(LiveReport(source, collection, "connecting", "", datetime.now(UTC)))

    def report(self, report: LiveReport) -> None:
        """Takes a report; what only repeats the state keeps since when it is so."""
        place = (report.source, report.collection)
        with self._lock:
            if self._is_closed:
                return
            before = self._latest.get(place)
            if before is not None and (before.state, before.message) == (report.state, report.message):
                return
            self._latest[place] = self._pending[place] = report
        say = log.info if report.state in ("connecting", "live") else log.warning
        why = {"why": report.message} if report.message else {}
        say("source_state", source=report.source, collection=report.collection, state=report.state, **why)
        self._on_report()

    def fail(self, source: str, message: str) -> None:
        """Nothing of the source comes in until it is followed again."""
        with self._lock:
            collections = [collection for name, collection in self._latest if name == source]
        for collection in collections:
            self.report(LiveReport(source, collection, "unavailable", message, datetime.now(UTC)))

    def saw_change(self, source: str) -> None:
        """The source brought a change just now."""
        self._changed_at[source] = datetime.now(UTC)

    def pending(self) -> list[LiveReport]:
        """Reports that are to be committed: what is new, and what has stayed live since it was committed long ago."""
        with self._lock:
            long_ago = self._clock() - REPEATED_SECONDS
            repeated = {
                place: self._latest[place]
                for place, written in self._written.items()
                if written <= long_ago and self._latest[place].state == "live"
            }
            return list((repeated | self._pending).values())

    def written(self, reports: Sequence[LiveReport]) -> None:
        """These are committed."""
        with self._lock:
            for report in reports:
                place = (report.source, report.collection)
                self._written[place] = self._clock()
                if self._pending.get(place) is report:
                    del self._pending[place]

    def close(self) -> None:
        """The worker stops: every source is stopped, whatever it says from now on."""
        now = datetime.now(UTC)
        with self._lock:
            self._is_closed = True
            for place in self._latest:
                self._latest[place] = self._pending[place] = LiveReport(*place, "stopped", "", now)

    def beats(self) -> dict[str, SourceBeat]:
        """For the heartbeat."""
        with self._lock:
            latest = dict(self._latest)
        collections: dict[str, dict[str, Standing]] = {}
        for (source, collection), report in latest.items():
            collections.setdefault(source, {})[collection] = Standing(report.state, report.at, report.message)
        return {name: SourceBeat(name, found, self._changed_at.get(name)) for name, found in collections.items()}
