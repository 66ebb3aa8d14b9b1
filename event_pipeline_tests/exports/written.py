"""Writes with a format and reads back with the reader that its users have."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as parquet

from event_pipeline.exports.formats import FORMATS, FormatName
from event_pipeline.exports.writer import WriteOptions


def written(name: FormatName, table: pa.Table, **options: Any) -> bytes:
    """The whole file."""
    return b"".join(FORMATS[name].write(table.schema, table.to_batches(), WriteOptions(**options)))


def csv_rows(data: bytes) -> list[list[str]]:
    """Cells as Python's csv module reads them."""
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


def excel_sheets(data: bytes) -> dict[str, list[list[Any]]]:
    """Cells by worksheet as openpyxl reads them."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}


def read(name: FormatName, data: bytes) -> list[dict[str, Any]]:
    """Rows by column name."""
    if name == "csv":
        return _by_name(csv_rows(data))
    if name == "json":
        return json.loads(data)
    if name == "ndjson":
        return [json.loads(line) for line in data.decode().split("\n")[:-1]]
    if name == "xlsx":
        return [row for rows in excel_sheets(data).values() for row in _by_name(rows)]
    table = parquet.read_table(pa.BufferReader(data)) if name == "parquet" else pa.ipc.open_stream(data).read_all()
    return table.to_pylist()


def _by_name(rows: Iterable[list[Any]]) -> list[dict[str, Any]]:
    header, *others = rows
    return [dict(zip(header, row, strict=True)) for row in others]
