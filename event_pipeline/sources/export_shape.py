"""What kind of export a ``.json`` file is, told by its beginning, and its text as one tree of collections.

The reader of trees then takes every kind: a list of records becomes the only collection of a tree, a part of a database
is put at its path. What is none of these is refused here with what was found and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import orjson

from event_pipeline.errors import PermanentError
from event_pipeline.settings import COLLECTIONS
from event_pipeline.sources.export_path import path_of_file
from event_pipeline.sources.export_records import is_known_record
from event_pipeline.sources.json_tree_text import key_text
from event_pipeline.sources.text_blocks import BYTE_ORDER_MARK, ByteStream, find_brackets, read_block

RECORDS = "documents"
"""The collection that stands for the records of a list; a page of REST documents names its list so."""

_HEAD_BYTES = 64 * 1024
_TEXT = re.compile(rb'"((?:[^"\\]|\\.)*+)"[ \t\r\n]*+(:?)')
_FIRESTORE_ROOT = re.compile(rb'[ \t\r\n]*\{[ \t\r\n]*"__collections__"[ \t\r\n]*:[ \t\r\n]*(?=\{)')
_FIRESTORE_MARKS = (b'"__collections__"', b'"__datatype__"')
_KEYS_SHOWN = 3
_BINARY = {
    b"PK\x03\x04": "a zip archive or a workbook: unpack it, or save it as JSON",
    b"SQLite format 3": "an SQLite database: export its documents as JSON, one a line",
    b"PAR1": "a Parquet file: export the table as JSON, newline delimited",
    b"Obj\x01": "an Avro file: export the table as JSON, newline delimited",
}
_GZIP = b"\x1f\x8b"
_UTF_16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

_WIDE = {
    "UTF-32": re.compile(rb"(?:\xff\xfe\0\0)?(?:[\t\r\n -~]\0\0\0)+|(?:\0\0\xfe\xff)?(?:\0\0\0[\t\r\n -~])+"),
    "UTF-16": re.compile(rb"(?:[\t\r\n -~]\0)+|(?:\0[\t\r\n -~])+"),
}
"""ASCII as wider encodings write it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file's text becomes a tree: ``skipped`` bytes are left out, ``before`` and ``after`` put around the rest.

    ``kind`` says what the tree's documents are: the app's documents, documents with the tags and collections of
    node-firestore-import-export, or records; ``lines`` is a file with one record a line. ``is_inner`` where text after
    the tree belongs to what encloses it.
    """

    kind: Literal["tree", "firestore_tree", "records", "lines"]
    before: bytes = b""
    after: bytes = b""
    skipped: int = 0
    is_inner: bool = False


class HeadedStream:
    """A stream whose beginning was read already, with text put before and after what is left of it."""

    def __init__(self, stream: ByteStream, head: bytes | bytearray, damage: str | None) -> None:
        self._stream, self._waiting, self._damage = stream, memoryview(bytes(head)), damage
        self._after = b""

    @property
    def head(self) -> memoryview:
        """What was read already."""
        return self._waiting

    @classmethod
    def of(cls, stream: ByteStream) -> HeadedStream:
        """The stream with its first 64 KB read."""
        head, damage = read_block(stream, _HEAD_BYTES)
        return cls(stream, head, damage)

    def shaped(self, shape: Shape) -> HeadedStream:
        """The same text as the tree that the shape says."""
        start = len(BYTE_ORDER_MARK) if bytes(self._waiting[:3]) == BYTE_ORDER_MARK else 0
        shaped = HeadedStream(self._stream, shape.before + self._waiting[start + shape.skipped :], self._damage)
        shaped._after = shape.after
        return shaped

    def readinto(self, buffer: memoryview, /) -> int:
        """Fills the buffer from its start; returns how many bytes, 0 at the end. Raises EOFError at damaged data."""
        if not self._waiting and self._damage is None:
            count = self._stream.readinto(buffer) or 0
            if count or not self._after:
                return count
            self._waiting, self._after = memoryview(self._after), b""
        if not self._waiting:
            raise EOFError(self._damage)
        count = min(len(self._waiting), len(buffer))
        buffer[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        return count


def refuse_binary(head: memoryview, name: str) -> None:
    """Raises PermanentError where the file is, by its first bytes, of a format that is not read."""
    start = bytes(head[:16])
    for magic, what in _BINARY.items():
        if start.startswith(magic):
            raise PermanentError(f"{name} is {what}")
    if start.startswith(_GZIP):
        is_unpacked = name.endswith(".gz")
        way = "unpack it once" if is_unpacked else "give it a name that ends with .gz"
        raise PermanentError(f"{name} is gzipped{' twice' if is_unpacked else ''}: {way}")
    if start and not start.strip(b"\0"):
        raise PermanentError(
            f"{name} begins with zero bytes, as files do after a full disk or a crash: export it again"
        )
    wide = next((width for width, text in _WIDE.items() if text.fullmatch(start)), None)
    if wide:
        raise PermanentError(f"{name} is text in {wide}: save it as UTF-8")
    encoding = _UTF_16.get(start[:2])
    # Lines of text may begin with the same bytes; what follows tells.
    if encoding and start[2:4].decode(encoding, "replace").strip(" \t\r\n") in ("", "{", "["):
        raise PermanentError(f"{name} is text in UTF-16: save it as UTF-8")


def shape_of(head: memoryview, name: str, path: str | None) -> Shape:
    """The shape of a ``.json`` file that begins so; ``path`` is where in the database it belongs, where it was said.

    Raises PermanentError where it is none that can be read.
    """
    text = bytes(head).removeprefix(BYTE_ORDER_MARK)
    start = text.lstrip(b" \t\r\n")
    if not start or b"null".startswith(start[:4]):
        return Shape("tree")
    if _is_known_line(start):
        return Shape("lines")
    if start.startswith(b"["):
        return Shape("records", b'{"%s":' % RECORDS.encode(), b"}")
    if not start.startswith(b"{"):
        raise PermanentError(
            f"{name} is no JSON of documents, it begins with {start[:30].decode('utf-8', 'replace')!r}: export the "
            "database as JSON, or write one document a line into a file whose name ends with .ndjson"
        )
    return _shape_of_object(text, name, path)


def _shape_of_object(text: bytes, name: str, path: str | None) -> Shape:
    keys = _top_keys(text)
    if {"name", "fields"} <= set(keys) or keys[:1] in (["document"], ["found"]):
        return Shape("records", b'{"%s":[' % RECORDS.encode(), b"]}")
    if RECORDS in keys and set(keys) <= {RECORDS, "nextPageToken"}:
        return Shape("records")
    kind = "firestore_tree" if any(mark in text for mark in _FIRESTORE_MARKS) else "tree"
    held = [key for key in keys if key in COLLECTIONS]
    if held and path is not None:
        raise PermanentError(f"{name} holds {', '.join(held[:_KEYS_SHOWN])} at its top: load it without a path")
    root = _FIRESTORE_ROOT.match(text)
    if path is None and not held and not (root and keys == ["__collections__"]):
        path = path_of_file(name)
    if held or path is None:
        if root and not held:
            return Shape(kind, skipped=root.end(), is_inner=True)
        return Shape(kind)
    return _at_path(kind, path.split("/"))


def _at_path(kind: Literal["tree", "firestore_tree"], parts: Sequence[str]) -> Shape:
    before, closed = b"{", 1
    for number, part in enumerate(parts):
        if number and number % 2 == 0 and kind == "firestore_tree":
            before, closed = before + b'"__collections__":{', closed + 1
        before += orjson.dumps(part) + b":"
        if number < len(parts) - 1:
            before, closed = before + b"{", closed + 1
    return Shape(kind, before, b"}" * closed)


def _top_keys(text: bytes) -> list[str]:
    """Keys of the object that the text begins with, as far as the text goes."""
    buffer = bytearray(text)
    brackets = find_brackets(buffer)
    opened = np.flatnonzero(brackets.opens & (brackets.depths == 2))
    closed = np.flatnonzero(~brackets.opens & (brackets.depths == 1))
    position = int(brackets.positions[0]) + 1
    keys: list[str] = []
    for number, at in enumerate(opened.tolist()):
        keys += _keys_in(buffer[position : int(brackets.positions[at])])
        if number >= len(closed):
            break
        position = int(brackets.positions[closed[number]]) + 1
    else:
        ends = np.flatnonzero(~brackets.opens & (brackets.depths == 0))
        end = int(brackets.positions[ends[0]]) if len(ends) else len(buffer)
        keys += _keys_in(buffer[position:end])
    return keys


def _keys_in(text: bytes | bytearray) -> list[str]:
    return [key_text(key) for key, colon in _TEXT.findall(text) if colon]


def _is_known_line(start: bytes) -> bool:
    """Whether the first line is a whole record of a tool, and so each of the others."""
    line, _, _ = start.partition(b"\n")
    if not line.startswith(b"{"):
        return False
    try:
        return is_known_record(orjson.loads(line))
    except orjson.JSONDecodeError:
        # A first line that is longer than the beginning that was read.
        return (b'"document_name"' in line and b'"operation"' in line) or line.startswith(b'{"name":"projects/')
