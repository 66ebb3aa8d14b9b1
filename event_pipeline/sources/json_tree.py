"""A Realtime Database console export, split into documents while it is read.

The export is one JSON tree ``{collection: {id: document}}``; nested collections hold ``{group: {id: document}}`` and
their document ids are ``group/id``. Python parses only the few bytes between documents, which stay slices of the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from event_pipeline.errors import PermanentError
from event_pipeline.sources.document_block import DocumentBlock, FoundDocuments
from event_pipeline.sources.firebase_cursor import NESTED_COLLECTIONS
from event_pipeline.sources.json_tree_text import (
    BEGINNING,
    BLANK,
    ELEMENT,
    END,
    MEMBER,
    PLAIN_MEMBER,
    PLAIN_MEMBERS,
    ROOT,
    key_text,
)
from event_pipeline.sources.text_blocks import (
    BYTE_ORDER_MARK,
    CHUNK_BYTES,
    MAX_DEPTH,
    Brackets,
    ByteStream,
    Positions,
    every_second,
    find_brackets,
    read_block,
    slice_column,
)

MAX_DOCUMENT_BYTES = 512 * 1024 * 1024
VALUE_ID = "#value"
"""Document id of a collection that is a bare value; Firebase allows no ``#`` in a key, so it clashes with none."""


@dataclass(slots=True)
class _Level:
    """An object or array that is open at the point of reading, and how many entries of it were read."""

    name: str
    is_array: bool
    entries: int = 0


def split_tree(
    stream: ByteStream,
    name: str,
    *,
    nested: Collection[str] = NESTED_COLLECTIONS,
    chunk_bytes: int = CHUNK_BYTES,
    max_document_bytes: int = MAX_DOCUMENT_BYTES,
    starts_at: int = 0,
    is_inner: bool = False,
) -> Iterator[DocumentBlock]:
    """The documents of an export in file order; memory is bounded by a few chunks or the largest document.

    A value that is no object is a document too (its JSON text); arrays stand for objects with keys 0, 1, ... whose
    null entries are absent. Raises PermanentError, after every complete document before it, where the tree is cut off
    or damaged or holds a document above ``max_document_bytes``; ``name`` is the file's name in that message, and
    ``starts_at`` the place in it of the stream's first byte. With ``is_inner`` the text behind the tree is left unread.
    """
    return _Splitter(name, frozenset(nested), starts_at, is_inner).split(stream, chunk_bytes, max_document_bytes)


