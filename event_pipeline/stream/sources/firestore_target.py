"""One Listen target from connection to connection: buffers to the consistent point, lists anew where it must.

What was listed is compared by id and update time with what this session has seen, and only where that is not enough
with the lake: Google's emulator lists everything anew at each change.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from event_pipeline.errors import PipelineError
from event_pipeline.sources.change import Change, ChangeBatch
from event_pipeline.sources.firebase_poll import Leaf
from event_pipeline.sources.firestore_reader import NAME, FirestoreReader
from event_pipeline.stream.sources.listen_buffer import ListenBuffer, instant_of, micros_of
from event_pipeline.stream.sources.listen_connection import ListenAborted, ListenConnection, TokenRefused
from event_pipeline.stream.sources.listen_place import TARGET_ID, ListenPlace
from event_pipeline.stream.sources.listing import HELD, Listing
from event_pipeline.stream.sources.live_source import Emit
from event_pipeline.stream.sources.recent import RecentVersions

if TYPE_CHECKING:
    from google.cloud.firestore import Client

SPILL_CHANGES, SPILL_BYTES = 2_000, 8 * 1024 * 1024
"""Beyond these, changes are emitted before the consistent point, without a token: a first listing may be millions."""

TOKEN_EVERY = timedelta(minutes=1)
"""A token that covers no change is saved no more often than this: commits are dear."""

_REMOVE, _CURRENT, _RESET = 2, 3, 4
_INTERNAL = 13


class FirestoreTarget:
    """A ``Channel``. ``is_alone`` tells whether its place holds every document of its collection."""

    def __init__(
        self, place: ListenPlace, client: Client, reader: FirestoreReader, versions: RecentVersions, emit: Emit,
        cursor: object, silent_seconds: float, now: Callable[[], datetime], is_alone: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.collection = place.collection
        self.silent_seconds: float | None = silent_seconds
        self._place, self._client, self._reader = place, client, reader
        self._versions, self._emit, self._now, self._is_alone = versions, emit, now, is_alone
        self._token = _token_of(cursor, place)
        self._saved_at: datetime | None = None
        self._has_aborted = False
        self._held: dict[str, int] | None = None
        self.connect()

    def connect(self) -> ListenConnection:
        """A stream resumed by the token, or one that lists everything."""
        self._buffer = ListenBuffer()
        self._is_current = False
        self._listing: Listing | None = None if self._token else Listing()
        self._connection = ListenConnection(self._client, self.collection, self._place.target(self._token))
        return self._connection

    def lost(self, error: PipelineError) -> None:
        """What was not emitted comes again; a token that is refused, or aborted twice, is dropped."""
        is_aborted = isinstance(error, ListenAborted)
        if isinstance(error, TokenRefused) or (is_aborted and self._has_aborted):
            self._token, self._held = None, None
        self._has_aborted = is_aborted

    def idle(self) -> None:
        """Nothing is put off."""

    def receive(self, message: Any) -> bool:
        """Takes a response; true at a consistent point."""
        kind = message.WhichOneof("response_type")
        if kind == "target_change":
            return self._target_change(message.target_change)
        if kind == "filter":
            self._compare_count(message.filter.count)
        elif kind == "document_change":
            self._document_change(message.document_change)
        elif kind == "document_delete":
            document_id = self._place.document_id(message.document_delete.document)
            if document_id is not None:
                read_at = micros_of(message.document_delete.read_time)
                self._delete(document_id, instant_of(read_at) if read_at else None)
        elif kind == "document_remove":
            document_id = self._place.document_id(message.document_remove.document)
            if document_id is not None:
                self._delete(document_id, None)
        if len(self._buffer.changes) >= SPILL_CHANGES or self._buffer.size >= SPILL_BYTES:
            self._flush({})
        return False

    def _target_change(self, change: Any) -> bool:
        kind = change.target_change_type
        if kind == _REMOVE:
            from google.api_core.exceptions import from_grpc_status

            raise self._connection.error_of(from_grpc_status(change.cause.code or _INTERNAL, change.cause.message))
        if kind == _RESET:
            self._buffer.clear()
            self._listing, self._is_current = Listing(), False
        elif kind == _CURRENT:
            self._is_current = True
        has_read_time = change.HasField("read_time") and micros_of(change.read_time) > 0
        if not self._is_current or change.target_ids or not has_read_time:
            return False
        self._consistent(bytes(change.resume_token), instant_of(micros_of(change.read_time)))
        return True

    def _document_change(self, change: Any) -> None:
        document = change.document
        document_id = self._place.document_id(document.name)
        if document_id is None:
            return
        if TARGET_ID not in change.target_ids:
            self._delete(document_id, None)
            return
        micros = micros_of(document.update_time)
        if self._listing is not None:
            self._listing.add(document_id, micros)
        if self._held is None or self._held.get(document_id, -1) < micros:
            self._buffer.upsert(self.collection, document_id, document, self._client, self._now())

    def _delete(self, document_id: str, read_at: datetime | None) -> None:
        """Of a document that only left the target, the database is asked whether it is gone."""
        if self._listing is not None:
            self._listing.discard(document_id)
        if read_at is None:
            self._buffer.unsure.add(document_id)
        else:
            self._buffer.delete(self.collection, document_id, read_at)

    def _consistent(self, token: bytes, read_at: datetime) -> None:
        if self._listing is not None:
            self._tombstones(self._listing)
        self._token = token or self._token
        is_due = self._saved_at is None or self._now() - self._saved_at >= TOKEN_EVERY
        has_changes = bool(self._buffer.changes or self._buffer.unsure)
        if self._token and (has_changes or is_due):
            self._flush({self._place.cursor_name: self._cursor(self._token, read_at)})
            self._saved_at = self._now()
        else:
            self._flush({})
        if self._listing is not None:
            self._held, self._listing = self._listing.versions, None

    def _tombstones(self, listing: Listing) -> None:
        """What is known and was not listed is gone, once the database has confirmed it by id."""
        listed = listing.versions
        if self._held is not None and listed is not None:
            missing = iter([key for key in self._held if key not in listed])
        else:
            missing = listing.missing(self._versions, self.collection)
        while part := list(islice(missing, self._reader.page_size)):
            for document_id, read_at in self._reader.read_time_if_gone(self.collection, part).items():
                self._buffer.delete(self.collection, document_id, read_at)
            self._flush({})

    def _compare_count(self, count: int) -> None:
        """Firestore's own count of the target's documents, sent where it cannot say which of them are gone."""
        if self._listing is not None:
            return  # what is being listed anew is complete anyway
        self._flush({})
        known = len(self._held) if self._held is not None else None
        if known is None and self._is_alone():
            known = self._versions.count(self.collection)
        if known != count:
            raise TokenRefused(
                f"Firestore counts {count} documents of {self._place.cursor_name.removeprefix('listen:')} where "
                f"{'an unknown number' if known is None else known} are known; everything is listed again"
            )

    def _flush(self, cursors: Mapping[str, object]) -> None:
        self._resolve()
        changes = self._news(list(self._buffer.changes.values()))
        self._buffer.clear()
        if changes or cursors:
            batch = ChangeBatch.of(NAME, self.collection, changes, cursors)
            self._versions.record(batch)
            self._emit(batch)

    def _resolve(self) -> None:
        """Reads the documents that left the target unexplained."""
        unsure = list(self._buffer.unsure)
        if not unsure:
            return
        gone = self._reader.read_time_if_gone(self.collection, unsure)
        for document_id in unsure:
            if document_id in gone:
                self._buffer.delete(self.collection, document_id, gone[document_id])
                continue
            key, parent = self._place.key_and_parent(document_id)
            if parent is None:
                leaves = [Leaf((), self._client.collection(self.collection))]
            else:
                leaves = self._reader.leaves_of(self.collection, parent)
            for leaf in leaves:
                for changes in self._reader.documents(self.collection, leaf, [key]):
                    for change in changes:
                        self._buffer.add(change)
                        if self._listing is not None:
                            self._listing.add(document_id, int(change.version[:17]))
        self._buffer.unsure.clear()

    def _news(self, changes: list[Change]) -> list[Change]:
        """The changes that are news, noted as held. Only what lists everything, and deletes, ask the lake."""
        if self._held is None:
            asked = [item for item in changes if self._listing is not None or item.operation == "delete"]
            latest = self._versions.of_ids(self.collection, [item.document_id for item in asked]) if asked else {}
            dropped = {item.document_id for item in asked if _is_old(item, latest.get(item.document_id))}
            return [item for item in changes if item.document_id not in dropped]
        news = [item for item in changes if item.operation == "upsert" or item.document_id in self._held]
        for item in news:
            if item.operation == "delete":
                del self._held[item.document_id]
            else:
                self._held[item.document_id] = int(item.version[:17])
        if len(self._held) > HELD:
            self._held = None
        return news

    def _cursor(self, token: bytes, read_at: datetime) -> dict[str, str]:
        return {
            "target": self._place.name,
            "token": base64.b64encode(token).decode(),
            "read_time": read_at.isoformat(),
        }


def _is_old(change: Change, latest: str | None) -> bool:
    return latest is None if change.operation == "delete" else latest == change.version


def _token_of(cursor: object, place: ListenPlace) -> bytes | None:
    """The token of a stored cursor; None when it is of another target or cannot be read."""
    if not isinstance(cursor, Mapping) or cursor.get("target") != place.name:
        return None
    try:
        return base64.b64decode(str(cursor.get("token")), validate=True) or None
    except binascii.Error:
        return None
