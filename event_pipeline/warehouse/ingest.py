"""Drives sources: commits what they yield to the lake, keeps their state, lets none stop another."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import pyarrow as pa
import structlog

from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.errors import PermanentError, PipelineError, TransientError
from event_pipeline.settings import Settings, Spreadsheet
from event_pipeline.sources.change import CHANGE_SCHEMA, ChangeBatch, KnownVersions
from event_pipeline.sources.export_folder import ExportFolder
from event_pipeline.sources.google_sheets import GoogleSheetsSource
from event_pipeline.sources.inbox import InboxSource
from event_pipeline.sources.passed_files import NOTED, in_words
from event_pipeline.sources.sheets_client import ReadQuota
from event_pipeline.warehouse.lake import Lake
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.rows import first_row

log = structlog.get_logger()

ALL = "*"
_STATE_REPEATED_AFTER = timedelta(minutes=10)


class DocumentSource(Protocol):
    """Firestore and the Realtime Database look alike from here."""

    name: str

    def poll(self, collection: str, cursor: Mapping[str, object] | None, known: KnownVersions) -> Iterator[ChangeBatch]:
        """New and changed documents since the cursor."""
        ...

    def reconcile(self, collection: str, known: KnownVersions) -> Iterator[ChangeBatch]:
        """What polling cannot see: missed updates, deletes, documents without updated_at."""
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...


@dataclass(slots=True)
class Ingested:
    """Changes committed by collection, and the failures that stopped a source's collection.

    ``is_refused`` when one of them needs a person, so that trying again is no use.
    """

    changes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    is_refused: bool = False

    def add(self, other: Ingested) -> None:
        """Adds another source's."""
        self.changes.update(other.changes)
        self.failures += other.failures
        self.is_refused |= other.is_refused


