"""Cells of a worksheet: what Excel cannot hold as a number or a day is written as text, and no text can run."""

from __future__ import annotations

import math
import re
import string
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute
from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from event_pipeline.exports.formulas import runs_as_formula
from event_pipeline.exports.plain_columns import iso_text, json_number, plain, python_values

pc: Any = pyarrow.compute

LARGEST_EXACT = 2**53
"""Excel's numbers are 64-bit floats; whole numbers beyond this would lose digits."""

_EPOCH_SERIAL = 25_569
_FIRST_SERIAL, _LAST_SERIAL = 61, 2_958_466
"""1 March 1900, before which Excel counts a day that never was, and the day after 31 December 9999."""

_DAY_MICROSECONDS = 86_400_000_000
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REFUSED_PATTERN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]"
_REPLACEMENT = "\ufffd"
_COMMON_STARTS = frozenset(string.ascii_letters + string.digits)
"""What most texts begin with, none of which runs."""

Cell = Callable[[int, int, Any], object]
"""Writes a value that is not None into row and column, both from 0."""


class Formats:
    """How cells look; ``marked`` text stays text also when someone edits the cell."""

    def __init__(self, book: Workbook, instant: str = "yyyy-mm-dd hh:mm:ss") -> None:
        self.heading = book.add_format({"bold": True, "quote_prefix": True})
        self.marked = book.add_format({"quote_prefix": True})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.instant = book.add_format({"num_format": instant})


def safe_text(text: str) -> str:
    """The text without the characters that Excel refuses a file for; each becomes the replacement character."""
    return _REFUSED.sub(_REPLACEMENT, text)


def write_text(
    sheet: Worksheet, formats: Formats, row: int, column: int, text: str, look: Format | None = None
) -> None:
    """One text into a cell; with no look of its own it is marked where it would run."""
    if look is None and text[:1] not in _COMMON_STARTS and runs_as_formula(pa.array([text])).to_pylist()[0]:
        look = formats.marked
    sheet.write_string(row, column, safe_text(text), look)


def cell_writer(sheet: Worksheet, formats: Formats, column: pa.Array) -> tuple[Cell, Sequence[Any]]:
    """How to write the column's cells, and its values, None for empty cells."""
    column = plain(column)
    kind = column.type
    if pa.types.is_string(kind):
        return _texts(sheet, formats, column)
    if pa.types.is_boolean(kind):
        return sheet.write_boolean, python_values(column)
    if pa.types.is_date(kind):
        serials = pc.add(column.cast(pa.int32()).cast(pa.float64()), float(_EPOCH_SERIAL))
        return _mixed(sheet, formats.day), _dated(column, serials)
    if pa.types.is_timestamp(kind):
        days = pc.divide(column.cast(pa.int64()).cast(pa.float64(), safe=False), float(_DAY_MICROSECONDS))
        return _mixed(sheet, formats.instant), _dated(column, pc.add(days, float(_EPOCH_SERIAL)))
    return _mixed(sheet, None), [_number(value) for value in python_values(column)]


def _texts(sheet: Worksheet, formats: Formats, column: pa.Array) -> tuple[Cell, Sequence[Any]]:
    column = pc.replace_substring_regex(column, _REFUSED_PATTERN, _REPLACEMENT)
    runs = runs_as_formula(column)
    if not pc.any(runs).as_py():
        return sheet.write_string, python_values(column)
    marks = [formats.marked if runs_one else None for runs_one in python_values(runs)]
    pairs = zip(python_values(column), marks, strict=True)

    def write(row: int, at: int, value: tuple[str, Format | None]) -> None:
        sheet.write_string(row, at, *value)

    return write, [None if text is None else (text, mark) for text, mark in pairs]


def _mixed(sheet: Worksheet, number_format: Format | None) -> Cell:
    def write(row: int, at: int, value: float | str) -> None:
        if isinstance(value, str):
            sheet.write_string(row, at, value)
        else:
            sheet.write_number(row, at, value, number_format)

    return write


def _dated(column: pa.Array, serials: pa.Array) -> list[float | str | None]:
    """Excel's serial days; ISO text for what is outside its calendar."""
    values = python_values(serials)
    if all(value is None or _FIRST_SERIAL <= value < _LAST_SERIAL for value in values):
        return values
    texts = python_values(iso_text(column))
    return [
        value if value is None or _FIRST_SERIAL <= value < _LAST_SERIAL else text
        for value, text in zip(values, texts, strict=True)
    ]


def _number(value: Any) -> float | str | None:
    if isinstance(value, Decimal):
        value = json_number(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return str(value) if isinstance(value, int) and abs(value) > LARGEST_EXACT else value
