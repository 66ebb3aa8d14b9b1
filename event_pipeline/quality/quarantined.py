"""How many documents of a staging table are in quarantine, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.quarantine import QUARANTINE

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Quarantined:
    """``rejected`` documents are only in quarantine; ``by_rule`` counts noted ones too, the commonest rule first."""

    rejected: int
    by_rule: Mapping[str, int]


def quarantined_documents(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Quarantined:
    """The documents of this staging table in quarantine."""
    rows = connection.execute(
        "SELECT rule, count(DISTINCT document_id), count(DISTINCT document_id) FILTER (WHERE consequence = 'rejected') "
        f"FROM {QUARANTINE.qualified} WHERE table_name = $1 GROUP BY GROUPING SETS ((rule), ()) ORDER BY 2 DESC, 1",
        [contract.table],
    ).fetchall()
    rejected = next((count for rule, _, count in rows if rule is None), 0)
    return Quarantined(rejected, {rule: count for rule, count, _ in rows if rule is not None})
