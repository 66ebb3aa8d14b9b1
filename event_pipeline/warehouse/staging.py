"""Writes a staging table and its share of quarantine in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.models.locale import Locale
from event_pipeline.models.rules import (
    IS_FLAGGED,
    IS_REJECTED,
    accepted_rows,
    broken_rules,
    flag_rows,
    row_rules,
)
from event_pipeline.settings import Settings
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.replacement import NOTHING, bring_to, content
from event_pipeline.warehouse.rows import first_row

if TYPE_CHECKING:
    import duckdb
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
    rules = row_rules(contract, settings.validation, Locale.of(settings.organisation))
    scratch = f"_flagged_{contract.table}"
    query = backend.compile(flag_rows(parsed, rules))
    # Parsed inside the transaction: what another writer commits meanwhile would be overwritten.
    with write_transaction(connection, settings):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {scratch} AS {query}")
        rejected, noted = first_row(
            connection.execute(
                f"SELECT count(*) FILTER ({IS_REJECTED}), count(*) FILTER ({IS_FLAGGED} AND NOT {IS_REJECTED}) "
                f"FROM {scratch}"
            )
        ) or (0, 0)
        flagged = backend.table(scratch)
        accepted = accepted_rows(flagged, contract, rules)
        broken = str(backend.compile(broken_rules(flagged, contract, rules))) if rejected or noted else None
        rows = bring_to(connection, settings, contract, str(backend.compile(accepted)), accepted.columns)
        _replace_quarantine(connection, contract, broken)
        connection.execute(f"DROP TABLE {scratch}")
    return StagedRows(rows, rejected, noted)


def _replace_quarantine(connection: duckdb.DuckDBPyConnection, contract: Contract, broken: str | None) -> None:
    """The table's share of quarantine becomes the broken rules found now."""
    share = f"{QUARANTINE.qualified} WHERE table_name = '{contract.table}'"
    found = content(connection, QUARANTINE, f"({broken})") if broken is not None else NOTHING
    if found == content(connection, QUARANTINE, share):
        return
    connection.execute(f"DELETE FROM {share}")
    if broken is not None:
        names = ", ".join(QUARANTINE.column_names)
        connection.execute(f"INSERT INTO {QUARANTINE.qualified} ({names}) SELECT {names} FROM ({broken})")
