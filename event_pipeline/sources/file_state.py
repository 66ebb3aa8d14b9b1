"""Dropped files: which there are, whether one is still the file that was read, its content unpacked and named."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells, without reading it, that a file is still the one that was read; ``modified_us`` is since 1970."""

    size: int
    modified_us: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """The file's stamp now. Raises FileNotFoundError when it is gone."""
        status = path.stat()
        return cls(status.st_size, max(0, status.st_mtime_ns // 1000))


class HashingFile(io.RawIOBase):
    """A file read once, front to back, that names its content on the way."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fills the buffer from its start; returns how many bytes, 0 at the end."""
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view) or 0
        self._hash.update(view[:count])
        return count

    def finish(self) -> str:
        """The hash of the whole content, reading what is left of it."""
        buffer = memoryview(bytearray(_READ_BYTES))
        while self.readinto(buffer):
            pass
        return self._hash.hexdigest()


class UnpackingFile(gzip.GzipFile):
    """Gzipped content that is unpacked a step at a time: all that comes before a break is read, however short."""

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Fills the buffer's start with what one step unpacks; returns how many bytes, 0 at the end."""
        # A buffer filled in several steps would be dropped as a whole when a later one meets the damage.
        return self.readinto1(buffer)


def content_hash(path: Path) -> str:
    """The name of a file's content: SHA-256 in hex."""
    with path.open("rb", buffering=0) as file:
        return HashingFile(file).finish()


def dropped_files(directory: Path, suffixes: Sequence[str]) -> list[Path]:
    """Finished files of a directory, by name order; hidden ones and folders do not count, nor a missing directory."""
    if not directory.is_dir():
        return []
    named = (path for path in directory.iterdir() if path.name.endswith(tuple(suffixes)) and path.name[0] != ".")
    return sorted((path for path in named if path.is_file()), key=lambda path: path.name)
