"""The measured steps, each run in its own process as ``python -m benchmarks.steps NAME ARGUMENTS``.

A step's working directory holds ``demo/`` (the organisation as files), ``data/`` (the pipeline's data folder) and
``documents/`` (registration documents as NDJSON, for loading beside dlt).
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from benchmarks.measure import Measured, cpu_seconds, measuring, report
from event_pipeline.settings import Settings

if TYPE_CHECKING:
    from event_pipeline.warehouse.ingest import Ingested

SEED = 7
KEY = "a key for benchmarks only"
DEMO, DATA, DOCUMENTS = Path("demo"), Path("data"), Path("documents")
DOCUMENTS_FILE = "registrations.ndjson"


def settings_of(folder: Path) -> Settings:
    """The settings as they come, the data in that folder."""
    return Settings(data_dir=folder.resolve(), identity_key=SecretStr(KEY))


def demo(registrations: int) -> Measured:
    """Writes the demo organisation; rows are its registrations."""
    from event_pipeline.demo import generate_demo

    measured = Measured(rows=registrations)
    with measuring(measured):
        generate_demo(DEMO, registrations, SEED)
    return measured


def load() -> Measured:
    """Loads the export and the inbox into a fresh lake; rows are all documents and records."""
    link_files(DEMO, DATA)
    from event_pipeline.warehouse.connection import connect
    from event_pipeline.warehouse.ingest import ingest_exports, ingest_inbox
    from event_pipeline.warehouse.lake import Lake

    measured, settings, clock = Measured(), settings_of(DATA), _Clock()
    with measuring(measured), connect(settings) as connection:
        lake = Lake.prepared(connection, settings)
        ingested = ingest_exports(lake, settings)
        clock.lap("export")
        ingested.add(ingest_inbox(lake, settings))
        clock.lap("inbox")
    measured.rows = _rows(ingested)
    measured.details = {"rows_by_collection": dict(ingested.changes), "cpu_seconds_by_source": clock.laps}
    return measured


def load_documents() -> Measured:
    """Loads the registration documents, as NDJSON, into a fresh lake."""
    folder = Path("data-documents")
    link_files(DOCUMENTS, folder / "exports")
    from event_pipeline.warehouse.connection import connect
    from event_pipeline.warehouse.ingest import ingest_exports
    from event_pipeline.warehouse.lake import Lake

    measured, settings = Measured(), settings_of(folder)
    with measuring(measured), connect(settings) as connection:
        measured.rows = _rows(ingest_exports(Lake.prepared(connection, settings), settings))
    shutil.rmtree(folder)
    return measured


def _rows(ingested: Ingested) -> int:
    if ingested.failures:
        raise RuntimeError("; ".join(ingested.failures))
    return ingested.changes.total()


def refresh(registrations: int) -> Measured:
    """Recomputes every table; details are the CPU-seconds of each."""
    import ibis.backends.duckdb  # noqa: F401

    from event_pipeline.demo import DEFAULT_AS_OF
    from event_pipeline.warehouse.connection import connect, ibis_backend
    from event_pipeline.warehouse.refresh import Refreshed, refresh_tables

    measured, settings, clock = Measured(rows=registrations), settings_of(DATA), _Clock()

    def note(refreshed: Refreshed) -> None:
        clock.lap(refreshed.table)

    with measuring(measured), connect(settings) as connection:
        refresh_tables(ibis_backend(connection), settings, DEFAULT_AS_OF, on_refreshed=note)
    measured.details = {"cpu_seconds_by_table": clock.laps}
    return measured


def handwritten(registrations: int) -> Measured:
    """The same tables by hand-written SQL."""
    from benchmarks.handwritten_sql import run_handwritten
    from event_pipeline.demo import DEFAULT_AS_OF
    from event_pipeline.warehouse.connection import connect
    from event_pipeline.warehouse.python_functions import register_python_functions

    measured, settings, clock = Measured(rows=registrations), settings_of(DATA), _Clock()
    with measuring(measured), connect(settings) as connection:
        register_python_functions(connection)
        run_handwritten(connection, settings, DEFAULT_AS_OF, clock.lap)
    measured.details = {"cpu_seconds_by_table": clock.laps}
    return measured


def agreement() -> Measured:
    """Whether the hand-written tables are the models', by number of rows and sum of their hashes; rows are tables."""
    from benchmarks.handwritten_sql import handwritten_name
    from event_pipeline.contracts.quarantine import QUARANTINE
    from event_pipeline.models.registry import MODELS
    from event_pipeline.warehouse.connection import connect
    from event_pipeline.warehouse.table_contracts import CONTRACTS

    measured = Measured()
    differing = []
    with measuring(measured), connect(settings_of(DATA), read_only=True) as connection:
        for name in (*MODELS, QUARANTINE.name):
            contract = CONTRACTS[name]
            columns = ", ".join(f'"{column}"' for column in contract.column_names)
            ours, theirs = (
                connection.execute(f"SELECT count(*), sum(hash({columns})::HUGEINT) FROM {table}").fetchone()
                for table in (contract.qualified, handwritten_name(contract))
            )
            measured.rows += 1
            if ours != theirs:
                differing.append(name)
    measured.details = {"differing": differing}
    return measured


