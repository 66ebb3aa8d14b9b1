"""What the copies in memory hold, and how each is made: tables, what is joined of them, parts of events' pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from event_pipeline.api.catalog_session import Row
from event_pipeline.api.event_copies import OF_MIRROR, PARTS, Grouped
from event_pipeline.contracts.contract import DUCKDB_TYPES, Contract
from event_pipeline.contracts.core import DIM_CATEGORIES, DIM_CLUBS, DIM_EVENTS
from event_pipeline.contracts.marts import AGG_DAILY_METRICS, AGG_EMAIL_FUNNEL, AGG_EVENT_METRICS, AGG_EVENT_REVENUE
from event_pipeline.contracts.ops import DATA_QUALITY
from event_pipeline.contracts.progress import WAREHOUSE_PROGRESS

if TYPE_CHECKING:
    import duckdb


_EVERYTHING = "SELECT * FROM {source}"


_LATEST_CHECKS = "SELECT * FROM {source} QUALIFY checked_at = max(checked_at) OVER (PARTITION BY table_name)"


_EVENT_TOTALS = """
SELECT event_id, sum(registrations)::BIGINT AS registrations, sum(participants)::BIGINT AS participants,
    sum(check_ins)::BIGINT AS check_ins, sum(revenue_minor)::BIGINT AS revenue_minor
FROM {source} GROUP BY event_id
"""


COPIES: Mapping[str, tuple[Contract, str]] = {
    **{
        contract.table: (contract, _EVERYTHING)
        for contract in (
            DIM_EVENTS,
            DIM_CLUBS,
            DIM_CATEGORIES,
            AGG_DAILY_METRICS,
            AGG_EVENT_METRICS,
            AGG_EVENT_REVENUE,
            AGG_EMAIL_FUNNEL,
            WAREHOUSE_PROGRESS,
        )
    },
    DATA_QUALITY.table: (DATA_QUALITY, _LATEST_CHECKS),
    "event_totals": (AGG_EVENT_METRICS, _EVENT_TOTALS),
}
"""By its name in ``mirror``, what each copy is made from and how."""


_NO_START = -(2**62)
"""Place of events without a start: after all others."""


_OTHER_REVENUE = """
SELECT event_id, date, currency, revenue_minor FROM mirror.agg_event_revenue
WHERE currency IS DISTINCT FROM (SELECT any_value(currency) FROM mirror.agg_event_metrics)
"""


_OTHER_REVENUE_OF_EVENTS = """
SELECT event_id, list({'amount_minor': amount_minor, 'currency': currency} ORDER BY currency) AS other_revenue FROM (
    SELECT event_id, currency, sum(revenue_minor)::BIGINT AS amount_minor FROM mirror.other_revenue
    GROUP BY ALL HAVING amount_minor <> 0
) GROUP BY event_id
"""


_EVENTS = f"""
SELECT events.*, club_name, category_name, totals.* EXCLUDE (event_id), other_revenue, attended_people,
    coalesce(epoch_us(starts_at), {_NO_START}) AS place,
    starts_at <= (SELECT coalesce(max(as_of), (SELECT committed_at FROM mirror.state)) FROM mirror.warehouse_progress)
        AND coalesce(event_status, '') <> 'cancelled' AS has_started
FROM mirror.dim_events AS events LEFT JOIN mirror.event_totals AS totals USING (event_id)
    LEFT JOIN ({_OTHER_REVENUE_OF_EVENTS}) AS others USING (event_id)
    LEFT JOIN (SELECT event_id, attended_people FROM mirror.agg_email_funnel) USING (event_id)
    LEFT JOIN mirror.dim_clubs USING (club_id) LEFT JOIN mirror.dim_categories USING (category_id)
"""


JOINED: Mapping[str, str] = {"other_revenue": _OTHER_REVENUE, "events": _EVENTS}
"""By its name in ``mirror``, what is made of the copies: joining again for each request costs more than looking up."""


_MAKES_OTHER_TABLES = ("created_", "dropped_", "altered_")


def event_parts(
    cursor: duckdb.DuckDBPyConnection, present: frozenset[str], changed: frozenset[str], kept: Mapping[str, Grouped]
) -> dict[str, Grouped]:
    """Parts of events' pages; those that are kept and whose table has not changed as they are."""
    found = {}
    for name, (contract, content) in PARTS.items():
        if name in kept and contract.name not in changed:
            found[name] = kept[name]
            continue
        source = contract.qualified if contract.name in present else empty_table(contract)
        found[name] = Grouped(cursor.execute(content.format(source=source)).to_arrow_table())
    return found | {name: Grouped(cursor.execute(sql).to_arrow_table()) for name, sql in OF_MIRROR.items()}


def latest_checks(cursor: duckdb.DuckDBPyConnection) -> list[Row]:
    """The latest check of each table, by the copies."""
    return (
        cursor.execute("SELECT table_name, score, checked_at, failed FROM mirror.data_quality")
        .to_arrow_table()
        .to_pylist()
    )


def present_tables(cursor: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The tables of the warehouse as layer.table."""
    rows = cursor.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'warehouse'"
    ).fetchall()
    return frozenset(name for (name,) in rows)


def changed_since(cursor: duckdb.DuckDBPyConnection, metadata: str, snapshot: int) -> frozenset[str] | None:
    """Tables that later snapshots wrote to; None when one made or dropped tables, so that all may be others."""
    said = cursor.execute(
        f"SELECT changes_made FROM {metadata}.ducklake_snapshot_changes WHERE snapshot_id > ?", [snapshot]
    ).fetchall()
    changes = [part.partition(":") for (text,) in said for part in (text or "").split(",") if part]
    if any(action.startswith(_MAKES_OTHER_TABLES) for action, _, _ in changes):
        return None
    targets = {target for _, _, target in changes}
    names = cursor.execute(
        f"SELECT t.table_id, s.schema_name || '.' || t.table_name FROM {metadata}.ducklake_table t "
        f"JOIN {metadata}.ducklake_schema s USING (schema_id) WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL"
    ).fetchall()
    return frozenset(name for table_id, name in names if str(table_id) in targets)


def empty_table(contract: Contract) -> str:
    """A table that is not there yet is read as an empty one, so that nobody need ask."""
    columns = ", ".join(f'NULL::{DUCKDB_TYPES[column.type]} AS "{column.name}"' for column in contract.columns)
    return f"(SELECT {columns} WHERE false)"


def committed_at_of(cursor: duckdb.DuckDBPyConnection, metadata: str, snapshot: int) -> datetime:
    """When the tables were last brought up to date; when the snapshot was made, where nothing says so."""
    rows = cursor.execute(
        "SELECT epoch_us(coalesce((SELECT max(committed_at) FROM mirror.warehouse_progress), "
        f"(SELECT snapshot_time::TIMESTAMPTZ FROM {metadata}.ducklake_snapshot WHERE snapshot_id = ?)))",
        [snapshot],
    ).fetchall()
    return datetime.fromtimestamp((rows[0][0] or 0) / 1_000_000, UTC)
