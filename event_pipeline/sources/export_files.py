"""Database exports as files: trees and lists (``.json``) and documents one a line (``.ndjson``), also gzipped.

``export_shape`` tells what a tree or list is, ``export_lines`` what a line may be.

An export vouches for the state at its modification time, so copy exports with their times (``cp -p``). Reading is
idempotent: an interrupted file is read again from its start, and what the lake holds already is dropped. NDJSON that
holds several states of one document needs update times to order them.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from event_pipeline.errors import PermanentError
from event_pipeline.sources.change import CHANGE_SCHEMA, ChangeBatch, KnownVersions
from event_pipeline.sources.change_columns import (
    UNREADABLE,
    ColumnEngine,
    GatheredChanges,
    change_rows,
    drop_unchanged,
)
from event_pipeline.sources.export_mended import mended_lines, mended_rows
from event_pipeline.sources.export_reading import ExportReading
from event_pipeline.sources.file_state import FileStamp, HashingFile, UnpackingFile, content_hash, dropped_files

log = structlog.get_logger()

TREE_SUFFIXES = (".json", ".json.gz")
LINE_SUFFIXES = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz")


class ExportFilesSource:
    """Export files of one directory, each loaded once; a file that changes is loaded again.

    The cursor of a file (its name) holds ``size``, ``modified_us``, ``content_hash``, ``is_done`` and, for a file that
    could not be read whole, ``failure``; such a file is not read again until it changes. ``notes`` are there when a
    person should know something of what was loaded. With ``is_snapshot`` a file is taken as the whole of each
    collection in it: what the lake knows and the file lacks is deleted. ``path`` is where in the database the files
    belong, None when they say it themselves.
    """

    name = "export"

    def __init__(
        self,
        directory: Path,
        collections: Sequence[str],
        batch_size: int,
        *,
        is_snapshot: bool = False,
        path: str | None = None,
    ) -> None:
        self._directory = directory
        self._path = path
        self._collections = tuple(collections)
        self._batch_size = batch_size
        self._is_snapshot = is_snapshot
        self.not_followed: Counter[str] = Counter()
        """Documents of the last poll by collection that is not followed; they were not taken."""
        self.replaced = 0
        """Documents of the last poll that held invalid bytes, which were replaced."""
        self.notes: dict[str, list[str]] = {}
        """What a person should know of the files that the last poll met, those that were loaded before included."""
        self.plain_values: list[str] = []
        """Entries at the top of the files of the last poll that are values and no collections."""

    @cached_property
    def _engine(self) -> ColumnEngine:
        """Opened when a file is read: sensors only list files."""
        return ColumnEngine()

    def files(self) -> list[Path]:
        """Export files in name order; unfinished (``.part``, ``.tmp``) and hidden ones do not count."""
        return dropped_files(self._directory, TREE_SUFFIXES + LINE_SUFFIXES)

    def poll(self, cursors: Mapping[str, object], known: KnownVersions) -> Iterator[ChangeBatch]:
        """Changes of every file that is not loaded yet; the last batch of a file carries its cursor.

        A file that cannot be read whole does not keep others from loading: its complete documents are yielded, and
        PermanentError naming every such file is raised at the end.
        """
        self.not_followed.clear()
        self.replaced = 0
        self.notes.clear()
        self.plain_values.clear()
        failures = []
        for path in self.files():
            cursor = cursors.get(path.name)
            try:
                yield from self._poll_file(path, cursor if isinstance(cursor, Mapping) else {}, known)
            except PermanentError as error:
                failures.append(str(error))
            except FileNotFoundError:
                log.info("export_removed_while_polled", file=path.name)
            except OSError as error:
                failures.append(f"{path} cannot be read ({error.strerror}): make it readable for this user")
        if self.not_followed:
            log.warning("export_documents_not_followed", documents=dict(self.not_followed))
        if failures:
            raise PermanentError("\n".join(failures))

    def _poll_file(self, path: Path, cursor: Mapping[str, Any], known: KnownVersions) -> Iterator[ChangeBatch]:
        stamp = FileStamp.of(path)
        self._note(path.name, cursor.get("notes"))
        if (cursor.get("size"), cursor.get("modified_us")) == (stamp.size, stamp.modified_us):
            if "failure" in cursor:
                raise PermanentError(str(cursor["failure"]))
            return
        if cursor.get("is_done") and cursor.get("size") == stamp.size:
            # Touched only: read as new, it would vouch for an old state at a later time.
            digest = content_hash(path)
            if digest == cursor.get("content_hash"):
                touched = _cursor(stamp, digest, notes=self.notes.get(path.name))
                yield self._batch(CHANGE_SCHEMA.empty_table(), {path.name: touched})
                return
        yield from self._load(path, stamp, known)

    def _load(self, path: Path, stamp: FileStamp, known: KnownVersions) -> Iterator[ChangeBatch]:
        if self._is_snapshot and "/" in (self._path or ""):
            raise PermanentError(f"{path} is a part of a collection at {self._path}: load it without --snapshot")
        failure, gathered, seen = None, GatheredChanges(self._batch_size), _Seen()
        with path.open("rb", buffering=0) as file:
            hashing = HashingFile(file)
            try:
                for changes in self._read(path.name, hashing, stamp.modified_us):
                    seen.add(changes, self._is_snapshot)
                    for full in gathered.add(changes):
                        yield self._batch(drop_unchanged(full, known))
            except PermanentError as error:
                failure = str(error)
            digest = hashing.finish()
        is_settled = FileStamp.of(path) == stamp
        if is_settled and failure is None:
            mended = mended_lines(self._label_of(path.name), seen.ids.get(UNREADABLE, ()), known)
            gone = [self._engine.changes(self.name, rows) for rows in mended_rows(mended, stamp.modified_us)]
            for deleted in [*gone, *self._tombstones(path.name, seen, stamp.modified_us, known)]:
                for full in gathered.add(deleted):
                    yield self._batch(full)
        rest = [drop_unchanged(changes, known) for changes in gathered.rest()]
        *others, last = [changes for changes in rest if changes.num_rows] or [CHANGE_SCHEMA.empty_table()]
        for changes in others:
            yield self._batch(changes)
        if not is_settled:
            log.info("export_changed_while_read", file=path.name, consequence="it is read again")
            yield self._batch(last)
            return
        yield self._batch(last, {path.name: _cursor(stamp, digest, failure, self.notes.get(path.name))})
        if failure is not None:
            raise PermanentError(failure)

    def _read(self, name: str, raw: HashingFile, observed_us: int) -> Iterator[pa.Table]:
        """Changes of the followed collections, each table of one collection."""
        stream = UnpackingFile(fileobj=io.BufferedReader(raw, 1024 * 1024)) if name.endswith(".gz") else raw
        reading = ExportReading(self._engine, name, observed_us, self._path, self._follows, self._label_of(name))
        try:
            for rows, too_deep in reading.read(stream, is_tree=name.endswith(TREE_SUFFIXES)):
                yield self._engine.changes(self.name, rows, too_deep)
        finally:
            self.replaced += reading.replaced
            self.plain_values += reading.plain_values
            self._note(name, reading.notes.in_words())

    def _label_of(self, name: str) -> str:
        return name

    def _note(self, name: str, notes: object) -> None:
        self.notes.pop(name, None)
        if isinstance(notes, list) and notes:
            self.notes[name] = [str(note) for note in notes]

    def _follows(self, collection: str, count: int) -> bool:
        if collection in self._collections or collection == UNREADABLE:
            return True
        self.not_followed[collection] += count
        return False

    def _tombstones(self, name: str, seen: _Seen, observed_us: int, known: KnownVersions) -> list[pa.Table]:
        """Deletes of what was known before the snapshot's instant and is absent from a collection that it holds."""
        if not self._is_snapshot:
            return []
        if UNREADABLE in seen.ids:
            log.warning("export_snapshot_has_unreadable_lines", file=name, consequence="nothing is deleted")
            return []
        tables = []
        for collection, parts in seen.ids.items():
            held = pa.chunked_array([chunk for part in parts for chunk in part.chunks], pa.string())
            latest = known.in_range(collection)
            older = pa.array([key for key, version in latest.items() if int(version[:17]) < observed_us], pa.string())
            is_held = pc.call_function("is_in", [older], pc.SetLookupOptions(held))
            gone = older.filter(pc.call_function("invert", [is_held]))
            tables.append(self._engine.changes(self.name, change_rows(collection, gone, None, observed_us)))
        return tables

    def _batch(self, changes: pa.Table, cursors: Mapping[str, object] | None = None) -> ChangeBatch:
        collection = changes.column("collection")[0].as_py() if changes.num_rows else self._collections[0]
        return ChangeBatch(self.name, collection, changes, cursors or {})


class _Seen:
    """Ids met in a file, by collection: all in a snapshot, else those of unreadable lines."""

    def __init__(self) -> None:
        self.ids: dict[str, list[pa.ChunkedArray]] = {}

    def add(self, changes: pa.Table, is_snapshot: bool) -> None:
        collection = changes.column("collection")[0].as_py() if changes.num_rows else None
        if collection is not None and (is_snapshot or collection == UNREADABLE):
            self.ids.setdefault(collection, []).append(changes.column("document_id"))


def _cursor(
    stamp: FileStamp, digest: str, failure: str | None = None, notes: list[str] | None = None
) -> dict[str, object]:
    cursor: dict[str, object] = {
        "size": stamp.size,
        "modified_us": stamp.modified_us,
        "content_hash": digest,
        "is_done": failure is None,
    }
    return cursor | ({} if failure is None else {"failure": failure}) | ({"notes": notes} if notes else {})