def checks(registrations: int) -> Measured:
    """Every asset check of every table, importing Great Expectations included."""
    from datetime import UTC, datetime

    from event_pipeline.models.registry import MODELS
    from event_pipeline.quality.contract_check import check_contract
    from event_pipeline.warehouse.connection import connect

    measured, settings, clock = Measured(rows=registrations), settings_of(DATA), _Clock()
    broken = []
    with measuring(measured), connect(settings) as connection:
        for model in MODELS.values():
            result = check_contract(connection, model.contract, settings.validation)
            broken += result.problems
        clock.lap("contract checks")
        from event_pipeline.quality.gx_runner import check_table
        from event_pipeline.quality.history import record_quality

        failed, now = [], datetime.now(UTC)
        for model in MODELS.values():
            quality = check_table(connection, settings, model.contract, now=now)
            record_quality(connection, settings, [quality], now)
            failed += [f"{model.name}: {outcome.expectation}" for outcome in quality.failed]
        clock.lap("expectations")
    measured.details = {"cpu_seconds_by_kind": clock.laps, "contracts_broken": broken, "promises_broken": failed}
    return measured


def location() -> Measured:
    """Loads Dagster's code location; the interpreter's own start is counted too. Rows are assets."""
    measured = Measured()
    with measuring(measured):
        from event_pipeline.definitions import defs

        graph = defs().get_repository_def().asset_graph
    measured.rows, measured.cpu_seconds = len(graph.get_all_asset_keys()), cpu_seconds()
    return measured


def documents() -> Measured:
    """Writes the registration documents of the lake as NDJSON."""
    from event_pipeline.warehouse.connection import connect

    measured = Measured()
    DOCUMENTS.mkdir(exist_ok=True)
    with measuring(measured), connect(settings_of(DATA), ("lake",), read_only=True) as connection:
        written = connection.execute(
            "COPY (SELECT 'registrations' AS collection, document_id AS id, payload::JSON AS data "
            "FROM lake.raw.firebase_registrations WHERE operation = 'upsert') "
            f"TO '{DOCUMENTS / DOCUMENTS_FILE}' (FORMAT json)"
        ).fetchone()
    measured.rows = written[0] if written else 0
    return measured


def dlt_load(limit: int, is_nested: bool) -> Measured:
    """Peer (c): dlt loads the first documents into DuckDB, nested values to tables of their own or whole as JSON."""
    from benchmarks.dlt_pipeline import load_with_dlt

    folder = Path("dlt")
    measured = load_with_dlt(DOCUMENTS / DOCUMENTS_FILE, folder, limit, is_nested)
    shutil.rmtree(folder)
    return measured


def pandas_refresh(limit: int) -> Measured:
    """Peer (b): the core by pandas through the stock IO manager; rows are the documents it read."""
    import dagster as dg
    import pandas as pd
    from dagster_duckdb_pandas import DuckDBPandasIOManager

    from benchmarks.pandas_assets import pandas_assets
    from event_pipeline.warehouse.connection import connect

    with connect(settings_of(DATA), ("lake",), read_only=True) as connection:
        events: pd.DataFrame = connection.execute("SELECT event_id, starts_at FROM lake.staging.events").df()
    database = Path("pandas.duckdb")
    assets = pandas_assets(DOCUMENTS / DOCUMENTS_FILE, events, limit, KEY)
    measured = Measured(rows=limit)
    with measuring(measured):
        dg.materialize(assets, resources={"io_manager": DuckDBPandasIOManager(database=str(database))})
    database.unlink()
    return measured


class _Clock:
    """CPU-seconds between laps."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._before = cpu_seconds()

    def lap(self, name: str) -> None:
        now = cpu_seconds()
        self.laps[name] = round(now - self._before, 3)
        self._before = now


def link_files(source: Path, target: Path) -> None:
    """The target folder anew, holding the same files without copying them; loading moves some away."""
    shutil.rmtree(target, ignore_errors=True)
    for path in sorted(source.rglob("*")):
        if path.is_file():
            linked = target / path.relative_to(source)
            linked.parent.mkdir(parents=True, exist_ok=True)
            linked.hardlink_to(path)


STEPS: dict[str, Callable[..., Measured]] = {
    step.__name__: step
    for step in (
        demo, load, load_documents, refresh, handwritten, agreement, checks, location, documents, dlt_load,
        pandas_refresh,
    )
}  # fmt: skip

if __name__ == "__main__":
    report(STEPS[sys.argv[1]](**json.loads(sys.argv[2])))
