"""The inbox as it fills, and the spreadsheets by looking often: sources that nobody announces changes of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import structlog

from event_pipeline.errors import PermanentError, PipelineError, TransientError
from event_pipeline.settings import Settings, Spreadsheet, Stream
from event_pipeline.sources.change import ChangeBatch, KnownVersions
from event_pipeline.sources.google_sheets import GoogleSheetsSource
from event_pipeline.sources.inbox import InboxSource
from event_pipeline.sources.sheet_changes import COLLECTION
from event_pipeline.sources.sheets_client import ReadQuota
from event_pipeline.stream.sources.live_source import ALL, Emit, LiveReport, LiveState, Report
from event_pipeline.stream.sources.patience import sleep_until_stopped
from event_pipeline.stream.sources.recent import RecentVersions

log = structlog.get_logger()


@dataclass(eq=False)
class _File:
    """A file of which batches may not be committed yet, by their identity; ``failure`` is why it cannot be read."""

    path: Path
    uncommitted: set[int] = field(default_factory=set)
    is_read: bool = False
    failure: str | None = None


class InboxWatch:
    """Emits the records of each file as it appears, and moves it away once the worker has committed all of them."""

    name = InboxSource.name
    collections: tuple[str, ...] = ("scans", "email_events", "payment_events", "unreadable")

    def __init__(
        self, directory: Path, batch_size: int, stream: Stream, done_days: int,
        *, today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:  # fmt: skip
        """``done_days`` is how long picked-up files are kept."""
        self._source = InboxSource(directory, batch_size)
        self._seconds = stream.inbox_milliseconds / 1000
        self._done_days, self._today = done_days, today
        self._files: dict[Path, _File] = {}
        self._batches: dict[int, tuple[ChangeBatch, _File]] = {}
        self._lock = threading.Lock()
        self._told: tuple[LiveState, str] | None = None
        self._stuck: str | None = None
        self._noted: Mapping[str, str] = {}

    def follow(
        self, cursors: Mapping[str, object], known: KnownVersions, emit: Emit, report: Report, stop: threading.Event
    ) -> None:
        """Emits records until ``stop`` is set; see ``LiveSource``."""
        versions = RecentVersions(known)
        purged: date | None = None
        while not stop.is_set():
            try:
                paths = [path for path in self._source.files() if path not in self._files]
                for path in paths:
                    self._read(path, versions, emit, report, stop)
                if purged != self._today():
                    purged = self._today()
                    self._source.purge_done(self._done_days, purged)
                if self._stuck:
                    self._tell(report, "unavailable", self._stuck)
                elif (noted := self._source.passed()) != self._noted or self._told is None or self._told[0] != "live":
                    self._noted = noted
                    self._tell(report, "live", "; ".join(f"{name}: {what}" for name, what in noted.items()))
            except OSError as error:
                self._tell(report, "unavailable", f"the inbox cannot be used ({error.strerror}): {error.filename}")
            stop.wait(self._seconds)

    def committed(self, batch: ChangeBatch) -> None:
        """A batch is committed; with the last one of a file the file is moved away. Never raises."""
        with self._lock:
            _, file = self._batches.pop(id(batch), (None, None))
            if file is None:
                return
            file.uncommitted.discard(id(batch))
            is_done = file.is_read and not file.uncommitted
        if is_done:
            self._move(file)

    def _read(self, path: Path, versions: RecentVersions, emit: Emit, report: Report, stop: threading.Event) -> None:
        file = self._files[path] = _File(path)
        try:
            for batch in self._source.read(path, versions):
                if stop.is_set():
                    return
                with self._lock:
                    # The batch is kept too: identities of objects that are gone are given to others.
                    self._batches[id(batch)] = (batch, file)
                    file.uncommitted.add(id(batch))
                versions.record(batch)
                emit(batch)
        except PermanentError as error:
            file.failure = str(error)
            log.warning("inbox_file_failed", file=path.name, message=str(error))
            self._tell(report, "live", f"{path.name} was moved to failed/: {error}")
        with self._lock:
            file.is_read = True
            is_done = not file.uncommitted
        if is_done:
            self._move(file)

    def _move(self, file: _File) -> None:
        """To done/ or failed/; one that has changed meanwhile stays and is read again."""
        try:
            if file.failure is None:
                self._source.mark_done(file.path)
            else:
                self._source.mark_failed(file.path)
        except OSError as error:
            # It stays listed as read, or it would be read over and over; a restart finds nothing new in it.
            log.error("inbox_file_not_moved", file=file.path.name, reason=error.strerror)
            self._stuck = f"{file.path.name} is read but cannot be moved ({error.strerror}): make the inbox writable"
            return
        self._files.pop(file.path, None)

    def _tell(self, report: Report, state: LiveState, message: str) -> None:
        if self._told != (state, message):
            self._told = (state, message)
            report(LiveReport(self.name, ALL, state, message, datetime.now(UTC)))


class SheetsWatch:
    """Reads the spreadsheets every ``stream.sheets_seconds``; what did not change costs one small request.

    ``spreadsheets`` is asked before each reading, in the following thread. Without ``source`` it makes its own.
    """

    name = GoogleSheetsSource.name
    collections: tuple[str, ...] = (COLLECTION,)

    def __init__(
        self, settings: Settings, spreadsheets: Callable[[], Sequence[Spreadsheet]],
        source: GoogleSheetsSource | None = None,
    ) -> None:  # fmt: skip
        self._settings, self._spreadsheets, self._given = settings, spreadsheets, source
        self._told: tuple[LiveState, str] | None = None

    def follow(
        self, cursors: Mapping[str, object], known: KnownVersions, emit: Emit, report: Report, stop: threading.Event
    ) -> None:
        """Emits changes until ``stop`` is set; see ``LiveSource``."""

        wait = sleep_until_stopped(stop)
        quota = ReadQuota(self._settings.sheets.reads_per_minute, sleep=wait)
        source = self._given or GoogleSheetsSource(self._settings, quota=quota, sleep=wait)
        positions, versions = dict(cursors), RecentVersions(known)
        self._tell(report, "connecting", "")
        while not stop.is_set():
            seconds = self._settings.stream.sheets_seconds
            try:
                for batch in source.poll(self._spreadsheets(), positions, versions):
                    versions.record(batch)
                    emit(batch)
                    positions.update(batch.cursors)
                    if stop.is_set():
                        return
            except PipelineError as error:
                if stop.is_set():
                    return
                asked = error.retry_after_seconds if isinstance(error, TransientError) else None
                seconds = max(seconds, asked or 0.0)
                self._tell(report, "unavailable" if isinstance(error, TransientError) else "refused", str(error))
            else:
                self._tell(report, "live", "")
            stop.wait(seconds)

    def committed(self, batch: ChangeBatch) -> None:
        """Nothing to do: the committed cursors say what was read."""

    def _tell(self, report: Report, state: LiveState, message: str) -> None:
        if self._told != (state, message):
            self._told = (state, message)
            report(LiveReport(self.name, COLLECTION, state, message, datetime.now(UTC)))
