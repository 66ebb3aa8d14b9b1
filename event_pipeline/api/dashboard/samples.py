"""Rows that break a table's promises as it is now, with what is personal masked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services

if TYPE_CHECKING:
    import duckdb

Promised = tuple[str, str | None]
"""The name of an expectation and the column it is about."""


def sampled_rows(services: Services, table: str, broken: set[Promised]) -> dict[Promised, tuple[str, ...]]:
    """A few rows of each of these promises, as the checks show them; none while the lake cannot be read."""
    from event_pipeline.quality.promises import promises_of, tables_asked_about
    from event_pipeline.quality.samples import sample_rows
    from event_pipeline.quality.stored import stored_columns
    from event_pipeline.warehouse.table_contracts import CONTRACTS

    contract = CONTRACTS.get(table)
    if contract is None:
        return {}
    found: dict[Promised, tuple[str, ...]] = {}

    def look(connection: duckdb.DuckDBPyConnection) -> None:
        stored = stored_columns(connection, tables_asked_about(contract))
        if contract.qualified not in stored:
            return
        for promise in promises_of(contract, stored, services.settings.validation, services.now()):
            if promise.sample is not None and (promise.name, promise.column) in broken:
                found[promise.name, promise.column] = sample_rows(connection, contract, promise)

    try:
        services.private.change(look)
    except Problem:
        return {}
    return found
