"""Files that appear whole or not at all: written beside their place and renamed when everything is done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import orjson

from event_pipeline.demo.columns import Text, text_bytes

LINES_PER_FILE = 250_000
"""Most records in one inbox file."""


class AtomicFiles:
    """Binary files under one folder that get their names together when the block ends well, else vanish."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._open: list[tuple[BinaryIO, Path, Path]] = []

    @property
    def paths(self) -> tuple[Path, ...]:
        """Final paths, in the order they were opened."""
        return tuple(path for _, _, path in self._open)

    def create(self, relative: str) -> BinaryIO:
        """A file to write to; it appears as ``target/relative`` at the end, replacing an older one."""
        path = self._target / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        handle = part.open("wb", buffering=1 << 20)
        self._open.append((handle, part, path))
        return handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle, _, _ in self._open:
            handle.close()
        for _, part, path in self._open:
            if kind is None:
                part.replace(path)
            else:
                part.unlink(missing_ok=True)


class TreeWriter:
    """A Realtime Database console export: one JSON object of collections, each an object of documents."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self._handle.write(b"{")
        self._collections = 0
        self._documents = 0

    def begin(self, collection: str) -> None:
        """Open the next collection."""
        self._handle.write(b"\n}," if self._collections else b"")
        self._handle.write(b'\n"' + collection.encode() + b'":{')
        self._collections += 1
        self._documents = 0

    def add_columns(self, documents: Text) -> None:
        """Documents whose rows each read ``,\\n"id":value``."""
        data = text_bytes(documents)
        self._handle.write(data if self._documents else data[1:])
        self._documents += len(documents)

    def add_documents(self, documents: Mapping[str, object] | Iterable[tuple[str, object]]) -> int:
        """Documents as Python values; returns how many."""
        before = self._documents
        for key, value in documents.items() if isinstance(documents, Mapping) else documents:
            separator = b",\n" if self._documents else b"\n"
            self._handle.write(separator + orjson.dumps(key) + b":" + orjson.dumps(value))
            self._documents += 1
        return self._documents - before

    def end(self) -> None:
        """Close the last collection and the tree."""
        self._handle.write(b"\n}\n}\n" if self._collections else b"}\n")


class LineWriter:
    """NDJSON records spread over ``inbox/<stem>-0001.ndjson``, ``-0002`` and so on."""

    def __init__(self, files: AtomicFiles, stem: str, lines_per_file: int = LINES_PER_FILE) -> None:
        self._files = files
        self._stem = stem
        self._lines_per_file = lines_per_file
        self._handle: BinaryIO | None = None
        self._room = 0
        self._number = 0
        self.written = 0

    def write(self, lines: Text) -> None:
        """Records whose rows each end with a line feed."""
        start = 0
        while start < len(lines):
            handle = self._next_file() if self._handle is None or self._room == 0 else self._handle
            taken = min(self._room, len(lines) - start)
            handle.write(text_bytes(lines.slice(start, taken)))
            self._room -= taken
            start += taken
        self.written += len(lines)

    def _next_file(self) -> BinaryIO:
        self._number += 1
        self._room = self._lines_per_file
        self._handle = self._files.create(f"inbox/{self._stem}-{self._number:04d}.ndjson")
        return self._handle
