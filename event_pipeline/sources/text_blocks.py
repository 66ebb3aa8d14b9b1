"""Large text read in blocks: bytes in, Arrow columns out, without a Python object per row.

Whatever bytes a file holds, the text that leaves here is valid UTF-8 without U+0000: invalid bytes, raw NUL bytes and
the escape ``\\u0000`` become U+FFFD, and rows with invalid bytes are counted.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from event_pipeline.errors import PermanentError

Positions = npt.NDArray[np.int64]

CHUNK_BYTES = 8 * 1024 * 1024
MAX_LINE_BYTES = 512 * 1024 * 1024
MAX_DEPTH = 200
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
DAMAGED_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)

_QUOTE, _BACKSLASH, _NEWLINE, _RETURN = 0x22, 0x5C, 0x0A, 0x0D
_OPEN, _CLOSE, _SAME_CASE = 0x7B, 0x7D, 0x20
_READ_BYTES = 1024 * 1024


class ByteStream(Protocol):
    """Anything that fills buffers: a file, a gzip stream, bytes in memory."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fills the buffer from its start; returns how many bytes, 0 at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Brackets:
    """Braces and brackets outside strings: where they stand and the nesting depth after each."""

    positions: Positions
    depths: npt.NDArray[np.int32]
    opens: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LineBlock:
    """Consecutive lines of a file without their line ends, numbered from ``first_number`` (the file's first is 1).

    ``too_deep`` marks lines nested deeper than 200 levels below the record; ``replaced`` is the number of lines that
    had invalid bytes.
    """

    first_number: int
    lines: pa.LargeStringArray
    too_deep: npt.NDArray[np.bool_]
    replaced: int


def read_block(stream: ByteStream, size: int, head: bytes | bytearray = b"") -> tuple[bytearray, str | None]:
    """``head`` and up to ``size`` bytes after it, fewer only at the end; what is wrong where gzip data is damaged."""
    buffer, filled, damage = bytearray(len(head) + size), len(head), None
    buffer[:filled] = head
    with memoryview(buffer) as view:
        while filled < len(buffer):
            try:
                count = stream.readinto(view[filled : filled + _READ_BYTES])
            except DAMAGED_GZIP as error:
                # The error itself would hold on to the buffer, which then could not be cut.
                damage = str(error)
                break
            if not count:
                break
            filled += count
    del buffer[filled:]
    return buffer, damage


def find_brackets(buffer: bytearray, depth: int = 0) -> Brackets:
    """Structure of JSON text that starts outside a string at ``depth``; ``\\u0000`` escapes are replaced in place."""
    data = np.frombuffer(buffer, dtype=np.uint8)
    quotes = data == _QUOTE
    if _BACKSLASH in buffer:
        escapes = _escape_positions(data)
        _replace_nul_escapes(data, escapes)
        quotes[np.minimum(escapes + 1, len(data) - 1)] = False
    lowered = data | _SAME_CASE
    positions = np.flatnonzero((lowered == _OPEN) | (lowered == _CLOSE))
    if len(positions) == 0:
        return Brackets(positions, np.empty(0, np.int32), np.empty(0, np.bool_))
    counts = np.add.reduceat(quotes.view(np.uint8), positions, dtype=np.uint8)
    before = np.cumsum(counts, dtype=np.uint8) - counts + np.uint8(np.count_nonzero(quotes[: positions[0]]) & 1)
    positions = positions[(before & 1) == 0]
    opens = lowered[positions] == _OPEN
    depths = depth + np.cumsum(np.where(opens, np.int32(1), np.int32(-1)), dtype=np.int32)
    return Brackets(positions, depths.astype(np.int32, copy=False), opens)


def replace_nul_escapes(buffer: bytearray) -> None:
    """Each escape ``\\u0000`` becomes ``\\ufffd`` in place: databases downstream cannot hold U+0000 in text."""
    if buffer.find(b"\\u0000") >= 0:
        data = np.frombuffer(buffer, dtype=np.uint8)
        _replace_nul_escapes(data, _escape_positions(data))


def slice_column(buffer: bytearray | bytes, bounds: Positions) -> pa.LargeBinaryArray:
    """The slices [bounds[0], bounds[1]), [bounds[1], bounds[2]), ... of the buffer, not copied."""
    if len(bounds) < 2:
        return cast(pa.LargeBinaryArray, pa.array([], pa.large_binary()))
    buffers = [None, pa.py_buffer(np.ascontiguousarray(bounds, dtype=np.int64)), pa.py_buffer(buffer)]
    return cast(pa.LargeBinaryArray, pa.Array.from_buffers(pa.large_binary(), len(bounds) - 1, buffers))


