"""Excel: real numbers, days and instants; every text is a text, whatever it begins with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import xlsxwriter

from event_pipeline.exports.batches import pieces
from event_pipeline.exports.excel_cells import Formats, cell_writer, safe_text
from event_pipeline.exports.writer import WriteOptions

SHEET_ROWS = 1_048_576
"""Rows that a worksheet can have, the header's among them."""
SHEET_COLUMNS = 16_384
_CHUNK = 1_000_000
_WIDTH = 18


def write_excel(schema: pa.Schema, batches: Iterable[pa.RecordBatch], options: WriteOptions) -> Iterator[bytes]:
    """Worksheets ``Rows 1``, ``Rows 2``, ... of a header and up to 1,048,575 rows each; instants are in UTC.

    A workbook can be read only once it is whole, so it is made in a temporary file and handed on from there. Raises
    ValueError for more columns than a worksheet has.
    """
    if len(schema) > SHEET_COLUMNS:
        raise ValueError(f"a worksheet has {SHEET_COLUMNS:,} columns, and this has {len(schema):,}; choose fewer")
    with tempfile.TemporaryDirectory(prefix="excel-", dir=options.scratch) as folder:
        path = Path(folder) / "book.xlsx"
        with constant_memory_workbook(path) as book:
            sheets = _Sheets(book, schema)
            for piece in pieces(batches):
                sheets.add(piece)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


def constant_memory_workbook(path: Path) -> xlsxwriter.Workbook:
    """A workbook that keeps one row at a time; rows must be written from the top. Its temporary files lie beside it."""
    book = xlsxwriter.Workbook(
        str(path),
        {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    book.use_zip64()
    return book


class _Sheets:
    """The worksheets, a new one whenever the last is full."""

    def __init__(self, book: xlsxwriter.Workbook, schema: pa.Schema) -> None:
        self._book, self._schema = book, schema
        self._formats = Formats(book)
        self._count = 0
        self._begin()

    def add(self, piece: pa.RecordBatch) -> None:
        while piece.num_rows:
            if self._row == SHEET_ROWS:
                self._begin()
            fits = piece.slice(0, SHEET_ROWS - self._row)
            self._write(fits)
            piece = piece.slice(fits.num_rows)

    def _begin(self) -> None:
        self._count += 1
        self._sheet = self._book.add_worksheet(f"Rows {self._count}")
        self._sheet.set_column(0, max(len(self._schema) - 1, 0), _WIDTH)
        self._sheet.freeze_panes(1, 0)
        for at, name in enumerate(self._schema.names):
            self._sheet.write_string(0, at, safe_text(name), self._formats.heading)
        self._row = 1

    def _write(self, piece: pa.RecordBatch) -> None:
        writers = [cell_writer(self._sheet, self._formats, column) for column in piece.columns]
        for at in range(piece.num_rows):
            for column, (write, values) in enumerate(writers):
                if (value := values[at]) is not None:
                    write(self._row, column, value)
            self._row += 1
