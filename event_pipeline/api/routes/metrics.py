"""``GET metrics`` for people and ``/metrics`` for Prometheus."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Response

from event_pipeline.api import figures
from event_pipeline.api.access import requires
from event_pipeline.api.answers.metrics import Metrics, RouteMetrics
from event_pipeline.api.exposition import exposition
from event_pipeline.api.openapi import KEYED
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services, Shared

if TYPE_CHECKING:
    import psutil

router = APIRouter(tags=["pipeline"])

_TEXT = "text/plain; version=1.0.0; charset=utf-8"


@router.get(
    "/api/pipeline/metrics",
    dependencies=[requires("read")],
    responses=KEYED,
    summary="Throughput, latency, error rates, lag and resources",
)
def metrics(
    services: Shared,
    window_seconds: Annotated[float, Query(ge=1, le=86_400, description="How far to look back.")] = 3_600,
) -> Metrics:
    """Needs the scope `read`. Counts begin with the window, or with the latest `reset-stats` within it."""
    return metrics_answer(services, window_seconds)


def metrics_answer(services: Services, window_seconds: float) -> Metrics:
    """Throughput, latency, error rates, lag and resources over so many seconds."""
    since = figures.counted_since(services, window_seconds)
    seconds = (services.now() - since).total_seconds()
    overview, _ = services.dagster.look()
    return Metrics(
        at=services.now(),
        since=since,
        window_seconds=window_seconds,
        routes=[RouteMetrics(**asdict(item)) for item in services.counters.figures(seconds)],
        stream=figures.stream_metrics(services, since),
        runs=figures.run_metrics(overview),
        warehouse_lag_seconds=_warehouse_lag(services),
        resources=figures.resources(services, _process()),
    )


@router.get(
    "/metrics",
    dependencies=[requires("read")],
    response_class=Response,
    responses=KEYED
    | {
        200: {
            "content": {
                "text/plain": {"schema": {"type": "string"}, "example": "event_pipeline_warehouse_snapshot 4711.0\n"}
            }
        }
    },
    summary="The same for Prometheus",
)
def prometheus(services: Shared) -> Response:
    """Needs the scope `read`: give Prometheus a key as `authorization` credentials. Counters are never reset."""
    return Response(exposition(services, _process()), media_type=_TEXT)


@cache
def _process() -> psutil.Process:
    """One object for this process: its processor time is told since it was last asked."""
    import psutil

    return psutil.Process()


def _warehouse_lag(services: Services) -> float | None:
    try:
        committed_at = services.mirror.current.committed_at
    except Problem:
        return None
    return round((services.now() - committed_at).total_seconds(), 3)
