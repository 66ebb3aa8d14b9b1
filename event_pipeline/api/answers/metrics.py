"""``GET metrics`` and what administrators see."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from event_pipeline.api.answers.common import example


class RouteMetrics(BaseModel):
    """Requests of one route within the window; times in milliseconds."""

    route: str = Field(description="Method and path template; 'all' is every route together.")
    requests: int
    client_errors: int
    server_errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


class StreamMetrics(BaseModel):
    """The stream worker's batches within the window."""

    batches: int
    changes: int
    new_changes: int
    quarantined: int
    changes_per_second: float
    error_rate: float | None = Field(description="quarantined over changes.")
    lag_p50_seconds: float | None = Field(description="From seen to committed.")
    lag_p95_seconds: float | None
    batch_p95_seconds: float | None = Field(description="Work of a batch.")


class RunMetrics(BaseModel):
    """Dagster's latest runs."""

    finished: int
    failed: int
    error_rate: float | None
    mean_seconds: float | None


class Resources(BaseModel):
    """Of the API's process and the data folder's disk."""

    cpu_percent: float = Field(description="Since it was last asked; 100 is one processor.")
    memory_bytes: int
    threads: int
    disk_free_bytes: int
    disk_used_share: float


class Metrics(BaseModel):
    """Throughput, latency, error rates, lag and resources."""

    model_config = example(
        at="2026-06-01T09:30:02Z", since="2026-06-01T08:30:02Z", window_seconds=3600.0, warehouse_lag_seconds=2.1,
        routes=[{
            "route": "GET /api/pipeline/analytics", "requests": 240, "client_errors": 0, "server_errors": 0,
            "p50_ms": 3.1, "p95_ms": 14.9, "p99_ms": 31.0,
        }],
        stream={
            "batches": 410, "changes": 5230, "new_changes": 5101, "quarantined": 3, "changes_per_second": 1.45,
            "error_rate": 0.0006, "lag_p50_seconds": 0.41, "lag_p95_seconds": 0.92, "batch_p95_seconds": 0.3,
        },
        runs={"finished": 9, "failed": 0, "error_rate": 0.0, "mean_seconds": 21.4},
        resources={
            "cpu_percent": 3.2, "memory_bytes": 210000000, "threads": 14, "disk_free_bytes": 80000000000,
            "disk_used_share": 0.41,
        },
    )  # fmt: skip

    at: datetime
    since: datetime = Field(description="Begin of what is counted: the window's, or the latest reset.")
    window_seconds: float
    routes: list[RouteMetrics]
    stream: StreamMetrics
    runs: RunMetrics | None = Field(description="Null while Dagster does not answer.")
    warehouse_lag_seconds: float | None = Field(description="Since the tables were last brought up to date.")
    resources: Resources


class Reset(BaseModel):
    """The figures of GET metrics begin anew."""

    model_config = example(since="2026-06-01T09:30:02Z")

    since: datetime


class AuditItem(BaseModel):
    """Who did what to what."""

    audit_id: int
    at: datetime
    actor: str = Field(description="Id of the key, or 'command line'.")
    action: str
    target: str
    request_id: str
    details: dict[str, Any]


class AuditPage(BaseModel):
    """A page of the audit, the newest first."""

    model_config = example(
        items=[{
            "audit_id": 17, "at": "2026-06-01T09:30:02Z", "actor": "ep_h3k9x2aa", "action": "read_participants",
            "target": "-NxRobotics", "request_id": "0d4c6f6ab0f24d9f8a3c4b8f8d1f7a55", "details": {"people": 100},
        }],
        next_cursor=None,
    )  # fmt: skip

    items: list[AuditItem]
    next_cursor: str | None