def every_second(column: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
    """Elements 0, 2, 4, ... copied into a compact column."""
    return cast(pa.LargeBinaryArray, column.take(pa.array(np.arange(0, len(column), 2))))


def as_text(column: pa.LargeBinaryArray) -> tuple[pa.LargeStringArray, int]:
    """The column as valid text without U+0000, and the number of rows that held invalid bytes."""
    replaced = 0
    try:
        text = column.cast(pa.large_string())
    except pa.ArrowInvalid:
        rows = [value.decode("utf-8", "replace") for value in column.to_pylist()]
        replaced = sum(row.encode() != value.as_py() for row, value in zip(rows, column, strict=True))
        text = pa.array(rows, type=pa.large_string())
    data = text.buffers()[2]
    if data is not None and data.size and np.frombuffer(data, np.uint8).min() == 0:
        text = pc.call_function("replace_substring", [text], pc.ReplaceSubstringOptions("\x00", "�"))
    return cast(pa.LargeStringArray, text), replaced


def line_blocks(
    stream: ByteStream, name: str, chunk_bytes: int = CHUNK_BYTES, max_line_bytes: int = MAX_LINE_BYTES
) -> Iterator[LineBlock]:
    """The lines of a stream in blocks of about ``chunk_bytes``; a last line without a line end is a line too.

    Raises PermanentError naming the file, after every whole line before it, at damaged gzip data and at a line above
    ``max_line_bytes``.
    """
    number, tail, is_end, damage = 1, b"", False, None
    while not is_end:
        buffer, damage = read_block(stream, max(chunk_bytes, len(tail), len(BYTE_ORDER_MARK)), tail)
        is_end = len(buffer) == len(tail) or damage is not None
        if number == 1 and buffer.startswith(BYTE_ORDER_MARK):
            del buffer[: len(BYTE_ORDER_MARK)]
        if is_end and buffer and damage is None:
            buffer += b"\n"
        cut = buffer.rfind(b"\n") + 1
        tail = bytes(buffer[cut:])
        del buffer[cut:]
        if buffer:
            ends = np.flatnonzero(np.frombuffer(buffer, dtype=np.uint8) == _NEWLINE) + 1
            yield _line_block(buffer, ends, number)
            number += len(ends)
        if len(tail) > max_line_bytes:
            raise PermanentError(
                f"{name}: line {number} is larger than the limit of {max_line_bytes:,} bytes; "
                "every line before it was read: split or remove that line."
            )
    if damage is not None:
        raise PermanentError(
            f"{name} is damaged in line {number} ({damage}); every line before it was read: "
            "put a whole file in its place."
        )


def _line_block(buffer: bytearray, ends: Positions, first_number: int) -> LineBlock:
    replace_nul_escapes(buffer)
    data = np.frombuffer(buffer, dtype=np.uint8)
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
    stops = ends - 1
    stops -= (stops > starts) & (data[stops - 1] == _RETURN)
    bounds = np.stack([starts, stops], axis=1).ravel()
    lines, replaced = as_text(every_second(slice_column(buffer, bounds)))
    return LineBlock(first_number, lines, _too_deep(buffer, starts, stops), replaced)


def _too_deep(buffer: bytearray, starts: Positions, stops: Positions) -> npt.NDArray[np.bool_]:
    """Lines nested deeper than a document may be, inside its record; only lines with as many brackets are looked at."""
    opens = np.flatnonzero((np.frombuffer(buffer, dtype=np.uint8) | _SAME_CASE) == _OPEN)
    counts = np.searchsorted(opens, stops) - np.searchsorted(opens, starts)
    marks = np.zeros(len(starts), np.bool_)
    for row in np.flatnonzero(counts > MAX_DEPTH + 1):
        line = buffer[starts[row] : stops[row]]
        marks[row] = find_brackets(line).depths.max(initial=0) > MAX_DEPTH + 1
    return marks


def _escape_positions(data: npt.NDArray[np.uint8]) -> Positions:
    """Backslashes that start an escape: the first, third, ... of each run."""
    found = np.flatnonzero(data == _BACKSLASH)
    if len(found) == 0:
        return found
    starts_run = np.concatenate([[True], np.diff(found) != 1])
    run_start = found[np.flatnonzero(starts_run)][np.cumsum(starts_run) - 1]
    return found[((found - run_start) & 1) == 0]


def _replace_nul_escapes(data: npt.NDArray[np.uint8], escapes: Positions) -> None:
    whole = escapes[escapes + 5 < len(data)]
    for offset, char in enumerate(b"u0000", start=1):
        whole = whole[data[whole + offset] == char]
    for offset, char in enumerate(b"ufffd", start=1):
        data[whole + offset] = char
