"""The stream worker's batches: how much came in lately, and how late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from event_pipeline.api.catalog_session import Session
from event_pipeline.contracts.stream import BATCHES

_LATEST = f"""
SELECT committed_at, list_sort(list(DISTINCT source)) AS sources, sum(rows_in)::BIGINT AS rows_in,
    sum(rows_new)::BIGINT AS rows_new, sum(rows_quarantined)::BIGINT AS rows_quarantined,
    max(lag_seconds) AS lag_seconds, max(duration_seconds) AS duration_seconds
FROM {BATCHES.qualified} WHERE committed_at > $since
GROUP BY batch_id, committed_at ORDER BY committed_at DESC LIMIT $limit
"""
_BY_MINUTE = f"""
SELECT (epoch_us(committed_at) // 60000000)::BIGINT AS minute, sum(rows_new)::BIGINT AS rows_new
FROM {BATCHES.qualified} WHERE committed_at > $since GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """What was committed together; seconds from when its oldest change was seen, and of work."""

    committed_at: datetime
    sources: list[str]
    rows_in: int
    rows_new: int
    rows_quarantined: int
    lag_seconds: float
    duration_seconds: float


def latest_batches(session: Session, since: datetime, limit: int) -> list[Batch]:
    """The batches since then, the newest first."""
    return [Batch(**row) for row in session.rows(_LATEST, {"since": since, "limit": limit})]


def new_by_minute(session: Session, now: datetime, minutes: int) -> list[tuple[datetime, int]]:
    """New changes in each of the last so many minutes, the earliest first; minutes without any are 0."""
    first = (now - timedelta(minutes=minutes - 1)).replace(second=0, microsecond=0)
    rows = session.rows(_BY_MINUTE, {"since": first})
    known = {row["minute"]: row["rows_new"] for row in rows}
    starts = [first + timedelta(minutes=place) for place in range(minutes)]
    return [(start, known.get(int(start.timestamp()) // 60, 0)) for start in starts]
