"""Writes a staging table and its share of quarantine in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.models.rules import accepted_rows, broken_rules, flag_rows, row_rules
from event_pipeline.settings import Settings
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.tables import create_table, replace_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend


@dataclass(frozen=True, slots=True)
class StagedRows:
    """What became of the documents: ``rows`` accepted, ``rejected`` to quarantine; ``noted`` lost a value only."""

    rows: int
    rejected: int
    noted: int


def write_staging(backend: Backend, settings: Settings, contract: Contract, parsed: ir.Table) -> StagedRows:
    """Replaces the table by the rows that pass the contract's rules, and its quarantine rows by the others."""
    connection = backend.con
    rules = row_rules(contract, settings.validation)
    scratch = f"_flagged_{contract.table}"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {scratch} AS {backend.compile(flag_rows(parsed, rules))}")
    try:
        flagged = backend.table(scratch)
        accepted = str(backend.compile(accepted_rows(flagged, contract, rules)))
        broken = str(backend.compile(broken_rules(flagged, contract, rules)))
        with write_transaction(connection, settings):
            rows = replace_rows(connection, contract, accepted)
            create_table(connection, QUARANTINE)
            connection.execute(f"DELETE FROM {QUARANTINE.qualified} WHERE table_name = ?", [contract.table])
            names = ", ".join(QUARANTINE.column_names)
            connection.execute(f"INSERT INTO {QUARANTINE.qualified} ({names}) SELECT {names} FROM ({broken})")
        counts = connection.execute(
            f"SELECT count(*) FILTER (_is_rejected), count(*) FILTER (_is_flagged AND NOT _is_rejected) FROM {scratch}"
        ).fetchone()
    finally:
        connection.execute(f"DROP TABLE IF EXISTS {scratch}")
    rejected, noted = counts or (0, 0)
    return StagedRows(rows, rejected, noted)
