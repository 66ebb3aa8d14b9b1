"""One collection of the Realtime Database, event by event: which documents an event touches, and their new state.

Every connection begins with all that the collection holds, so it needs no position to go on from; what the lake holds
already is not emitted again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from event_pipeline.errors import PipelineError
from event_pipeline.sources.change import Change, ChangeBatch, later_than
from event_pipeline.sources.documents import encode_document
from event_pipeline.sources.firebase_cursor import NESTED_COLLECTIONS
from event_pipeline.sources.realtime_database_reader import NAME, RealtimeDatabaseReader
from event_pipeline.sources.retry import with_retries
from event_pipeline.stream.sources.event_stream import Event, KeepAlive, WholeBegins, WholeEnds, WholePart, Written
from event_pipeline.stream.sources.listing import Listing
from event_pipeline.stream.sources.live_source import Emit
from event_pipeline.stream.sources.realtime_http import EventConnection, RealtimeHttp
from event_pipeline.stream.sources.recent import RecentVersions

_ATTEMPTS = 3

_State = tuple[datetime, Any]
"""When a document was seen, and what it was; None when it was gone."""


@dataclass
class RealtimeDatabaseAccess:
    """What the channels of one database share."""

    http: RealtimeHttp
    reader: RealtimeDatabaseReader
    versions: RecentVersions
    emit: Emit
    pool: ThreadPoolExecutor
    now: Callable[[], datetime]
    sleep: Callable[[float], None]


@dataclass
class RealtimeDatabaseTarget:
    """A ``Channel``. Changes are put off until nothing more arrives, up to ``batch_changes`` documents."""

    collection: str
    access: RealtimeDatabaseAccess
    silent_seconds: float | None
    batch_changes: int
    _listing: Listing | None = None
    _seen_at: datetime | None = None
    _written: dict[str, _State] = field(default_factory=dict)
    _unread: dict[str, None] = field(default_factory=dict)

    def connect(self) -> EventConnection:
        """A stream that begins with everything."""
        self._listing, self._seen_at = None, self.access.now()
        self._written.clear()
        self._unread.clear()
        return self.access.http.events(self.collection)

    def lost(self, error: PipelineError) -> None:
        """The next connection brings whatever was put off."""

    def receive(self, message: Event) -> bool:
        """Takes an event; true once everything was received."""
        match message:
            case KeepAlive():
                return self._seen_at is None
            case WholeBegins():
                # As old as the request, for a write during it must not be masked; a later put of all is as old as now.
                self._seen_at = self._seen_at or self.access.now()
                self._written.clear()
                self._unread.clear()
                self._listing = Listing()
            case WholePart():
                self._take_part(message.documents)
            case WholeEnds():
                self._emit_missing()
                self._listing, self._seen_at = None, None
                return True
            case Written():
                self._take_write(message.kind, _segments(message.path), message.data)
                if len(self._written) + len(self._unread) >= self.batch_changes:
                    self.idle()
        return False

    def idle(self) -> None:
        """Reads the documents of which only parts were told, and emits what changed."""
        if not self._written and not self._unread:
            return
        unread, self._unread = list(self._unread), {}
        states, self._written = self._written, {}
        states.update(zip(unread, self.access.pool.map(self._read, unread), strict=True))
        self._emit([self._change(key, seen_at, data) for key, (seen_at, data) in states.items()])

    def _take_part(self, documents: Iterable[tuple[str, str]]) -> None:
        seen_at, listing = self._seen_at, self._listing
        if seen_at is None or listing is None:
            return
        found = [item for item in documents if not self._is_nested or "/" in item[0]]
        for start in range(0, len(found), self.batch_changes):
            part = found[start : start + self.batch_changes]
            for key, _ in part:
                listing.add(key, 0)
            self._emit([self._change(key, seen_at, json.loads(text)) for key, text in part])

    def _emit_missing(self) -> None:
        """Known documents that everything lacks are gone, unless a second listing has them."""
        if self._listing is None:
            return
        reader, seen_at = self.access.reader, self.access.now()
        missing = self._listing.missing(self.access.versions, self.collection)
        listed: set[str] | None = None
        while part := list(islice(missing, reader.page_size)):
            if listed is None:
                leaves = reader.leaves(self.collection)
                listed = {leaf.document_id(key) for leaf in leaves for key in reader.keys(leaf.node)}
            self._emit([self._change(key, seen_at, None) for key in part if key not in listed])

    def _take_write(self, kind: str, path: Sequence[str], data: Any) -> None:
        depth = 2 if self._is_nested else 1
        if len(path) > depth or (len(path) == depth and kind == "patch"):
            key = "/".join(path[:depth])
            self._written.pop(key, None)
            self._unread[key] = None
        elif kind == "patch":
            for name, value in _children(data).items():
                self._take_write("put", [*path, *_segments(name)], value)
        elif len(path) == depth:
            self._set("/".join(path), data)
        else:
            self._replace("".join(f"{segment}/" for segment in path), data)

    def _set(self, key: str, data: Any) -> None:
        self._unread.pop(key, None)
        self._written[key] = (self.access.now(), data)

    def _replace(self, prefix: str, data: Any) -> None:
        """Everything below a prefix was put anew: an event's part of a nested collection, or all of a collection."""
        # "0" is the character after "/", which ends the prefix.
        until = f"{prefix[:-1]}0" if prefix else None
        known = self.access.versions.in_range(self.collection, prefix or None, until)
        put_off = [key for key in [*self._written, *self._unread] if key.startswith(prefix)]
        for key in [*known, *put_off]:
            self._set(key, None)
        for name, value in _children(data).items():
            if self._is_nested and not prefix:
                for key, document in _children(value).items():
                    self._set(f"{name}/{key}", document)
            else:
                self._set(prefix + name, value)

    def _read(self, document_id: str) -> _State:
        """A document as it is now, in a thread of the pool."""
        seen_at = self.access.now()
        path = [self.collection, *document_id.split("/")]
        data = with_retries(lambda: self.access.http.document(path), attempts=_ATTEMPTS, sleep=self.access.sleep)
        return seen_at, data

    def _change(self, document_id: str, seen_at: datetime, data: Any) -> Change:
        if data is None:
            return Change.delete(NAME, self.collection, document_id, seen_at)
        return Change.upsert(NAME, self.collection, document_id, encode_document(data), seen_at)

    def _emit(self, changes: Sequence[Change]) -> None:
        """Emits the changes that differ from what is known; they carry no cursor."""
        versions = self.access.versions
        latest = versions.of_ids(self.collection, [change.document_id for change in changes])
        news = []
        for change in changes:
            before = latest.get(change.document_id)
            is_delete = change.operation == "delete"
            if before is None if is_delete else before is not None and before[18:] == change.version[18:]:
                continue
            newest = max(before or "", versions.newest(self.collection, change.document_id) or "")
            news.append(later_than(newest, change))
        if news:
            batch = ChangeBatch.of(NAME, self.collection, news)
            versions.record(batch)
            self.access.emit(batch)

    @property
    def _is_nested(self) -> bool:
        return self.collection in NESTED_COLLECTIONS


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _children(data: Any) -> dict[str, Any]:
    """Children by key; the server sends an array where the keys look like indexes."""
    if isinstance(data, list):
        return {str(index): child for index, child in enumerate(data) if child is not None}
    return data if isinstance(data, dict) else {}
