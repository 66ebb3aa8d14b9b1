"""Text built a column at a time: identifiers, times and JSON fragments as Arrow strings, never row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute

PUSH_ALPHABET = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""The alphabet of Firebase push ids, in the order in which they sort."""

pc: Any = pyarrow.compute
"""Arrow's functions, which are generated at import and so unknown to type checkers."""

_PUSH_BYTES = np.frombuffer(PUSH_ALPHABET.encode(), np.uint8)
_HEX_BYTES = np.frombuffer(b"0123456789abcdef", np.uint8)

Text: TypeAlias = pa.StringArray
"""A column of strings without nulls."""


def random_stream(seed: int, *path: int) -> np.random.Generator:
    """An independent random stream for each (seed, path), so that chunks can be drawn again in any order."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=path)))


def join(*parts: Text | str) -> Text:
    """The parts of each row run together; plain strings stand in every row. At least one part is a column."""
    return pc.binary_join_element_wise(*parts, "")


def lookup(words: Sequence[str], index: np.ndarray) -> Text:
    """``words[index]`` as a column."""
    return pa.array(words, pa.string()).take(pa.array(index))


def choose(condition: np.ndarray, yes: Text | str, no: Text | str) -> Text:
    """``yes`` where the condition holds, else ``no``."""
    return pc.if_else(pa.array(condition), yes, no)


def scatter(base: Text, where: np.ndarray, values: Text) -> Text:
    """``base`` with the rows of ``where`` replaced in turn by ``values`` (as many as ``where`` is true)."""
    return pc.replace_with_mask(base, pa.array(where), values) if where.any() else base


def numbers(values: np.ndarray) -> Text:
    """Integers as decimal text."""
    return pc.cast(pa.array(values), pa.string())


def iso(milliseconds: np.ndarray) -> Text:
    """Epoch milliseconds as JavaScript's ``toISOString``: ``2025-06-08T02:55:00.000Z``."""
    return join(local_text(milliseconds, 0), "Z")


def local_text(milliseconds: np.ndarray, offset_ms: int) -> Text:
    """Epoch milliseconds as ISO text without a zone, at a fixed offset from UTC."""
    text = pa.array(milliseconds + offset_ms).cast(pa.timestamp("ms")).cast(pa.string())
    return pc.utf8_replace_slice(text, start=10, stop=11, replacement="T")


def push_ids(milliseconds: np.ndarray, rng: np.random.Generator) -> Text:
    """Firebase push ids: eight characters of the creation time, twelve of chance."""
    matrix = np.empty((len(milliseconds), 20), np.uint8)
    rest = milliseconds.astype(np.int64)
    for column in range(7, -1, -1):
        matrix[:, column] = _PUSH_BYTES[rest & 63]
        rest = rest >> 6
    matrix[:, 8:] = _PUSH_BYTES[rng.integers(0, 64, (len(matrix), 12), dtype=np.uint8)]
    return _fixed_width(matrix)


def random_hex(rows: int, width: int, rng: np.random.Generator) -> Text:
    """``width`` random hexadecimal digits a row."""
    return _fixed_width(_HEX_BYTES[rng.integers(0, 16, (rows, width), dtype=np.uint8)])


def zero_padded(values: np.ndarray, width: int) -> Text:
    """Non-negative integers as exactly ``width`` digits; higher digits are cut off."""
    matrix = np.empty((len(values), width), np.uint8)
    rest = values.astype(np.int64)
    for column in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        matrix[:, column] = digit + ord("0")
    return _fixed_width(matrix)


def _fixed_width(matrix: np.ndarray) -> Text:
    rows, width = matrix.shape
    offsets = np.arange(0, width * rows + 1, width, dtype=np.int32)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(matrix)))


def text_bytes(column: Text) -> memoryview:
    """All rows of a column, back to back, as UTF-8."""
    offsets, data = column.buffers()[1:3]
    bounds = np.frombuffer(offsets, np.int32, len(column) + 1, column.offset * 4)
    return memoryview(data)[bounds[0] : bounds[-1]] if data is not None else memoryview(b"")
