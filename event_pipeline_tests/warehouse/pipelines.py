"""Two pipelines for tests: the real one in a folder, and the same models in memory for tests that refresh often.

Compiling a model costs a hundred times what running it on a few rows does; the one in memory compiles once a process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from pydantic import SecretStr

from event_pipeline.contracts.contract import DUCKDB_TYPES
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.models.model import Model
from event_pipeline.models.registry import MODELS, STAGING_MODELS, in_order
from event_pipeline.settings import Settings
from event_pipeline.sources.change import Change, ChangeBatch
from event_pipeline.warehouse.compiled_models import FLAGGED, Compiler
from event_pipeline.warehouse.connection import KEY_VARIABLE, SCHEMAS, connect, ibis_backend
from event_pipeline.warehouse.lake import Lake
from event_pipeline.warehouse.refresh import Refreshed, refresh_tables
from event_pipeline.warehouse.table_contracts import CONTRACTS

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

AS_OF = datetime(2025, 7, 1, tzinfo=UTC)
KEY = "a key for tests only"
Row = dict[str, Any]
Contents = dict[str, list[tuple[Any, ...]]]
RUN_TIME_STAMPS = ("ingested_at", "ingested_date")
"""Columns that say when the pipeline ran rather than what it read; no model's table has one."""
PARSED = {model.contract.table: model for model in STAGING_MODELS}


