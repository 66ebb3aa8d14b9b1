"""Cloud Firestore followed live by its Listen protocol, with resume tokens that commit beside what they cover.

Deletes are seen; so is a document without a time field. A collection without a token is listed whole, as a first poll
reads it, and goes on from the token of that listing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from event_pipeline.errors import PipelineError
from event_pipeline.settings import Firebase, Stream
from event_pipeline.sources.change import ChangeBatch, KnownVersions
from event_pipeline.sources.firebase_app import close_app, open_app
from event_pipeline.sources.firebase_cursor import NESTED_COLLECTIONS, utc_now
from event_pipeline.sources.firebase_errors import firestore_errors
from event_pipeline.sources.firestore_reader import NAME, FirestoreReader
from event_pipeline.stream.sources.connection import Connection
from event_pipeline.stream.sources.firestore_target import FirestoreTarget
from event_pipeline.stream.sources.follower import Follower
from event_pipeline.stream.sources.listen_place import ListenPlace
from event_pipeline.stream.sources.live_source import Emit, Report
from event_pipeline.stream.sources.patience import open_patiently, sleep_until_stopped
from event_pipeline.stream.sources.recent import RecentVersions

if TYPE_CHECKING:
    from google.cloud.firestore import Client


class FirestoreListen:
    """Follows the app's collections, each by a stream of its own; one that is refused keeps no other.

    Of nested collections every subcollection name is followed below all events; new names are looked for every
    ``stream.discovery_seconds``. Without ``client`` it opens one from the settings.
    """

    name = NAME

    def __init__(
        self,
        firebase: Firebase,
        stream: Stream,
        client: Client | None = None,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.collections: tuple[str, ...] = tuple(firebase.collections)
        self._firebase, self._stream, self._given, self._now = firebase, stream, client, now
        self._app: Any = None

    def follow(
        self, cursors: Mapping[str, object], known: KnownVersions, emit: Emit, report: Report, stop: threading.Event
    ) -> None:
        """Emits changes until ``stop`` is set; see ``LiveSource``."""
        client = self._given or open_patiently(self, self._open, report, stop, self._stream.refused_seconds)
        if client is None:
            return
        try:
            self._follow(client, cursors, known, emit, report, stop)
        finally:
            if self._app is not None:
                close_app(self._app)
                self._app = None

    def committed(self, batch: ChangeBatch) -> None:
        """Nothing to do: the committed token tells where to go on."""

    def _follow(
        self, client: Client, cursors: Mapping[str, object], known: KnownVersions, emit: Emit, report: Report,
        stop: threading.Event,
    ) -> None:  # fmt: skip
        wait = sleep_until_stopped(stop)
        reader = FirestoreReader(client, self._firebase.page_size, wait)
        versions = RecentVersions(known)
        follower = Follower(NAME, report, stop, self._stream.refused_seconds)
        root = f"{_internals(client)._database_string}/documents"
        groups: dict[str, set[str]] = {}

        def add(collection: str, group: str | None = None) -> None:
            groups.setdefault(collection, set()).add(group or "")
            place = ListenPlace(root, collection, group)
            target = FirestoreTarget(
                place, client, reader, versions, emit, cursors.get(place.cursor_name), self._stream.silent_seconds,
                self._now, lambda: len(groups[collection]) == 1,
            )  # fmt: skip
            follower.add(target)

        for collection in self.collections:
            if collection in NESTED_COLLECTIONS:
                follower.add(_Discovery(collection, reader, self._stream.discovery_seconds, add))
            else:
                add(collection)
        follower.run()

    def _open(self) -> Client:
        from firebase_admin import firestore

        self._app = open_app(self._firebase)
        with firestore_errors(self._firebase.project_id, "(any)"):
            return firestore.client(self._app)


class _Discovery:
    """A ``Channel`` that finds the names of subcollections; each is added once."""

    silent_seconds: float | None = None

    def __init__(
        self, collection: str, reader: FirestoreReader, seconds: float, add: Callable[[str, str], None]
    ) -> None:
        self.collection = collection
        self._reader, self._seconds, self._add = reader, seconds, add
        self._added: set[str] = set()
        self._looked_at: set[str] = set()

    def connect(self) -> Connection:
        """Starts to look."""
        return _Names(self.collection, self._reader, self._seconds, self._looked_at)

    def receive(self, message: Any) -> bool:
        """Takes names; looking once suffices to be live."""
        for group in sorted(set(message) - self._added):
            self._added.add(group)
            self._add(self.collection, group)
        return True

    def idle(self) -> None:
        """Nothing is put off."""

    def lost(self, error: PipelineError) -> None:
        """Looking starts anew with the next connection."""


class _Names:
    """Looks for subcollection names now and then; an event whose names are known is not asked again."""

    def __init__(self, collection: str, reader: FirestoreReader, seconds: float, looked_at: set[str]) -> None:
        self._collection, self._reader, self._seconds = collection, reader, seconds
        self._looked_at = looked_at
        self._closed = threading.Event()

    def messages(self) -> Iterator[tuple[set[str], int]]:
        """Sets of names, empty ones too."""
        while not self._closed.is_set():
            names: set[str] = set()
            for parent in self._reader.parents(self._collection):
                if parent in self._looked_at:
                    continue
                found = {leaf.path[1] for leaf in self._reader.leaves_of(self._collection, parent)}
                if found:
                    self._looked_at.add(parent)
                names |= found
                if self._closed.is_set():
                    return
            yield names, 0
            self._closed.wait(self._seconds)

    def close(self) -> None:
        """Stop looking."""
        self._closed.set()


def _internals(client: Client) -> Any:
    """The client beyond its public surface: gapic streams need names that only it knows."""
    # Opened here, in one thread: the SDK does so at first use, in whichever threads ask first.
    internals: Any = client
    _ = internals._firestore_api, internals._rpc_metadata
    return internals
