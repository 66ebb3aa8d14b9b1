"""One export, made in the background: read here, written by a process of its own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pyarrow as pa

from event_pipeline.api.exports.folder import ExportFolder
from event_pipeline.api.exports.source import OpenSource, Source
from event_pipeline.api.exports.store import Export, ExportStore
from event_pipeline.exports.batches import pieces
from event_pipeline.exports.encoding import Encoder, EncodingError
from event_pipeline.exports.writer import WriteOptions

_NOTED_SECONDS = 0.5
_WEIGHED_SECONDS = 2.0


class StoppedError(Exception):
    """Nobody wants the file any more."""


class Making:
    """Makes one file. ``stop`` may be called by any thread."""

    def __init__(self, export: Export, folder: ExportFolder, store: ExportStore, seconds: float) -> None:
        self._export, self._folder, self._store = export, folder, store
        self._seconds, self._deadline = seconds, time.monotonic() + seconds
        self._lock = threading.Lock()
        self._stopped = False
        self._stops: list[Callable[[], object]] = []
        self._source: Source | None = None
        self._encoder: Encoder | None = None
        self.rows = 0

    def on_stop(self, call: Callable[[], object]) -> None:
        """Have that called when it is stopped; at once when it was."""
        with self._lock:
            self._stops.append(call)
            is_stopped = self._stopped
        if is_stopped:
            call()

    def stop(self) -> None:
        """End reading and writing at once."""
        with self._lock:
            self._stopped = True
            for call in self._stops:
                call()
            if self._source is not None:
                self._source.stop()
            if self._encoder is not None:
                self._encoder.kill()

    def run(self, opened: OpenSource) -> int:
        """Write the file; its size in bytes. Raises StoppedError, EncodingError, and what reading raises."""
        export_id = self._export.export_id
        part, scratch = self._folder.unfinished(export_id), self._folder.scratch(export_id)
        self._require_room()
        scratch.mkdir(mode=0o700)
        options = WriteOptions(bool(self._export.request.get("byte_order_mark")), scratch)
        try:
            with part.open("wb") as output, opened as source:
                self._write(source, Encoder(self._export.format, options, output))
                os.fsync(output.fileno())
        except Exception:
            self._require_wanted()
            raise
        size = part.stat().st_size
        part.rename(self._folder.file(self._export))
        return size

    def _write(self, source: Source, encoder: Encoder) -> None:
        try:
            with self._lock:
                self._source, self._encoder = source, encoder
            encoder.feed(source.schema, self._counted(source))
            encoder.finish(max(0.0, self._deadline - time.monotonic()))
        finally:
            with self._lock:
                self._source = self._encoder = None
            encoder.close()

    def _counted(self, source: Source) -> Iterator[pa.RecordBatch]:
        """The batches, with progress noted and limits looked at from time to time."""
        noted = weighed = float("-inf")
        for batch in pieces(source.batches):
            self._require_wanted()
            now = time.monotonic()
            if now > self._deadline:
                raise EncodingError(f"it took longer than {self._seconds:g} s; narrow it, or raise exports.job_seconds")
            if now - weighed > _WEIGHED_SECONDS:
                self._require_room()
                weighed = now
            if now - noted > _NOTED_SECONDS:
                size = self._folder.unfinished(self._export.export_id).stat().st_size
                self._store.progress(self._export.export_id, self.rows, source.rows, source.snapshot, size)
                noted = now
            yield batch
            self.rows += batch.num_rows
        self._store.progress(self._export.export_id, self.rows, source.rows, source.snapshot, 0)

    def _require_wanted(self) -> None:
        if self._stopped:
            raise StoppedError

    def _require_room(self) -> None:
        if self._folder.is_full():
            raise EncodingError(f"all exports together take more than {self._folder.limit}; delete some that are done")