class _Splitter:
    def __init__(self, name: str, nested: frozenset[str], starts_at: int, is_inner: bool) -> None:
        self._name = name
        self._nested = nested
        self._starts_at = starts_at
        self._is_inner = is_inner
        self._levels: list[_Level] = []
        self._is_closed = False
        self._is_broken = False
        self._buffer = bytearray()
        self._at = 0
        self._last = "none"

    def split(self, stream: ByteStream, chunk_bytes: int, max_document_bytes: int) -> Iterator[DocumentBlock]:
        offset, is_end, damage = 0, False, None
        while not is_end:
            # Reading as much again as is left over keeps documents far above the chunk linear in time.
            tail = self._buffer[self._at :]
            self._buffer, damage = read_block(stream, max(chunk_bytes, len(tail), len(BYTE_ORDER_MARK)), tail)
            is_end = len(self._buffer) == len(tail) or damage is not None
            if offset == 0 and self._buffer.startswith(BYTE_ORDER_MARK):
                del self._buffer[: len(BYTE_ORDER_MARK)]
                offset = len(BYTE_ORDER_MARK)
            yield from self._read_buffer()
            offset += self._at
            if self._is_broken:
                raise self._error("is no whole JSON tree: unexpected text", offset)
            if len(self._buffer) - self._at > max_document_bytes:
                limit = f"holds an entry larger than the limit of {max_document_bytes:,} bytes, which starts"
                raise self._error(limit, offset)
        if damage is not None:
            raise self._error(
                f"is damaged ({damage}) and not readable beyond the text", offset + len(self._buffer) - self._at
            )
        if not self._is_closed:
            raise self._error("breaks off before its JSON tree is complete; the last whole entry ends", offset)

    def _error(self, problem: str, offset: int) -> PermanentError:
        within = "/".join(level.name for level in self._levels[1:]) or "the top level"
        return PermanentError(
            f"{self._name} {problem} at byte {max(0, self._starts_at + offset):,}, in {within}; "
            f"last complete document: {self._last}. "
            "Every complete document before it was read and the file is not marked as loaded: "
            "export it again and put the whole file in its place."
        )

    def _read_buffer(self) -> Iterator[DocumentBlock]:
        """Every complete document of the buffer; ``_at`` ends behind the last entry that was read whole."""
        self._at = 0
        if not self._buffer:
            return
        brackets = find_brackets(self._buffer, len(self._levels))
        collection_ends = np.flatnonzero(brackets.depths <= 1)
        before = -1
        while self._at != before and not self._is_closed and not self._is_broken:
            before = self._at
            if not self._levels:
                self._read_root()
            elif len(self._levels) == 1:
                yield from self._read_top_entry()
            else:
                yield from self._read_documents(brackets, collection_ends)
        if self._is_closed:
            self._is_broken = not self._is_inner and not BLANK.match(self._buffer, self._at)
            self._at = self._at if self._is_broken else len(self._buffer)

    def _read_root(self) -> None:
        root = ROOT.match(self._buffer)
        if root is None:
            self._is_broken = not b"null".startswith(self._buffer.strip(b" \t\r\n"))
        elif root.group(1) == b"{":
            self._levels.append(_Level("", is_array=False))
            self._at = root.end()
        else:
            self._is_closed, self._at = True, root.end()

    def _read_top_entry(self) -> Iterator[DocumentBlock]:
        """The next entry of the root: a collection opens, or is a bare value, or the root ends."""
        found = FoundDocuments()
        self._at = self._read_entry(self._buffer, self._at, 0, found) or self._at
        if found.ids and found.bare[0] != b"null":
            self._last = f"{found.ids[0]}/{VALUE_ID}"
            collection, found.ids = found.ids[0], [VALUE_ID]
            yield found.block(collection, pa.array([], pa.large_binary()), np.empty(0, np.bool_))

    def _read_documents(self, brackets: Brackets, collection_ends: Positions) -> Iterator[DocumentBlock]:
        """The documents of the open collection, up to its end or the end of the buffer."""
        collection = self._levels[1].name
        holder = 3 if collection in self._nested else 2
        first = int(np.searchsorted(brackets.positions, self._at))
        later = int(np.searchsorted(collection_ends, first))
        is_whole = later < len(collection_ends)
        until = int(collection_ends[later]) + 1 if is_whole else len(brackets.positions)
        positions, depths = brackets.positions[first:until], brackets.depths[first:until]
        opens = brackets.opens[first:until]
        end = int(positions[-1]) + 1 if is_whole else len(self._buffer)
        closing = np.flatnonzero(~opens & (depths == holder))
        opening = np.flatnonzero(opens & (depths == holder + 1))
        if len(opening) > len(closing):
            end = int(positions[opening[len(closing)]])
        opening = opening[: len(closing)]
        bounds = np.stack([positions[opening], positions[closing] + 1], axis=1).ravel()
        found = self._read_between(bounds, end, holder)
        if found.ids:
            self._last = f"{collection}/{found.ids[-1]}"
            count = found.sliced
            spans = np.stack([opening[:count], closing[:count]], axis=1).ravel()
            deepest = np.maximum.reduceat(depths, spans)[::2] if count else np.empty(0, np.int32)
            slices = every_second(slice_column(self._buffer, bounds[: 2 * count]))
            yield found.block(collection, slices, deepest - holder > MAX_DEPTH)

    def _read_between(self, bounds: Positions, end: int, holder: int) -> FoundDocuments:
        """Reads the text around the documents at ``bounds``, each shortened to its opening bracket, from ``_at`` on."""
        inner = bounds.copy()
        inner[::2] += 1
        edges = np.concatenate([[self._at], inner, [end]])
        column = every_second(slice_column(self._buffer, edges))
        _, offsets, data = column.buffers()
        text = data.to_pybytes() if data is not None else b""
        found, position, following = FoundDocuments(), 0, 0
        while len(self._levels) > 1 and following is not None:
            position = self._read_plain_members(text, following, holder, found)
            following = self._read_entry(text, position, holder, found)
        position = following if following is not None else position
        gap = found.sliced
        self._at = int(edges[2 * gap]) + position - int(np.frombuffer(offsets, np.int64)[gap])
        return found

    def _read_plain_members(self, text: bytes, position: int, holder: int, found: FoundDocuments) -> int:
        """Reads the documents with plain keys that follow each other, which nearly all do, without a step for each."""
        level = self._levels[-1]
        if len(self._levels) != holder or level.is_array or level.entries == 0:
            return position
        members = PLAIN_MEMBERS.match(text, position)
        if members is None:
            return position
        keys = b"\n".join(PLAIN_MEMBER.findall(text, position, members.end())).decode("ascii").split("\n")
        found.ids.extend(keys if holder == 2 else [f"{level.name}/{key}" for key in keys])
        level.entries += len(keys)
        return members.end()

    def _read_entry(self, text: bytes | bytearray, position: int, holder: int, found: FoundDocuments) -> int | None:
        """Reads one entry or the end of the innermost level and says where it ends; None when it is not whole."""
        level = self._levels[-1]
        match = (ELEMENT if level.is_array else MEMBER).match(text, position)
        if match is None:
            return self._leave_level(text, position)
        comma, key, opened, bare = match.groups()
        if (not comma) != (level.entries == 0):
            self._is_broken = True
            return None
        name = str(level.entries) if level.is_array else key_text(key)
        level.entries += 1
        if opened and len(self._levels) != holder:
            self._levels.append(_Level(name, is_array=opened == b"["))
        elif opened or not (level.is_array and bare == b"null"):
            if bare:
                found.bare[len(found.ids)] = bytes(bare)
            found.ids.append(f"{self._levels[2].name}/{name}" if len(self._levels) == 3 else name)
        return match.end()

    def _leave_level(self, text: bytes | bytearray, position: int) -> int | None:
        end = END.match(text, position)
        if end is None or (end.group(1) == b"]") != self._levels[-1].is_array:
            self._is_broken = end is not None or not BEGINNING.match(text, position)
            return None
        self._levels.pop()
        self._is_closed = not self._levels
        return end.end()
