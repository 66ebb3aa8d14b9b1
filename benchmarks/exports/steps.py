"""The measured steps, each in its own process as ``python -m benchmarks.exports.steps NAME ARGUMENTS``.

A step's working directory holds ``data/``, a data folder whose warehouse has ``core.fact_registrations`` alone.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import Measured, measuring, report
from benchmarks.steps import DATA, settings_of

TABLE = "core.fact_registrations"
OUT = Path("out")
_ROWS = """
SELECT printf('-Nx%017d', i) AS registration_id, printf('-Ev%017d', i % 5000) AS event_id,
    event_id AS source_event_id, md5((i % 400000)::VARCHAR) || md5(i::VARCHAR) AS user_id,
    TIMESTAMPTZ '2023-01-01 00:00:00Z' + to_seconds(i * 19) AS registered_at, registered_at::DATE AS registered_date,
    CASE i % 10 WHEN 0 THEN 'cancelled' WHEN 1 THEN 'attended' ELSE 'registered' END AS registration_status,
    CASE i % 5 WHEN 0 THEN 'team' ELSE 'individual' END AS registration_type, 1 + i % 5 AS team_size,
    CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 'Computer Science, "B"' ELSE 'Physics' END AS department,
    (1 + i % 4)::VARCHAR AS year_of_study, i % 60 AS lead_time_days, i % 10 = 0 AS is_cancelled,
    i % 97 = 0 AS is_duplicate, i % 10 <> 0 AS is_counted, false AS is_walk_in, i % 10 = 1 AS is_attended,
    CASE WHEN i % 10 = 1 THEN registered_at + INTERVAL 9 DAY END AS attended_at,
    CASE i % 3 WHEN 0 THEN 'verified' END AS payment_status
FROM range({rows}) t(i)
"""


def fill(rows: int) -> Measured:
    """A table of so many rows, as the pipeline stores it."""
    from event_pipeline.contracts.core import FACT_REGISTRATIONS
    from event_pipeline.warehouse.connection import connect
    from event_pipeline.warehouse.lock import write_transaction
    from event_pipeline.warehouse.tables import create_tables, replace_rows

    settings, measured = settings_of(DATA), Measured(rows=rows)
    OUT.mkdir(exist_ok=True)
    with connect(settings) as connection, measuring(measured), write_transaction(connection, settings):
        create_tables(connection, [FACT_REGISTRATIONS])
        query = _ROWS.format(rows=rows)
        replace_rows(connection, FACT_REGISTRATIONS, query, FACT_REGISTRATIONS.column_names)
    return measured


def ours(name: Any) -> Measured:
    """The table as an export in the background is made: read here, written by a process of its own."""
    from event_pipeline.api.catalog_session import Limits
    from event_pipeline.api.exports.source import table_source
    from event_pipeline.api.exports.tables import Selection
    from event_pipeline.api.reader import Reader
    from event_pipeline.exports.batches import pieces
    from event_pipeline.exports.encoding import Encoder
    from event_pipeline.exports.writer import WriteOptions

    settings, measured = settings_of(DATA), Measured()
    limits = Limits(1, 10, settings.exports.job_seconds, settings.exports.memory_megabytes)
    reader = Reader(settings, ("warehouse",), limits)
    path = OUT / f"ours.{name}"
    with reader.session():
        pass
    with path.open("wb") as output, measuring(measured), table_source(reader, Selection(TABLE), "UTC") as source:
        encoder = Encoder(name, WriteOptions(scratch=OUT), output)
        encoder.feed(source.schema, pieces(source.batches))
        encoder.finish()
        encoder.close()
        measured.rows = source.rows or 0
    reader.close()
    return _weighed(measured, path)


def duckdb_copy(name: str) -> Measured:
    """DuckDB's own COPY TO of the same table; it neutralises no formulas."""
    from event_pipeline.warehouse.connection import connect

    how = {"csv": "FORMAT csv, HEADER", "ndjson": "FORMAT json", "parquet": "FORMAT parquet, COMPRESSION zstd"}[name]
    settings, measured, path = settings_of(DATA), Measured(), OUT / f"duckdb.{name}"
    with connect(settings, ("warehouse",), read_only=True) as connection:
        with measuring(measured):
            done = connection.execute(f"COPY warehouse.{TABLE} TO '{path}' ({how})").fetchall()
        measured.rows = done[0][0]
    return _weighed(measured, path)


def pandas_write(name: str) -> Measured:
    """The same table read into a frame, and the frame written: to_csv, to_json, to_parquet, to_excel."""
    import pandas as pd

    from event_pipeline.warehouse.connection import connect

    settings, measured, path = settings_of(DATA), Measured(), OUT / f"pandas.{name}"
    with connect(settings, ("warehouse",), read_only=True) as connection, measuring(measured):
        frame = connection.execute(f"SELECT * FROM warehouse.{TABLE}").df()
        if name == "csv":
            frame.to_csv(path, index=False)
        elif name == "ndjson":
            frame.to_json(path, orient="records", lines=True, date_format="iso")
        elif name == "parquet":
            frame.to_parquet(path, compression="zstd")
        else:
            # Excel knows no zones, and pandas refuses instants that have one.
            for column in frame.select_dtypes("datetimetz"):
                frame[column] = pd.Series(frame[column]).dt.tz_localize(None)
            frame.to_excel(path, index=False, engine="xlsxwriter")
        measured.rows = len(frame)
    return _weighed(measured, path)


def _weighed(measured: Measured, path: Path) -> Measured:
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    measured.details = {"file_mb": round(path.stat().st_size / 1e6, 1), "writer_mb": round(children, 1)}
    path.unlink()
    return measured


STEPS = {step.__name__: step for step in (fill, ours, duckdb_copy, pandas_write)}

if __name__ == "__main__":
    report(STEPS[sys.argv[1]](**json.loads(sys.argv[2])))
