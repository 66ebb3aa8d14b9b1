"""One poll of one Firebase collection: finish the backfill by key, then sweep what the time field says is new.

Works on any ``DocumentReader``; both Firebase databases are one. A batch carries the cursor that covers it, so that a
poll may be stopped after any batch and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from event_pipeline.sources.change import Change, ChangeBatch, KnownVersions
from event_pipeline.sources.firebase_cursor import (
    Backfill,
    Kind,
    Progress,
    State,
    Sweep,
    Value,
    instant_of,
    is_far_future,
    read_cursor,
    value_at,
    write_cursor,
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A place that holds documents directly: the collection (path empty), or one event's part of a nested one."""

    path: tuple[str, ...]
    node: Any

    def document_id(self, key: str) -> str:
        """The id in the lake of the document with this key."""
        return f"{self.path[0]}/{key}" if self.path else key


@dataclass(frozen=True, slots=True)
class Page:
    """Documents of one request, in the order asked for; ``last_key`` is where the next page starts, None if empty."""

    changes: Sequence[Change]
    is_last: bool
    last_key: str | None = None
    values: Sequence[Value] = ()


class SweepUnavailable(Exception):
    """The database does not serve this sweep; everything must be read by key instead, until ``scan_until`` if set."""

    def __init__(self, scan_until: datetime | None = None) -> None:
        super().__init__("the sweep is not served")
        self.scan_until = scan_until


class DocumentReader(Protocol):
    """What a database must offer to be polled."""

    @property
    def name(self) -> str:
        """Name of the source."""
        ...

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds of time value that are swept, in order."""
        ...

    def leaves(self, collection: str) -> Iterator[Leaf]:
        """The places that hold the collection's documents, in ascending order of path."""
        ...

    def page_by_key(self, collection: str, leaf: Leaf, after: str | None) -> Page:
        """The next documents in order of key."""
        ...

    def page_by_time(
        self, collection: str, leaf: Leaf, kind: Kind, since: Value, after: tuple[Value, str] | None
    ) -> Page:
        """The next documents whose time field is of this kind and at least ``since``. Raises SweepUnavailable."""
        ...

    def news(self, changes: Sequence[Change], known: KnownVersions) -> list[Change]:
        """Only the changes that the lake does not hold already."""
        ...


class Poll:
    """One poll of one collection. ``overlap`` is how far behind its watermark a sweep starts."""

    def __init__(
        self,
        reader: DocumentReader,
        collection: str,
        known: KnownVersions,
        overlap: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._collection = collection
        self._known = known
        self._overlap = overlap
        self._now = now
        self._emitted: State | None = None

    def run(self, cursor: Mapping[str, object] | None) -> Iterator[ChangeBatch]:
        """Batches of what is new since the cursor; nothing at all when nothing is and the cursor stays."""
        began = self._now()
        state = read_cursor(self._collection, cursor) if cursor else Backfill(started_at=began)
        self._emitted = state
        has_read_everything = isinstance(state, Backfill)
        if isinstance(state, Sweep) and state.scan_until and began < state.scan_until:
            state = Backfill(started_at=began, scan_until=state.scan_until)
        if isinstance(state, Backfill):
            state = yield from self._backfill(state)
        if state.scan_until and began < state.scan_until:
            return
        try:
            yield from self._sweep(state)
        except SweepUnavailable as reason:
            if has_read_everything and reason.scan_until:
                yield self._batch((), replace(state, scan_until=reason.scan_until))
            elif not has_read_everything:
                yield from self._backfill(Backfill(started_at=began, scan_until=reason.scan_until))

    def _backfill(self, state: Backfill) -> Generator[ChangeBatch, None, Sweep]:
        for leaf in self._reader.leaves(self._collection):
            if leaf.path < state.leaf:
                continue
            after = state.after if leaf.path == state.leaf else None
            is_last = False
            while not is_last:
                page = self._reader.page_by_key(self._collection, leaf, after)
                after, is_last = page.last_key, page.is_last
                if after is not None:
                    yield self._batch(self._news(page), replace(state, leaf=leaf.path, after=after))
        # What is written while this runs may land behind the page that would have shown it, hence the start.
        done = Sweep(watermarks=dict.fromkeys(self._reader.kinds, state.started_at), scan_until=state.scan_until)
        yield self._batch((), done)
        return done

    def _sweep(self, state: Sweep) -> Iterator[ChangeBatch]:
        resumed = state.progress
        started_at = resumed.started_at if resumed else self._now()
        reached: dict[Kind, datetime] = dict(resumed.reached) if resumed else {}
        kinds = self._reader.kinds
        for leaf in self._reader.leaves(self._collection):
            for kind in kinds:
                here = (leaf.path, kinds.index(kind))
                if resumed and here < (resumed.leaf, kinds.index(resumed.kind)):
                    continue
                is_resumed = resumed is not None and here == (resumed.leaf, kinds.index(resumed.kind))
                after = resumed.after if resumed and is_resumed else None
                yield from self._sweep_kind(state, leaf, kind, after, started_at, reached)
        done = Sweep(watermarks={**state.watermarks, **reached})
        if done != self._emitted:
            yield self._batch((), done)

    def _sweep_kind(
        self, state: Sweep, leaf: Leaf, kind: Kind, after: tuple[Value, str] | None,
        started_at: datetime, reached: dict[Kind, datetime],
    ) -> Iterator[ChangeBatch]:  # fmt: skip
        since = value_at(kind, state.watermarks[kind] - self._overlap)
        is_last = False
        while not is_last:
            page = self._reader.page_by_time(self._collection, leaf, kind, since, after)
            if page.last_key is None or not page.values:
                return
            instants = [instant_of(kind, value) for value in page.values]
            # Values of clocks that run ahead must not carry the watermark past what others still write.
            honest = [instant for instant in instants if instant and instant <= started_at]
            reached[kind] = max([*honest, reached.get(kind, state.watermarks[kind])])
            after = (page.values[-1], page.last_key)
            # Behind a page that ends in the far future there are only wrong clocks; reconciliation reads those.
            is_last = page.is_last or is_far_future(kind, after[0], started_at)
            news = self._news(page)
            if news or not is_last:
                progress = Progress(started_at, leaf.path, kind, after, dict(reached))
                yield self._batch(news, replace(state, progress=progress))

    def _news(self, page: Page) -> list[Change]:
        return self._reader.news(page.changes, self._known) if page.changes else []

    def _batch(self, changes: Sequence[Change], state: State) -> ChangeBatch:
        self._emitted = state
        cursors = {self._collection: write_cursor(state)}
        return ChangeBatch.of(self._reader.name, self._collection, changes, cursors)
