"""How the API itself fares: counts and times by route, for Prometheus and for ``GET metrics``."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram

_KEPT = 20_000
"""Latest requests that the figures are made from."""

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SERVER_ERROR = 500
_CLIENT_ERROR = 400


@dataclass(frozen=True, slots=True)
class RouteFigures:
    """Requests of one route within the time looked at; times in milliseconds."""

    route: str
    requests: int
    client_errors: int
    server_errors: int
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class _Done:
    at: float
    route: str
    status: int
    seconds: float


class Counters:
    """Counts every request. The latest are kept, so that percentiles can be told; Prometheus's counters never fall."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "event_pipeline_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "event_pipeline_http_request_seconds", "Time until the answer was sent.", ("route",),
            registry=self.registry, buckets=_BUCKETS,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._latest: deque[_Done] = deque(maxlen=_KEPT)
        self.since = datetime.now(UTC)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Take in an answered request; ``route`` is its template, so that ids do not make routes of their own."""
        # Any word may stand as a method; each would be a time series for good.
        known = method if method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"} else "OTHER"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        with self._lock:
            self._latest.append(_Done(time.monotonic(), f"{known} {route}", status, seconds))

    def reset(self) -> None:
        """Begin again; what Prometheus reads goes on."""
        with self._lock:
            self._latest.clear()
            self.since = datetime.now(UTC)

    def figures(self, window_seconds: float) -> list[RouteFigures]:
        """By route, the busiest first, then 'all' routes together; over the latest requests within the window."""
        after = time.monotonic() - window_seconds
        with self._lock:
            latest = [done for done in self._latest if done.at >= after]
        by_route: dict[str, list[_Done]] = {}
        for done in latest:
            by_route.setdefault(done.route, []).append(done)
        figures = [_figures(route, done) for route, done in by_route.items()]
        return [*sorted(figures, key=lambda item: (-item.requests, item.route)), _figures("all", latest)]


def _figures(route: str, done: list[_Done]) -> RouteFigures:
    times = sorted(item.seconds * 1000 for item in done)

    def percentile(share: float) -> float:
        return round(times[min(len(times) - 1, int(len(times) * share))], 1) if times else 0.0

    return RouteFigures(
        route=route,
        requests=len(done),
        client_errors=sum(_CLIENT_ERROR <= item.status < _SERVER_ERROR for item in done),
        server_errors=sum(item.status >= _SERVER_ERROR for item in done),
        p50_ms=percentile(0.5),
        p95_ms=percentile(0.95),
        p99_ms=percentile(0.99),
    )
