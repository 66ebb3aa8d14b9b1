"""Files that are hostile as a whole: each is made of one ordinary document, spoiled in one way."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from event_pipeline_tests.hostile.case import MARKER, ORDINARY, line, marked
from event_pipeline_tests.warehouse.documents import scan

TREE = f'{{"registrations": {{"{MARKER}": {ORDINARY}}}}}'
LINE = line()
SCAN = marked({**scan("x"), "scanner_id": MARKER})
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
HALF_TREE = b', "half": {"text": "'
HALF_LINE = b'\n{"collection": "registrations", "id": "half", "data": {"text": "'
GZIP_CHECK_BYTES = 8


@dataclass(frozen=True)
class File:
    """What ``spoil`` makes of a file of one document; whether that is staged all the same, and what is told.

    ``is_reported``: the file is named among the failures as damaged; ``refusal``: as one of another format, and why.
    """

    name: str
    spoil: Callable[[bytes], bytes]
    is_staged: bool = True
    is_reported: bool = False
    refusal: str = ""


def same(whole: bytes) -> bytes:
    """Nothing is spoiled."""
    return whole


def nothing(_: bytes) -> bytes:
    """An empty file."""
    return b""


def cut_gzip(content: bytes) -> bytes:
    """Compressed and broken off in the long text that follows the content."""
    packed = gzip.compress(content + random.Random(0).randbytes(50_000).hex().encode())
    return packed[: len(packed) // 2]


def unchecked_gzip(content: bytes) -> bytes:
    """Compressed, and only the check at the end is missing."""
    return gzip.compress(content)[:-GZIP_CHECK_BYTES]


def miscounted_gzip(content: bytes) -> bytes:
    """Compressed, and the check at the end is of other content."""
    return unchecked_gzip(content) + bytes(GZIP_CHECK_BYTES)


def with_id(tree: bytes, document_id: bytes) -> bytes:
    """The tree's document under another id, as it stands in the file."""
    return re.sub(rb'"case-\d{6}": \{', lambda _: b'"' + document_id + b'": {', tree, count=1)


def document_of(tree: bytes) -> bytes:
    """The tree's document alone."""
    return tree[tree.index(b'"case-') + len(b'"case-000000": ') : -2]


def indented(tree: bytes) -> bytes:
    """The tree as people read it, over many lines."""
    return json.dumps(json.loads(tree), indent=2).encode()


