"""What a writer is: record batches in, the file's bytes out, never more than a few pieces of it in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """``byte_order_mark`` lets Excel open CSV as UTF-8. ``scratch`` is the folder for temporary files, the system's own
    when None."""

    byte_order_mark: bool = False
    scratch: Path | None = None


Writer = Callable[[pa.Schema, Iterable[pa.RecordBatch], WriteOptions], Iterator[bytes]]


class Sink:
    """A file to write to whose bytes are taken away as they come."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep a copy until it is taken."""
        self._parts.append(bytes(data))
        return len(self._parts[-1])

    def flush(self) -> None:
        """Nothing to do: bytes are taken when they are wanted."""

    def take(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)
