"""The formats, by the name that a request gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from event_pipeline.exports.columnar_file import write_arrow, write_parquet
from event_pipeline.exports.csv_file import write_csv
from event_pipeline.exports.excel_file import write_excel
from event_pipeline.exports.json_file import write_json, write_ndjson
from event_pipeline.exports.writer import Writer

FormatName = Literal["csv", "json", "ndjson", "xlsx", "parquet", "arrow"]


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How a format is written, and what HTTP and file names call it."""

    write: Writer
    suffix: str
    media_type: str


FORMATS: Mapping[FormatName, FileFormat] = {
    "csv": FileFormat(write_csv, "csv", "text/csv; charset=utf-8"),
    "json": FileFormat(write_json, "json", "application/json"),
    "ndjson": FileFormat(write_ndjson, "ndjson", "application/x-ndjson"),
    "xlsx": FileFormat(write_excel, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": FileFormat(write_parquet, "parquet", "application/vnd.apache.parquet"),
    "arrow": FileFormat(write_arrow, "arrows", "application/vnd.apache.arrow.stream"),
}