PACKED_TREES = [
    File("packed.json.gz", gzip.compress),
    File("cut.json.gz", lambda tree: cut_gzip(tree[:-2] + HALF_TREE), is_reported=True),
    File("unchecked.json.gz", unchecked_gzip, is_reported=True),
    File("miscounted.json.gz", miscounted_gzip, is_reported=True),
    File("followed-by-text.json.gz", lambda tree: gzip.compress(tree) + b"hello", is_reported=True),
    File("not-packed.json.gz", same, is_staged=False, is_reported=True),
    File(
        "packed-twice.json.gz",
        lambda tree: gzip.compress(gzip.compress(tree)),
        is_staged=False,
        refusal="is gzipped twice: unpack it once",
    ),
    File("empty.json.gz", nothing, is_staged=False, is_reported=True),
]
BYTES_OF_TREES = [
    File("plain.json", same),
    File("mark.json", lambda tree: BYTE_ORDER_MARK + tree),
    File(
        "utf-16.json",
        lambda tree: tree.decode().encode("utf-16"),
        is_staged=False,
        refusal="is text in UTF-16: save it as UTF-8",
    ),
    File("latin-1.json", lambda tree: tree.replace(b"Asha", b"Ash\xe4")),
    File("raw-nul.json", lambda tree: tree.replace(b"Asha", b"As\x00ha")),
    File("broken-off.json", lambda tree: tree[:-2] + b', "half": {"event_id": "e', is_reported=True),
    File("closed-twice.json", lambda tree: tree + b"}", is_reported=True),
    File("two-trees.json", lambda tree: tree + tree, is_reported=True),
    File("followed-by-text.json", lambda tree: tree + b" hello", is_reported=True),
    File("wrong-bracket.json", lambda tree: tree[:-1] + b"]", is_reported=True),
    File("white-space.json", lambda tree: b" \r\n\t" + tree + b"\n\n"),
    File("windows.json", lambda tree: indented(tree).replace(b"\n", b"\r\n")),
    File("empty.json", nothing, is_staged=False, is_reported=True),
    File("text.json", lambda _: b'"text"', is_staged=False, refusal="is no JSON of documents"),
]
SHAPES_OF_TREES = [
    File("list.json", lambda tree: b'{"registrations": [null, ' + document_of(tree) + b"]}"),
    File("text-beside.json", lambda tree: tree[:-2] + b', "odd": "text", "list": [], "none": null}}'),
    File(
        "values-beside.json",
        lambda tree: b'{"events": "text", "tags": [], "clubs": null, "categories": 5, ' + tree[1:],
    ),
    File("others-beside.json", lambda tree: b'{"unheard_of": {"a": {"b": 1}}, ' + tree[1:]),
    File("id-empty.json", lambda tree: with_id(tree, b"")),
    File("id-nul.json", lambda tree: with_id(tree, rb"a\u0000b")),
    File("id-escaped.json", lambda tree: with_id(tree, rb"a\"\\\/\ud83d\ude00")),
    File("id-long.json", lambda tree: with_id(tree, b"k" * 5_000), is_staged=False),
    File("id-twice.json", lambda tree: tree[:-2] + b", " + tree[len(b'{"registrations": {') :]),
    File("tree-as-lines.ndjson", same, is_staged=False),
]
LINES = [
    File("plain.ndjson", same),
    File("mark.ndjson", lambda text: BYTE_ORDER_MARK + text),
    File("windows.jsonl", lambda text: b"\r\n\r\n" + text + b"\r\n\r\n"),
    File("packed.ndjson.gz", gzip.compress),
    File("cut.ndjson.gz", lambda text: cut_gzip(text + HALF_LINE), is_reported=True),
    File("unchecked.jsonl.gz", lambda text: unchecked_gzip(text + b"\n"), is_reported=True),
    File("followed-by-text.ndjson.gz", lambda text: gzip.compress(text + b"\n") + b"hello", is_reported=True),
    File("not-packed.ndjson.gz", same, is_staged=False, is_reported=True),
    File("latin-1.ndjson", lambda text: text.replace(b"Asha", b"Ash\xe4")),
    File("raw-nul.ndjson", lambda text: text.replace(b"Asha", b"As\x00ha")),
    File("amid-garbage.ndjson", lambda text: b"\xff\xfe\x00\x01\n" + text + b"\n}}}}{{{{\n"),
    File("one-long-garbage.ndjson", lambda text: b"x" * 3_000_000 + b"\n" + text),
    File("registrations.ndjson", lambda text: text.replace(b'"collection": "registrations", ', b"")),
    File("empty.ndjson", nothing, is_staged=False),
    File("blank.ndjson", lambda _: b" \n\t\n\r\n", is_staged=False),
    File("lines-as-tree.json", lambda text: text + b"\n" + text, is_staged=False, is_reported=True),
]
SCANS = [
    File("scans-plain.ndjson", same),
    File("scans-mark.ndjson", lambda text: BYTE_ORDER_MARK + text),
    File("scans-windows.ndjson", lambda text: text + b"\r\n"),
    File("scans-latin-1.ndjson", lambda text: text.replace(b'"x"', b'"\xe4"')),
    File("scans-amid-garbage.ndjson", lambda text: b"\x00\x00\x00\n\xff\xff\n" + text + b"\n\x1f\x8b\x08"),
    File("scans-packed.ndjson", gzip.compress, is_staged=False),
    File("scans-empty.ndjson", nothing, is_staged=False),
]
INBOX = [(file, SCAN) for file in SCANS]
EXPORTS = [(file, TREE) for file in (*PACKED_TREES, *BYTES_OF_TREES, *SHAPES_OF_TREES)]
EXPORTS += [(file, LINE) for file in LINES]
FILES = {file.name: file for file, _ in (*EXPORTS, *INBOX)}
assert len(FILES) == len(EXPORTS) + len(INBOX), "two files have one name"
