"""One export file, wherever it is on disk, read as the files of the exports folder are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from event_pipeline.sources.change import ChangeBatch, KnownVersions
from event_pipeline.sources.export_files import ExportFilesSource
from event_pipeline.sources.file_state import HashingFile


class ExportFile(ExportFilesSource):
    """A file that is loaded once under the given name of its cursor.

    ``label`` is what its unreadable lines are named by, else its name. A file with documents of collections that are
    not followed gets no cursor: once they are, it is read again.
    """

    def __init__(
        self,
        path: Path,
        cursor_name: str,
        collections: Sequence[str],
        batch_size: int,
        *,
        is_snapshot: bool = False,
        place: str | None = None,
        label: str | None = None,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> None:
        super().__init__(path.parent, collections, batch_size, is_snapshot=is_snapshot, path=place)
        self._file = path
        self._label = label or path.name
        self._cursor_name = cursor_name
        self._on_read = on_read
        self.documents = 0
        """Documents that the last poll read, those of collections that are not followed left out."""
        self.was_read = False
        """Whether the last poll read the file; it does not when the cursor covers it."""

    def files(self) -> list[Path]:
        """This one."""
        return [self._file]

    def _label_of(self, name: str) -> str:
        return self._label

    def poll(self, cursors: Mapping[str, object], known: KnownVersions) -> Iterator[ChangeBatch]:
        """What the file holds and the lake does not; as the folder's files are, with a cursor of its own name."""
        self.documents, self.was_read = 0, False
        own = {self._file.name: cursors[self._cursor_name]} if self._cursor_name in cursors else {}
        for batch in super().poll(own, known):
            is_covered = batch.cursors and not self.not_followed
            covered = {self._cursor_name: batch.cursors[self._file.name]} if is_covered else {}
            yield replace(batch, cursors=covered)

    def _read(self, name: str, raw: HashingFile, observed_us: int) -> Iterator[pa.Table]:
        self.was_read = True
        for changes in super()._read(name, _Measured(raw, self._on_read), observed_us):
            self.documents += changes.num_rows
            yield changes


class _Measured(HashingFile):
    """A file that tells how many bytes of it were read."""

    def __init__(self, file: HashingFile, on_read: Callable[[int], None]) -> None:
        super().__init__(file)
        self._on_read = on_read
        self._read_bytes = 0

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fills the buffer from its start; returns how many bytes, 0 at the end."""
        count = self._file.readinto(buffer) or 0
        self._read_bytes += count
        self._on_read(self._read_bytes)
        return count
