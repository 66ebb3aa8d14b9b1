"""The Realtime Database's server-sent events, read in bounded memory: a whole collection arrives as one line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from event_pipeline.errors import PermanentError, TransientError
from event_pipeline.sources.json_tree import VALUE_ID, split_tree

MAX_EVENT_BYTES = 32 * 1024 * 1024
_BLOCK_BYTES = 1024 * 1024
_WHOLE = b'data: {"path":"/","data":'


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Nothing but a sign of life."""


@dataclass(frozen=True, slots=True)
class WholeBegins:
    """Everything the node holds follows, in ``WholePart``s."""


@dataclass(frozen=True, slots=True)
class WholePart:
    """Some of the documents, as (id, JSON text)."""

    documents: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class WholeEnds:
    """There are no other documents."""


@dataclass(frozen=True, slots=True)
class Written:
    """``data`` was put at ``path`` below the node, or its entries, themselves paths, were put below it."""

    kind: Literal["put", "patch"]
    path: str
    data: Any


Event = KeepAlive | WholeBegins | WholePart | WholeEnds | Written


def read_events(chunks: Iterator[bytes], collection: str) -> Iterator[tuple[Event, int]]:
    """Events and their bytes. Raises PermanentError when the server cancels, TransientError when it must be asked anew.

    An event above ``MAX_EVENT_BYTES`` that is not of the whole node is a TransientError: the next connection brings it.
    """
    text = _Bytes(chunks)
    name = ""
    while True:
        if name == "put" and text.starts_with(_WHOLE):
            text.skip(len(_WHOLE))
            yield from _whole(text, collection)
            name = ""
            continue
        line = text.line()
        if line is None:
            return
        field, _, value = line.partition(b":")
        if field == b"event":
            name = value.strip().decode("utf-8", "replace")
        elif field == b"data":
            yield _event(name, value, collection), len(value)


def _whole(text: _Bytes, collection: str) -> Iterator[tuple[Event, int]]:
    yield WholeBegins(), 0
    # What is left of the line closes the tree that this opens, so it reads as an export of one collection.
    tree = _RestOfLine(text, json.dumps({collection: None}).removesuffix("null}").encode())
    try:
        for block in split_tree(tree, f"the stream of {collection}", chunk_bytes=_BLOCK_BYTES):
            if block.document_ids == [VALUE_ID]:
                raise PermanentError(
                    f"Realtime Database: /{collection} holds a single value, not documents; check "
                    "firebase.database_url, and the node in the Firebase console"
                )
            documents = list(zip(block.document_ids, block.payloads.to_pylist(), strict=True))
            yield WholePart(documents), block.payloads.nbytes
    except PermanentError as error:
        if tree.is_whole:
            raise
        raise TransientError(f"Realtime Database: the stream of {collection} broke off; it is opened anew") from error
    yield WholeEnds(), 0


def _event(name: str, value: bytes, collection: str) -> Event:
    if name == "keep-alive":
        return KeepAlive()
    if name == "cancel":
        said = value.strip().decode("utf-8", "replace")[:200]
        raise PermanentError(
            f"Realtime Database: the stream of {collection} was cancelled: {said}; grant the service account the role "
            "Firebase Realtime Database Viewer (roles/firebasedatabase.viewer) and check the database's rules"
        )
    if name == "auth_revoked":
        raise TransientError(f"Realtime Database: the credentials of the stream of {collection} expired; renewing them")
    if name not in ("put", "patch"):
        return KeepAlive()  # a kind of event that does not exist yet
    try:
        event = json.loads(value)
        path, data = event["path"], event["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        path, data = None, None
    if not isinstance(path, str) or (name == "patch" and not isinstance(data, dict)):
        raise TransientError(f"Realtime Database: an event of {collection} cannot be read; the stream is opened anew")
    return Written("put" if name == "put" else "patch", path, data)


class _Bytes:
    """Chunks of a body as they arrive, taken by line or by piece."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._buffer = bytearray()

    def starts_with(self, text: bytes) -> bool:
        """Whether the next bytes are these; reads no more than it must to tell."""
        while len(self._buffer) < len(text) and text.startswith(self._buffer):
            if not self._more():
                return False
        return self._buffer.startswith(text)

    def skip(self, count: int) -> None:
        """Drop bytes that are there."""
        del self._buffer[:count]

    def line(self) -> bytes | None:
        """The next line without its end; None at the end of the body."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_EVENT_BYTES:
                raise TransientError(f"Realtime Database: an event is larger than {MAX_EVENT_BYTES:,} bytes")
            if not self._more():
                return None
        line = bytes(self._buffer[:end]).rstrip(b"\r")
        del self._buffer[: end + 1]
        return line

    def piece(self, limit: int) -> tuple[bytes, bool]:
        """Some bytes of the present line, and whether it ends behind them."""
        if not self._buffer and not self._more():
            return b"", False
        piece = bytes(self._buffer[:limit])
        end = piece.find(b"\n")
        if end >= 0:
            del self._buffer[: end + 1]
            return piece[:end], True
        del self._buffer[: len(piece)]
        return piece, False

    def _more(self) -> bool:
        chunk = next(self._chunks, None)
        self._buffer += chunk or b""
        return chunk is not None


class _RestOfLine:
    """A ``ByteStream`` of a prefix and the rest of the present line. ``is_whole``: its end was reached."""

    def __init__(self, text: _Bytes, prefix: bytes) -> None:
        self._text = text
        self._left = prefix
        self.is_whole = False

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills the buffer from its start; 0 at the end of the line."""
        if not self._left and not self.is_whole:
            self._left, self.is_whole = self._text.piece(len(buffer))
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
