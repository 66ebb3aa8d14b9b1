"""Cloud Firestore through firebase-admin: what changed since a cursor, and what a cursor cannot see.

Versions come from the documents' own update time, so a document read twice is the same change.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from event_pipeline.settings import Firebase
from event_pipeline.sources.change import ChangeBatch, KnownVersions
from event_pipeline.sources.firebase_app import close_app, open_app
from event_pipeline.sources.firebase_cursor import utc_now
from event_pipeline.sources.firebase_errors import firestore_errors
from event_pipeline.sources.firebase_pace import Pace
from event_pipeline.sources.firebase_poll import Poll
from event_pipeline.sources.firestore_reader import NAME, FirestoreReader
from event_pipeline.sources.firestore_reconcile import reconcile_firestore

if TYPE_CHECKING:
    from google.cloud.firestore import Client


class FirestoreSource:
    """Reads the app's collections. Nested collections take their documents from any subcollection of an event.

    Without ``client`` it opens one from the settings at the first request; ``close`` closes that one only. Requests
    raise TransientError (after retries) or PermanentError.
    """

    name = NAME

    def __init__(
        self,
        firebase: Firebase,
        client: Client | None = None,
        *,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._firebase = firebase
        self._given = client
        self._app: Any = None
        self._now = now
        self._sleep = sleep

    def poll(self, collection: str, cursor: Mapping[str, object] | None, known: KnownVersions) -> Iterator[ChangeBatch]:
        """What is new since ``cursor``, the state under ``cursors[collection]`` of the last committed batch.

        Without one the collection is read whole, by pages, and then swept. May be stopped after any batch.
        """
        overlap = timedelta(seconds=self._firebase.sweep_overlap_seconds)
        yield from Poll(self._reader, collection, known, overlap, self._now).run(cursor)

    def reconcile(self, collection: str, known: KnownVersions) -> Iterator[ChangeBatch]:
        """What no sweep sees: deletes, documents without a time field or with a wrong one. Paced by the settings."""
        pace = Pace(self._firebase.reconcile_reads_per_second, self._sleep)
        yield from reconcile_firestore(self._reader, collection, known, pace)

    def close(self) -> None:
        """Close the app that this source opened itself; the next request would open another."""
        self.__dict__.pop("_reader", None)
        if self._app is not None:
            close_app(self._app)
            self._app = None

    @cached_property
    def _reader(self) -> FirestoreReader:
        return FirestoreReader(self._given or self._open(), self._firebase.page_size, self._sleep)

    def _open(self) -> Client:
        from firebase_admin import firestore

        self._app = open_app(self._firebase)
        with firestore_errors(self._firebase.project_id, "(any)"):
            return firestore.client(self._app)