class Pipeline:
    """The lake and the warehouse over one connection."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self.backend = backend
        self.connection: duckdb.DuckDBPyConnection = backend.con
        self.settings = settings
        self.lake = Lake(self.connection, settings)

    def commit(self, *changes: Change) -> int:
        """Commits the changes as they come, neighbours of one source and collection together; returns the new rows."""
        return sum(self.lake.commit(batch) for batch in batched(changes))

    def refresh(self, names: Iterable[str] | None = None) -> list[Refreshed]:
        """Recomputes these tables, all when None."""
        return refresh_tables(self.backend, self.settings, AS_OF, names)

    def rows(self, name: str) -> list[Row]:
        """The table's rows, in key order."""
        contract = CONTRACTS[name]
        order = ", ".join(contract.key)
        found = self.connection.execute(f"SELECT * FROM {contract.qualified} ORDER BY {order}")
        columns = [column[0] for column in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def by_key(self, name: str) -> dict[Any, Row]:
        """The table's rows by the first column of its key."""
        return {row[CONTRACTS[name].key[0]]: row for row in self.rows(name)}

    def quarantined(self, table: str) -> dict[str, set[str]]:
        """Rules that documents meant for the table broke, by document id, whatever the consequence."""
        found: dict[str, set[str]] = {}
        for row in self.rows(QUARANTINE.name):
            if row["table_name"] == table:
                found.setdefault(row["document_id"], set()).add(row["rule"])
        return found

    def rejected(self, table: str) -> set[str]:
        """Ids of the documents that are in quarantine instead of the table."""
        rows = self.rows(QUARANTINE.name)
        return {r["document_id"] for r in rows if r["table_name"] == table and r["consequence"] == "rejected"}

    def contents(self, names: Iterable[str] | None = None) -> Contents:
        """Every model's table and quarantine as sorted rows, to be compared."""
        found = {}
        for name in sorted(names or [*MODELS, QUARANTINE.name]):
            contract = CONTRACTS[name]
            columns = ", ".join(f'"{column}"' for column in contract.column_names)
            rows = self.connection.execute(f"SELECT {columns} FROM {contract.qualified}").fetchall()
            found[name] = sorted(rows, key=repr)
        return found

    def content_hashes(self) -> dict[str, str]:
        """Row count and content hash of every table of documents or models; RUN_TIME_STAMPS are left out."""
        found = {}
        for name in sorted([*MODELS, QUARANTINE.name, *(contract.name for contract in RAW_TABLES.values())]):
            columns = ", ".join(f'"{c}"' for c in CONTRACTS[name].column_names if c not in RUN_TIME_STAMPS)
            rows = f"SELECT row({columns})::VARCHAR AS text FROM {CONTRACTS[name].qualified}"
            count, digest = self.connection.execute(
                f"SELECT count(*), md5(string_agg(text, chr(10) ORDER BY text)) FROM ({rows})"
            ).fetchone() or (0, None)
            found[name] = f"{count} rows, {digest}"
        return found

    def latest_documents(self, table: str) -> set[str]:
        """Ids of the documents whose latest version is no delete, of all that go to a parsed staging table."""
        raw = next(name for name in PARSED[table].inputs if name.startswith("raw."))
        rows = self.connection.execute(
            f"SELECT document_id, arg_max(operation, version) FROM {CONTRACTS[raw].qualified} GROUP BY 1"
        ).fetchall()
        return {document_id for document_id, operation in rows if operation == "upsert"}

    def assert_nothing_lost(self, tables: Iterable[str]) -> None:
        """Each document is in its table or rejected to quarantine, never in both, never in neither."""
        for table in tables:
            key = PARSED[table].contract.key[0]
            staged = Counter(row[key] for row in self.rows(f"staging.{table}"))
            rejected = self.rejected(table)
            assert not {document for document, count in staged.items() if count > 1}, f"{table}: twice"
            assert not staged.keys() & rejected, f"{table}: both staged and rejected"
            assert staged.keys() | rejected == self.latest_documents(table), f"{table}: lost"


def broken_references(tables: Mapping[str, list[Row]]) -> list[str]:
    """References of these tables' contracts that lead to no row."""
    broken = []
    for name, rows in tables.items():
        for column in MODELS[name].contract.columns:
            if column.references is None:
                continue
            target, _, key = column.references.rpartition(".")
            missing = {row[column.name] for row in rows} - {row[key] for row in tables[target]} - {None}
            broken += [f"{name}.{column.name} {value!r} is not in {column.references}" for value in sorted(missing)]
    return broken


def batched(changes: Sequence[Change]) -> Iterator[ChangeBatch]:
    """Neighbouring changes of one source and collection as batches."""
    together: list[Change] = []
    for change in changes:
        if together and (together[0].source, together[0].collection) != (change.source, change.collection):
            yield ChangeBatch.of(together[0].source, together[0].collection, together)
            together = []
        together.append(change)
    if together:
        yield ChangeBatch.of(together[0].source, together[0].collection, together)


@contextmanager
def real_pipeline(folder: Path, **settings: Any) -> Iterator[Pipeline]:
    """The pipeline as it runs, its data in a folder."""
    effective = Settings(**{"data_dir": folder, "identity_key": SecretStr(KEY), **settings})
    with connect(effective) as connection:
        Lake.prepared(connection, effective)
        yield Pipeline(ibis_backend(connection), effective)


class MemoryPipeline(Pipeline):
    """The same tables and the same models' SQL in memory; ``clear`` empties it for the next example."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        connection = duckdb.connect(config={"threads": 1})
        for catalog, schemas in SCHEMAS.items():
            connection.execute(f"ATTACH ':memory:' AS {catalog}")
            for schema in schemas:
                connection.execute(f"CREATE SCHEMA {catalog}.{schema}")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET VARIABLE {KEY_VARIABLE} = '{KEY}'")
        for contract in CONTRACTS.values():
            columns = ", ".join(f'"{column.name}" {DUCKDB_TYPES[column.type]}' for column in contract.columns)
            connection.execute(f"CREATE TABLE {contract.qualified} ({columns})")
        effective = Settings(**{"data_dir": folder, "identity_key": SecretStr(KEY), **settings})
        super().__init__(ibis_backend(connection), effective)

    def clear(self) -> None:
        """Every table is empty."""
        for contract in CONTRACTS.values():
            self.connection.execute(f"TRUNCATE {contract.qualified}")

    def refresh(self, names: Iterable[str] | None = None) -> list[Refreshed]:
        """Recomputes these tables, all when None."""
        compiler = Compiler(self.backend, self.settings, "stored")
        for model in in_order(None if names is None else set(names)):
            for statement in statements(compiler, model):
                self.connection.execute(statement)
        return []

    def commit(self, *changes: Change) -> int:
        """Appends the changes; the lock of the real lake costs more than all else here."""
        total = 0
        for batch in batched(changes):
            total += self.lake._append(RAW_TABLES[batch.collection], batch.changes, AS_OF)
        return total


def statements(compiler: Compiler, model: Model) -> Iterator[str]:
    """What recomputes a table in memory, and its share of quarantine."""
    contract, compiled = model.contract, compiler.compiled(model, AS_OF)
    query = compiled.query
    if compiled.accepted is not None:
        yield f"CREATE OR REPLACE TEMP TABLE {FLAGGED} AS {query}"
        query = compiled.accepted
    yield f"TRUNCATE {contract.qualified}"
    yield f"INSERT INTO {contract.qualified} BY NAME SELECT * FROM ({query})"
    if compiled.broken is not None:
        yield f"DELETE FROM {QUARANTINE.qualified} WHERE table_name = '{contract.table}'"
        yield f"INSERT INTO {QUARANTINE.qualified} BY NAME SELECT * FROM ({compiled.broken})"
