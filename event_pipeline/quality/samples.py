"""A few of the rows that break a promise, as text an operator may see: personal values show their first letter only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.quality.promise import SAMPLE_LENGTH, Promise

if TYPE_CHECKING:
    import duckdb


def sample_rows(connection: duckdb.DuckDBPyConnection, contract: Contract, promise: Promise) -> tuple[str, ...]:
    """One text a row, such as ``registration_id="-Nx1", payment_status="paid"``; what is known already goes first."""
    if promise.sample is None:
        return promise.found
    result = connection.execute(promise.sample)
    names = [str(column[0]) for column in result.description or []]
    return tuple(
        ", ".join(f"{name}={_shown(contract, name, value)}" for name, value in zip(names, row, strict=True))
        for row in result.fetchall()
    )


def _shown(contract: Contract, name: str, value: str | None) -> str:
    if value is None:
        return "null"
    column = next((column for column in contract.columns if column.name == name), None)
    if column is not None and column.personal:
        return json.dumps(value[:1] + "***", ensure_ascii=False)
    text = value if len(value) <= SAMPLE_LENGTH else value[:SAMPLE_LENGTH] + "…"
    # JSON escapes quotes and control characters, so that a hostile value stays one line and one value.
    return json.dumps(text, ensure_ascii=False) if column is None or column.type == "string" else text