def firebase_source(settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> DocumentSource | None:
    """The configured Firebase database; None when only files are read. ``sleep`` is what its retries wait with."""
    if settings.firebase.backend == "firestore":
        from event_pipeline.sources.firestore import FirestoreSource

        return FirestoreSource(settings.firebase, sleep=sleep)
    if settings.firebase.backend == "realtime_database":
        from event_pipeline.sources.realtime_database import RealtimeDatabaseSource

        return RealtimeDatabaseSource(settings.firebase, sleep=sleep)
    return None


def sheets_source(
    settings: Settings, *, sleep: Callable[[float], None] = time.sleep, timeout_seconds: float = 60.0
) -> GoogleSheetsSource:
    """The spreadsheets' reader. ``sleep`` is what its retries and its quota wait with."""
    quota = ReadQuota(settings.sheets.reads_per_minute, sleep=sleep)
    return GoogleSheetsSource(settings, quota=quota, timeout_seconds=timeout_seconds, sleep=sleep)


def ingest_firebase(lake: Lake, source: DocumentSource, collections: Sequence[str]) -> Ingested:
    """New and changed documents of these collections."""
    cursors = lake.cursors(source.name)
    known = lake.known(source.name)
    result = Ingested()
    for name in collections:
        result.add(
            _drive(lake, source.name, name, lambda name=name: source.poll(name, _position(cursors.get(name)), known))
        )
    return result


def _position(state: object) -> Mapping[str, object] | None:
    return state if isinstance(state, Mapping) else None


def reconcile_firebase(lake: Lake, source: DocumentSource, collections: Sequence[str]) -> Ingested:
    """What polling cannot see, found by comparing every document's id and time with the lake."""
    known = lake.known(source.name)
    result = Ingested()
    for name in collections:
        result.add(_drive(lake, source.name, name, lambda name=name: source.reconcile(name, known)))
    return result


def ingest_exports(lake: Lake, settings: Settings, *, is_snapshot: bool = False) -> Ingested:
    """Export files that are not loaded yet."""
    source = ExportFolder(
        settings.exports_dir, settings.firebase.collections, settings.batch_size, is_snapshot=is_snapshot
    )
    cursors = lake.cursors(source.name)
    if not (source.files() or source.passed() or cursors.get(NOTED)):
        return Ingested()

    def noted() -> str | None:
        return in_words({name: "; ".join(notes) for name, notes in source.notes.items()})

    return _drive(lake, source.name, ALL, lambda: source.poll(cursors, lake.known(source.name)), noted)


def ingest_sheets(lake: Lake, settings: Settings) -> Ingested:
    """Spreadsheets that changed since they were read."""
    spreadsheets = followed_spreadsheets(lake, settings)
    if not spreadsheets:
        return Ingested()
    reader = sheets_source(settings)
    cursors, known = lake.cursors(reader.name), lake.known(reader.name)
    return _drive(lake, reader.name, ALL, lambda: reader.poll(spreadsheets, cursors, known))


def followed_spreadsheets(lake: Lake, settings: Settings) -> list[Spreadsheet]:
    """Spreadsheets of the settings, and those the events name when settings say to follow them."""
    spreadsheets = {sheet.spreadsheet_id: sheet for sheet in settings.sheets.spreadsheets}
    if settings.sheets.follow_events:
        rows = lake.connection.execute(
            "SELECT google_sheet_id, min(event_id) FROM lake.staging.events WHERE google_sheet_id IS NOT NULL "
            "AND NOT coalesce(is_archived, false) AND length(google_sheet_id) BETWEEN 10 AND 200 GROUP BY 1 ORDER BY 1"
        ).fetchall()
        for spreadsheet_id, event_id in rows:
            spreadsheets.setdefault(spreadsheet_id, Spreadsheet(spreadsheet_id=spreadsheet_id, event_id=event_id))
    return list(spreadsheets.values())


def ingest_inbox(lake: Lake, settings: Settings) -> Ingested:
    """Files of the inbox; each is moved away once its records are committed, unreadable ones to failed/.

    What lies there and is no such file stays, noted in the source's state until it goes.
    """
    source = InboxSource(settings.inbox_dir, settings.batch_size)
    result, passed = Ingested(), source.passed()
    noted = partial(in_words, passed)

    if sorted(passed) != lake.cursors(source.name).get(NOTED, []):
        listed = ChangeBatch(source.name, "unreadable", CHANGE_SCHEMA.empty_table(), {NOTED: sorted(passed)})
        result.add(_drive(lake, source.name, ALL, lambda: [listed], noted))
    for path in source.files():
        read = _drive(lake, source.name, ALL, lambda path=path: source.read(path, lake.known(source.name)), noted)
        if not read.failures:
            source.mark_done(path)
        elif read.is_refused:
            source.mark_failed(path)
        result.add(read)
    source.purge_done(settings.retention.inbox_done_days)
    return result


def _drive(
    lake: Lake,
    source: str,
    collection: str,
    read: Callable[[], Iterable[ChangeBatch]],
    noted: Callable[[], str | None] = lambda: None,
) -> Ingested:
    """Commits what is read; a failure keeps what was committed before it and becomes the source's state.

    ``noted`` says, when all is read, what a person should know of it.
    """
    result = Ingested()
    try:
        for batch in _grouped(read(), lake.settings.batch_size):
            result.changes[batch.collection] += lake.commit(batch)
    except PipelineError as error:
        state = "unavailable" if isinstance(error, TransientError) else "refused"
        log.warning("source_failed", source=source, collection=collection, state=state, message=str(error))
        result.failures.append(str(error))
        result.is_refused = state == "refused"
        _set_state(lake, source, collection, state, "; ".join(filter(None, (str(error), noted()))))
        if not isinstance(error, TransientError | PermanentError):
            raise
    else:
        _set_state(lake, source, collection, "ok", noted())
    return result


def _grouped(batches: Iterable[ChangeBatch], limit: int) -> Iterator[ChangeBatch]:
    """Neighbouring batches of one collection put together: sources yield pages, commits are dear."""
    waiting: list[ChangeBatch] = []
    try:
        for batch in batches:
            rows = sum(earlier.changes.num_rows for earlier in waiting)
            if waiting and (waiting[-1].collection != batch.collection or rows + batch.changes.num_rows > limit):
                yield _together(waiting)
                waiting = []
            waiting.append(batch)
    except PipelineError:
        if waiting:
            yield _together(waiting)
        raise
    if waiting:
        yield _together(waiting)


def _together(batches: Sequence[ChangeBatch]) -> ChangeBatch:
    cursors: dict[str, object] = {}
    for batch in batches:
        cursors.update(batch.cursors)
    changes = pa.concat_tables([batch.changes for batch in batches])
    return ChangeBatch(batches[0].source, batches[0].collection, changes, cursors)


def _set_state(lake: Lake, source: str, collection: str, state: str, message: str | None) -> None:
    """Remembers the state; one that stays the same is written again only after a while, for commits are dear."""
    now = datetime.now(UTC)
    table = SOURCE_STATE.qualified
    before = first_row(
        lake.connection.execute(
            f"SELECT state, message, changed_at, read_at FROM {table} WHERE source = ? AND collection = ?",
            [source, collection],
        )
    )
    if before and before[:2] == (state, message) and now - before[3] < _STATE_REPEATED_AFTER:
        return
    since = before[2] if before and before[0] == state else now
    with write_transaction(lake.connection, lake.settings):
        lake.connection.execute(f"DELETE FROM {table} WHERE source = ? AND collection = ?", [source, collection])
        lake.connection.execute(
            f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?)", [source, collection, state, message, since, now]
        )
