"""What happens at an event's door: the latest claims that someone came, whoever they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from event_pipeline.api.catalog_session import Session

RATE_MINUTES = 10
"""Arrivals a minute are the mean of so many minutes."""

_LATEST = """
SELECT occurred_at, method, scanner_id, is_counted, refusal_reason FROM warehouse.core.fact_attendance
WHERE event_id = $event_id AND occurred_at IS NOT NULL ORDER BY occurred_at DESC, attendance_id LIMIT $limit
"""


@dataclass(frozen=True, slots=True)
class Scan:
    """A claim that someone came; it counts, or ``refusal_reason`` says why not."""

    occurred_at: datetime
    method: str
    scanner_id: str | None
    is_counted: bool
    refusal_reason: str | None


def latest_scans(session: Session, event_id: str, limit: int) -> list[Scan]:
    """The event's latest claims, the newest first."""
    return [Scan(**row) for row in session.rows(_LATEST, {"event_id": event_id, "limit": limit})]


def arrivals_a_minute(session: Session, event_id: str, now: datetime) -> float:
    """Counted check-ins a minute, over the last ten."""
    row = session.row(
        "SELECT count(*) AS came FROM warehouse.core.fact_attendance "
        "WHERE event_id = $event_id AND is_counted AND occurred_at > $since AND occurred_at <= $now",
        {"event_id": event_id, "since": now - timedelta(minutes=RATE_MINUTES), "now": now},
    )
    return round((row["came"] if row else 0) / RATE_MINUTES, 1)
