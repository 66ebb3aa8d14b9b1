"""Every contract of the pipeline becomes promises that the database understands."""

from __future__ import annotations

import duckdb

from event_pipeline.contracts.contract import DUCKDB_TYPES, Contract
from event_pipeline.quality.promises import promises_of, tables_asked_about
from event_pipeline.quality.stored import STORED_TYPES, stored_columns
from event_pipeline.settings import Validation
from event_pipeline.warehouse.table_contracts import CONTRACTS
from event_pipeline.warehouse.tables import create_tables
from event_pipeline_tests.quality.visits import NOW


def _promised_kinds(contract: Contract) -> set[tuple[str, str | None]]:
    kinds: set[tuple[str, str | None]] = {
        ("columns_as_declared", None), ("volume", None), ("unique_key", ", ".join(contract.key)),
    }  # fmt: skip
    for column in contract.columns:
        kinds |= {("not_null", column.name)} if not column.nullable else set()
        kinds |= {("allowed", column.name)} if column.allowed else set()
        kinds |= {("range", column.name)} if (column.minimum, column.maximum) != (None, None) else set()
        kinds |= {("too_long", column.name)} if column.max_length is not None else set()
        kinds |= {("references", column.name)} if column.references else set()
    return kinds | ({("fresh", contract.fresh_by)} if contract.fresh_by else set())


def test_every_contract_is_promised_in_full_and_kept_by_empty_tables(connection: duckdb.DuckDBPyConnection) -> None:
    for catalog in ("lake", "warehouse"):
        connection.begin()
        create_tables(connection, [contract for contract in CONTRACTS.values() if contract.catalog == catalog])
        connection.commit()
    everything = {table for contract in CONTRACTS.values() for table in tables_asked_about(contract)}
    stored = stored_columns(connection, everything)
    connection.begin()  # one look at the catalogs for all statements
    for contract in CONTRACTS.values():
        promises = promises_of(contract, stored, Validation(), NOW)
        assert {(promise.name, promise.column) for promise in promises} == _promised_kinds(contract), contract.name
        measures = ", ".join(promise.measure for promise in promises)
        counts = connection.execute(f"SELECT {measures} FROM {contract.qualified}").fetchone()
        assert counts == (0,) * len(promises), contract.name
        key = next(promise for promise in promises if promise.name == "unique_key")
        assert connection.execute(f"{key.exact}").fetchone() == (0,), contract.name
    connection.rollback()


def test_catalog_names_the_types_that_contracts_declare(connection: duckdb.DuckDBPyConnection) -> None:
    for declared, created in DUCKDB_TYPES.items():
        described = connection.execute(f"DESCRIBE SELECT NULL::{created}").fetchone()
        assert described is not None
        assert described[1] == STORED_TYPES[declared]
