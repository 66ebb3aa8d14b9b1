"""The inbox: NDJSON files of QR scans, mail-log events and payment events, each picked up once.

Whoever writes a file gives it its final name when it is complete (write ``.part``, then rename). The reader commits
every batch of a file, then moves it to ``done/<day>/``; after a crash in between it is read again, with nothing new.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import structlog

from event_pipeline.errors import PermanentError
from event_pipeline.sources.change import ChangeBatch, KnownVersions
from event_pipeline.sources.change_columns import (
    CLOCK_TOLERANCE_US,
    VERSION,
    ColumnEngine,
    GatheredChanges,
    drop_unchanged,
    split_by_collection,
    unreadable_rows,
)
from event_pipeline.sources.file_state import FileStamp, dropped_files
from event_pipeline.sources.passed_files import passed_files
from event_pipeline.sources.text_blocks import LineBlock, line_blocks

log = structlog.get_logger()

DONE, FAILED = "done", "failed"

_LONGEST_ID = 300

_READ_RECORDS = f"""
WITH fields AS (
    SELECT json, json_extract(json, ['$.type', '$.qr_code_data', '$.scanned_at', '$.scanner_id', '$.received_at',
                                     '$.provider', '$.provider_event_id', '$.event_id', '$.override',
                                     '$.event_key']) AS f
    FROM {{block}}
), records AS (
    SELECT
        CASE f[1] ->> '$'
            WHEN 'scan' THEN 'scans' WHEN 'email_event' THEN 'email_events' WHEN 'payment_event' THEN 'payment_events'
        END AS collection,
        f,
        nullif(f[6] ->> '$', '') || ':' || nullif(f[7] ->> '$', '') AS provider_id,
        (f[2] ->> '$') IS NOT NULL AND (f[3] ->> '$') IS NOT NULL AND (f[4] ->> '$') IS NOT NULL AS is_whole_scan,
        json AS payload,
        NULL::BIGINT AS updated_us,
        written_us(f[5] ->> '$') AS written_us
    FROM fields
), seen AS (
    SELECT *, CASE WHEN written_us BETWEEN 0 AND $latest_us THEN written_us ELSE $modified_us END AS observed_us
    FROM records
)
SELECT
    collection,
    CASE
        -- At another door, or admitted all the same, it is another scan with an answer of its own.
        WHEN collection = 'scans' AND is_whole_scan AND coalesce((f[8] ->> '$'), (f[9] ->> '$')) IS NOT NULL
            THEN md5(to_json([f[2], f[3], f[4], f[8], f[9]])::VARCHAR)
        WHEN collection = 'scans' AND is_whole_scan THEN md5(to_json([f[2], f[3], f[4]])::VARCHAR)
        WHEN collection = 'email_events' AND provider_id IS NOT NULL
            AND length(f[10] ->> '$') BETWEEN 1 AND {_LONGEST_ID}
            THEN (f[6] ->> '$') || ':' || (f[10] ->> '$')
        WHEN collection <> 'scans' AND length(provider_id) <= {_LONGEST_ID} THEN provider_id
        ELSE md5(json_merge_patch(payload, '{{{{"received_at": null}}}}')::VARCHAR)
    END AS document_id,
    'upsert' AS operation, payload, updated_us, observed_us, {VERSION} AS version
