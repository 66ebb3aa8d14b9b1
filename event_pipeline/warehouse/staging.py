"""Writes a staging table and its share of quarantine in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.errors import ContractError
from event_pipeline.models.rules import IS_FLAGGED, IS_REJECTED
from event_pipeline.settings import Settings
from event_pipeline.warehouse.compiled_models import FLAGGED, CompiledModel
from event_pipeline.warehouse.replacement import NOTHING, bring_to, content
from event_pipeline.warehouse.rows import first_row

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class StagedRows:
    """What became of the documents: ``rows`` accepted, ``rejected`` to quarantine; ``noted`` lost a value only."""

    rows: int
    rejected: int
    noted: int


def write_staging(
    connection: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, compiled: CompiledModel
) -> StagedRows:
    """Within the caller's transaction, the table becomes the rows that pass the contract's rules, and its share of
    quarantine the others.

    Documents are parsed inside the transaction: what another writer commits meanwhile would be overwritten.
    """
    if compiled.accepted is None:
        raise ContractError(f"{contract.name} is not made of documents")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {FLAGGED} AS {compiled.query}")
    rejected, noted = first_row(
        connection.execute(
            f"SELECT count(*) FILTER ({IS_REJECTED}), count(*) FILTER ({IS_FLAGGED} AND NOT {IS_REJECTED}) "
            f"FROM {FLAGGED}"
        )
    ) or (0, 0)
    rows = bring_to(connection, settings, contract, compiled.accepted, compiled.columns)
    _replace_quarantine(connection, contract, compiled.broken if rejected or noted else None)
    connection.execute(f"DROP TABLE {FLAGGED}")
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
