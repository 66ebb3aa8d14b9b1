"""What the Realtime Database tests write and read with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from event_pipeline.settings import Firebase
from event_pipeline.sources.realtime_database import RealtimeDatabaseSource
from event_pipeline_tests.realtime_database_server import RealtimeDatabase


def source_of(database: RealtimeDatabase, waits: list[float], **overrides: Any) -> RealtimeDatabaseSource:
    values = {"page_size": 4, "reconcile_reads_per_second": 100_000, "database_url": database.url, **overrides}
    return RealtimeDatabaseSource(Firebase(backend="realtime_database", **values), sleep=waits.append)


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def registrations(count: int, **span: float) -> dict[str, Any]:
    return {f"-r{i:02d}": {"participant_name": f"P {i}", "updated_at": ago(**span)} for i in range(count)}
