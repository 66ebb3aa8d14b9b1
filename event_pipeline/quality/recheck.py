"""Which tables are to be checked again: a promise was broken when they were checked, and something changed since."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.ops import DATA_QUALITY
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.quality.gx_runner import check_table
from event_pipeline.quality.history import record_quality
from event_pipeline.quality.promises import tables_asked_about
from event_pipeline.quality.results import TableQuality
from event_pipeline.quality.stored import stored_columns
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import metadata_of
from event_pipeline.warehouse.rows import first_row

if TYPE_CHECKING:
    import duckdb

_FAILING = f"""
WITH latest AS (SELECT table_name, max(checked_at) AS checked_at FROM {DATA_QUALITY.qualified} GROUP BY table_name)
SELECT table_name, checked_at FROM {DATA_QUALITY.qualified} JOIN latest USING (table_name, checked_at)
GROUP BY ALL HAVING sum(failed) > 0
"""
_CHANGED = """
WITH asked AS (
    SELECT list(t.table_id::VARCHAR) AS ids FROM {metadata}.ducklake_table t
    JOIN {metadata}.ducklake_schema s USING (schema_id)
    WHERE list_contains($names, s.schema_name || '.' || t.table_name)
)
SELECT 1 FROM ducklake_snapshots('{catalog}'), asked
WHERE snapshot_time::TIMESTAMPTZ > $since AND list_has_any(flatten(map_values(changes)), ids) LIMIT 1
"""


def failing_since(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """When each table was checked of which the latest check found a broken promise, by ``layer.table``."""
    if not stored_columns(connection, [DATA_QUALITY.qualified]):
        return {}
    return dict(connection.execute(_FAILING).fetchall())


def has_changed(connection: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, since: datetime) -> bool:
    """Whether the table was written since then, or one that its promises are about; what it refers to included."""
    own = (QUARANTINE.qualified,) if contract.layer == "staging" else ()
    asked = {name for name in tables_asked_about(contract) if ".ops." not in name and name != QUARANTINE.qualified}
    names = [name.partition(".") for name in sorted({*asked, *own})]
    for catalog in sorted({catalog for catalog, _, _ in names}):
        sql = _CHANGED.format(metadata=metadata_of(settings, catalog), catalog=catalog)
        tables = [table for place, _, table in names if place == catalog]
        if first_row(connection.execute(sql, {"names": tables, "since": since})):
            return True
    return False


def check_again(
    connection: duckdb.DuckDBPyConnection, settings: Settings, contract: Contract, now: datetime
) -> TableQuality:
    """Checks the table as of ``now`` and records the outcome."""
    quality = check_table(connection, settings, contract, now=now)
    record_quality(connection, settings, [quality], now)
    return quality
