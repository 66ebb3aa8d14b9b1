"""How the tables keep their promises: now by table and dimension, and day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from event_pipeline.api.catalog_session import Session
from event_pipeline.contracts.ops import DATA_QUALITY

_BY_DAY = f"""
SELECT day, dimension, avg(score) AS score FROM (
    SELECT make_timestamp(epoch_us(checked_at) + $offset)::DATE AS day, table_name, dimension,
        arg_max(score, checked_at) AS score
    FROM {DATA_QUALITY.qualified}
    WHERE score IS NOT NULL AND ($table = '' OR table_name = $table) GROUP BY ALL
) WHERE day > $after GROUP BY day, dimension ORDER BY day
"""
"""The day's last check of each table counts."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that a table did not keep when it was last checked."""

    table_name: str
    dimension: str
    expectation: str
    column: str | None
    severity: str
    unexpected_count: int
    evaluated_count: int
    description: str


@dataclass(frozen=True, slots=True)
class TableScore:
    """A table's latest check: a score by dimension, None where nothing of the kind is promised."""

    table_name: str
    checked_at: datetime
    row_count: int
    failed: int
    scores: dict[str, float | None]


def table_scores(session: Session) -> list[TableScore]:
    """The latest check of every table, those that fail first."""
    rows = session.rows("SELECT * FROM mirror.data_quality ORDER BY table_name")
    tables: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        tables.setdefault(row["table_name"], []).append(row)
    found = [
        TableScore(
            table_name=name,
            checked_at=max(row["checked_at"] for row in checked),
            row_count=checked[0]["row_count"],
            failed=sum(row["failed"] for row in checked),
            scores={row["dimension"]: row["score"] for row in checked},
        )
        for name, checked in tables.items()
    ]
    return sorted(found, key=lambda table: (table.failed == 0, table.table_name))


def broken_promises(session: Session, table: str = "") -> list[Broken]:
    """What fails by the latest check, errors before warnings; of one table when it is named."""
    rows = session.rows(
        "SELECT table_name, dimension, failed_expectations FROM mirror.data_quality "
        "WHERE failed > 0 AND ($table = '' OR table_name = $table) ORDER BY table_name, dimension",
        {"table": table},
    )
    found = [
        Broken(row["table_name"], row["dimension"], **failed)
        for row in rows
        for failed in orjson.loads(row["failed_expectations"])
    ]
    return sorted(found, key=lambda broken: broken.severity)


def scores_by_day(
    session: Session, after: date, utc_offset_microseconds: int, table: str = ""
) -> dict[date, dict[str, float]]:
    """Mean score by dimension of each day on which something was checked, the earliest first."""
    rows = session.rows(_BY_DAY, {"table": table, "after": after, "offset": utc_offset_microseconds})
    days: dict[date, dict[str, float]] = {}
    for row in rows:
        days.setdefault(row["day"], {})[row["dimension"]] = row["score"]
    return days
