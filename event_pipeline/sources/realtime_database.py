"""Firebase Realtime Database through ``firebase_admin.db``: what changed since a cursor, and what a cursor cannot see.

The database keeps no update times: a version is the time just before the request that saw the document, and documents
seen before are told apart by their content.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from event_pipeline.errors import PermanentError
from event_pipeline.settings import Firebase
from event_pipeline.sources.change import ChangeBatch, KnownVersions
from event_pipeline.sources.firebase_app import close_app, open_app
from event_pipeline.sources.firebase_cursor import utc_now
from event_pipeline.sources.firebase_errors import realtime_database_errors
from event_pipeline.sources.firebase_pace import Pace
from event_pipeline.sources.firebase_poll import Poll
from event_pipeline.sources.realtime_database_reader import NAME, RealtimeDatabaseReader
from event_pipeline.sources.realtime_database_reconcile import reconcile_realtime_database

if TYPE_CHECKING:
    import firebase_admin


class RealtimeDatabaseSource:
    """Reads the app's collections; of nested ones the children of every event, a bare value there is no document.

    Without ``app`` it opens one from the settings at the first request; ``close`` closes that one only. Requests raise
    TransientError (after retries) or PermanentError.
    """

    name = NAME

    def __init__(
        self,
        firebase: Firebase,
        app: firebase_admin.App | None = None,
        *,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._firebase = firebase
        self._given = app
        self._app: Any = None
        self._now = now
        self._sleep = sleep

    def poll(self, collection: str, cursor: Mapping[str, object] | None, known: KnownVersions) -> Iterator[ChangeBatch]:
        """What is new since ``cursor``, the state under ``cursors[collection]`` of the last committed batch.

        Without one the collection is read whole, by pages, and then swept. May be stopped after any batch. Where the
        rules have no index on the time field, every poll reads the collection whole and compares content.
        """
        overlap = timedelta(seconds=self._firebase.sweep_overlap_seconds)
        yield from Poll(self._reader, collection, known, overlap, self._now).run(cursor)

    def reconcile(self, collection: str, known: KnownVersions) -> Iterator[ChangeBatch]:
        """What no sweep sees: deletes, documents without a time field or with a wrong one. Paced by the settings."""
        pace = Pace(self._firebase.reconcile_reads_per_second, self._sleep)
        yield from reconcile_realtime_database(self._reader, collection, known, pace, self._now)

    def close(self) -> None:
        """Close the app that this source opened itself; the next request would open another."""
        self.__dict__.pop("_reader", None)
        if self._app is not None:
            close_app(self._app)
            self._app = None

    @cached_property
    def _reader(self) -> RealtimeDatabaseReader:
        app = self._given
        if app is None:
            app = self._app = open_app(self._firebase)
        with realtime_database_errors(self._firebase.database_url.partition("?")[0], "/"):
            try:
                return RealtimeDatabaseReader(app, self._firebase.page_size, self._now, self._sleep)
            except ValueError:
                raise PermanentError(
                    "firebase.database_url is not the address of a Realtime Database; the Firebase console shows it, "
                    "such as https://PROJECT-default-rtdb.firebaseio.com (an emulator's: http://127.0.0.1:9000/?ns=PROJECT)"
                ) from None
