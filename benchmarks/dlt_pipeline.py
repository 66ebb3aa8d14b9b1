"""Peer (c): dlt loads NDJSON documents into DuckDB, in its ordinary way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.measure import Measured, measuring

_PAGE = 1_000


def load_with_dlt(documents: Path, folder: Path, limit: int, is_nested: bool) -> Measured:
    """Loads the first ``limit`` documents into a new DuckDB file in ``folder``.

    ``is_nested`` lets dlt infer a column for each field and a table for each list, which is what it does unless told
    otherwise; without it each document is one JSON column, which is what the pipeline's raw tables hold.
    """
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}
    import dlt  # pyright: ignore[reportMissingImports]  # of the dependency group bench

    folder.mkdir()
    columns: Any = None if is_nested else {"data": {"data_type": "json"}}

    @dlt.resource(name="registrations", write_disposition="append", columns=columns)
    def registrations() -> Iterator[list[dict[str, Any]]]:
        yield from _pages(documents, limit, is_nested)

    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.duckdb(str(folder / "loaded.duckdb")),
        dataset_name="raw",
    )
    measured = Measured()
    with measuring(measured):
        pipeline.run(registrations())
    with pipeline.sql_client() as client:
        counted = client.execute_sql("SELECT count(*) FROM registrations")
    measured.rows = int(counted[0][0]) if counted else 0
    if measured.rows != limit:
        raise RuntimeError(f"dlt loaded {measured.rows} of {limit} documents")
    return measured


def _pages(documents: Path, limit: int, is_nested: bool) -> Iterator[list[dict[str, Any]]]:
    import orjson

    with documents.open("rb") as lines:
        wanted = islice(lines, limit)
        while page := [orjson.loads(line) for line in islice(wanted, _PAGE)]:
            yield [_spread(record) for record in page] if is_nested else page


def _spread(record: dict[str, Any]) -> dict[str, Any]:
    """The document's fields as fields of the row; a document that is no object stays whole."""
    data = record["data"]
    return {**data, "id": record["id"]} if isinstance(data, dict) else record
