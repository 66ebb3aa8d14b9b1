"""The Realtime Database followed live by its server-sent events, one stream a collection.

Each connection begins with everything the collection holds, which is compared with the lake: that is the whole of
resuming, and it costs one download of the collection. A first event may be of any size, memory stays bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from event_pipeline.errors import PipelineError
from event_pipeline.settings import Firebase, Stream
from event_pipeline.sources.change import ChangeBatch, KnownVersions
from event_pipeline.sources.firebase_app import close_app, open_app
from event_pipeline.sources.firebase_cursor import utc_now
from event_pipeline.sources.firebase_errors import realtime_database_errors
from event_pipeline.sources.realtime_database_reader import NAME, RealtimeDatabaseReader
from event_pipeline.stream.sources.follower import Follower
from event_pipeline.stream.sources.live_source import Emit, Report
from event_pipeline.stream.sources.patience import open_patiently, sleep_until_stopped
from event_pipeline.stream.sources.realtime_http import RealtimeHttp
from event_pipeline.stream.sources.realtime_target import RealtimeDatabaseAccess, RealtimeDatabaseTarget
from event_pipeline.stream.sources.recent import RecentVersions

_READERS = 8
"""Documents read at once, where events tell only parts of them."""


class RealtimeDatabaseEvents:
    """Follows the app's collections. Batches carry no cursors: what a restart missed, its first events bring."""

    name = NAME

    def __init__(self, firebase: Firebase, stream: Stream, *, now: Callable[[], datetime] = utc_now) -> None:
        self.collections: tuple[str, ...] = tuple(firebase.collections)
        self._firebase, self._stream, self._now = firebase, stream, now

    def follow(
        self, cursors: Mapping[str, object], known: KnownVersions, emit: Emit, report: Report, stop: threading.Event
    ) -> None:
        """Emits changes until ``stop`` is set; see ``LiveSource``."""

        wait = sleep_until_stopped(stop)
        opened = open_patiently(self, lambda: self._open(wait), report, stop, self._stream.refused_seconds)
        if opened is None:
            return
        app, reader = opened
        http = RealtimeHttp(app, read_seconds=2 * self._stream.silent_seconds)
        pool = ThreadPoolExecutor(_READERS, thread_name_prefix=f"{NAME}-read")
        access = RealtimeDatabaseAccess(http, reader, RecentVersions(known), emit, pool, self._now, wait)
        follower = Follower(NAME, report, stop, self._stream.refused_seconds)
        try:
            for collection in self.collections:
                follower.add(
                    RealtimeDatabaseTarget(
                        collection, access, self._stream.silent_seconds, batch_changes=self._stream.batch_changes
                    )
                )
            follower.run()
        finally:
            pool.shutdown(cancel_futures=True)
            http.close()
            close_app(app)

    def _open(self, sleep: Callable[[float], None]) -> tuple[Any, RealtimeDatabaseReader]:
        """The firebase_admin app, which the caller closes, and a reader of its database."""
        app = open_app(self._firebase)
        try:
            with realtime_database_errors(self._firebase.database_url.partition("?")[0], "/"):
                return app, RealtimeDatabaseReader(app, self._firebase.page_size, self._now, sleep)
        except PipelineError:
            close_app(app)
            raise

    def committed(self, batch: ChangeBatch) -> None:
        """Nothing to do: a restart compares everything with what is committed."""