FROM seen
"""


class InboxSource:
    """Record files of one directory; ``done/`` and ``failed/`` below it are where picked-up files go.

    Records become documents of ``scans``, ``email_events`` and ``payment_events``; a line that is no such record
    becomes one of ``unreadable``, with id ``<file>:<line number>:<hash>``. A record delivered twice, in whatever file,
    has one document id. It was observed at its ``received_at``, else at the file's modification time.
    """

    name = "inbox"

    def __init__(self, directory: Path, batch_size: int) -> None:
        self._directory = directory
        self._batch_size = batch_size
        self._read_as: dict[Path, FileStamp] = {}

    @cached_property
    def _engine(self) -> ColumnEngine:
        """Opened when a file is read: sensors only list files."""
        return ColumnEngine()

    def files(self) -> list[Path]:
        """Complete record files in name order; unfinished (``.part``, ``.tmp``) and hidden ones do not count."""
        return dropped_files(self._directory, (".ndjson",))

    def passed(self) -> dict[str, str]:
        """What lies there and is not read, by name, with what to do."""
        return passed_files(self._directory, (".ndjson",), (DONE, FAILED))

    def read(self, path: Path, known: KnownVersions) -> Iterator[ChangeBatch]:
        """The records of a file that the lake does not hold yet; commit every batch, then call ``mark_done``.

        Of a file that is gone there are none: a run and the stream worker may both see it, and one picks it up first.
        Raises PermanentError when the file cannot be read, and at a line above the size limit, after those before it.
        """
        try:
            stamp = FileStamp.of(path)
            with path.open("rb", buffering=0) as stream:
                yield from self._batches(line_blocks(stream, path.name), path.name, stamp.modified_us, known)
        except FileNotFoundError:
            return
        except OSError as error:
            raise PermanentError(f"{path} cannot be read ({error.strerror}): make it readable for this user") from None
        self._read_as[path] = stamp

    def mark_done(self, path: Path, today: date | None = None) -> Path | None:
        """Moves a file, whose batches are all committed, to ``done/<day>/`` and says where it is.

        None when the file was not read to its end by this object or has changed since; it stays and is read again.
        None too when somebody else has moved it.
        """
        read_as = self._read_as.pop(path, None)
        try:
            if FileStamp.of(path) == read_as:
                return self._move(path, DONE, today)
        except FileNotFoundError:
            log.info("inbox_file_gone", file=path.name, consequence="somebody else moved it")
            return None
        log.warning("inbox_file_changed_since_read", file=path.name, consequence="it stays and is read again")
        return None

    def mark_failed(self, path: Path, today: date | None = None) -> Path | None:
        """Moves a file that cannot be read to ``failed/<day>/``, where an operator finds it; None when it is gone."""
        self._read_as.pop(path, None)
        try:
            return self._move(path, FAILED, today)
        except FileNotFoundError:
            log.info("inbox_file_gone", file=path.name, consequence="somebody else moved it")
            return None

    def purge_done(self, older_than_days: int, today: date | None = None) -> int:
        """Deletes the files picked up more than so many days ago; returns how many."""
        oldest = (today or datetime.now(UTC).date()) - timedelta(days=older_than_days)
        purged = 0
        done = self._directory / DONE
        for folder in sorted(done.iterdir()) if done.is_dir() else []:
            day = _day_of(folder)
            if day is not None and day < oldest:
                purged += sum(1 for path in folder.rglob("*") if path.is_file())
                shutil.rmtree(folder)
        return purged

    def _batches(
        self, blocks: Iterator[LineBlock], name: str, modified_us: int, known: KnownVersions
    ) -> Iterator[ChangeBatch]:
        gathered, failure = GatheredChanges(self._batch_size), None
        try:
            for block in blocks:
                for rows in self._rows(block, name, modified_us):
                    for full in gathered.add(self._engine.changes(self.name, rows)):
                        yield from self._new(full, known)
        except PermanentError as error:
            failure = error
        for rest in gathered.rest():
            yield from self._new(rest, known)
        if failure is not None:
            raise failure

    def _rows(self, block: LineBlock, name: str, modified_us: int) -> Iterator[pa.Table]:
        parameters = {"modified_us": modified_us, "latest_us": modified_us + CLOCK_TOLERANCE_US}
        rows = self._engine.run_lines(_READ_RECORDS, block, parameters)
        readable = rows.column("collection").is_valid().to_numpy().astype(np.bool_)
        if not readable.all():
            rows = rows.filter(pa.array(readable))
            yield unreadable_rows(block, ~readable, f"{name}:{{}}:{{}}".format, modified_us)
        yield from split_by_collection(rows)

    def _new(self, changes: pa.Table, known: KnownVersions) -> Iterator[ChangeBatch]:
        fresh = drop_unchanged(changes, known)
        if fresh.num_rows:
            yield ChangeBatch(self.name, fresh.column("collection")[0].as_py(), fresh)

    def _move(self, path: Path, folder: str, today: date | None) -> Path:
        target = self._directory / folder / (today or datetime.now(UTC).date()).isoformat()
        target.mkdir(parents=True, exist_ok=True)
        place, copies = target / path.name, 1
        while place.exists():
            copies += 1
            place = target / f"{path.stem}-{copies}{path.suffix}"
        return path.rename(place)


def _day_of(folder: Path) -> date | None:
    try:
        return date.fromisoformat(folder.name)
    except ValueError:
        return None
