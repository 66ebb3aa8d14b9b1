"""Figures of the process and the pipeline, for people and for Prometheus."""

from __future__ import annotations

from datetime import datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from event_pipeline.api.counters import Counters
from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import Heartbeat, SourceBeat, Standing, remove_heartbeat, write_heartbeat
from event_pipeline_tests.api.organisation import NOW, Api, running_api

METRICS = "/api/pipeline/metrics"


def test_requests_are_counted_by_route_and_not_by_id(api: Api, everything: dict[str, str]) -> None:
    for event_id in ("one", "two", "three"):
        api.http.get(f"/api/pipeline/events/{event_id}/analytics", headers=everything)
    routes = {r["route"]: r for r in api.http.get(METRICS, headers=everything).json()["routes"]}
    counted = routes["GET /api/pipeline/events/{event_id}/analytics"]
    assert counted["requests"] >= 3
    assert counted["client_errors"] >= 3
    assert not [route for route in routes if "three" in route]
    assert routes["all"]["requests"] == sum(r["requests"] for name, r in routes.items() if name != "all")


def test_figures_of_times_are_those_of_the_requests() -> None:
    counters = Counters()
    for milliseconds in range(1, 101):
        counters.count("GET", "/x", 500 if milliseconds > 98 else 200, milliseconds / 1000)
    figures, everything = counters.figures(60)
    assert (figures.p50_ms, figures.p95_ms, figures.p99_ms) == (51.0, 96.0, 100.0)
    assert (figures.requests, figures.server_errors, everything.requests) == (100, 2, 100)


def test_batches_are_counted_within_the_window(api: Api, everything: dict[str, str]) -> None:
    said = api.http.get(METRICS, params={"window_seconds": 3600}, headers=everything).json()
    expected = {
        "batches": 1, "changes": 30, "new_changes": 20, "quarantined": 3, "changes_per_second": round(30 / 3600, 3),
        "error_rate": 0.1, "lag_p50_seconds": 0.4, "lag_p95_seconds": 0.4, "batch_p95_seconds": 0.2,
    }  # fmt: skip
    assert said["stream"] == expected
    assert api.http.get(METRICS, params={"window_seconds": 60}, headers=everything).json()["stream"]["batches"] == 0
    assert said["resources"]["memory_bytes"] > 0
    assert 0 < said["resources"]["disk_used_share"] < 1
    assert said["runs"] is None


def test_prometheus_reads_the_same(api: Api, everything: dict[str, str]) -> None:
    answer = api.http.get("/metrics", headers=everything)
    assert answer.headers["content-type"].startswith("text/plain")
    samples = {
        (s.name, *sorted(s.labels.items())): s.value
        for family in text_string_to_metric_families(answer.text)
        for s in family.samples
    }
    assert samples["event_pipeline_warehouse_snapshot",] == api.services.mirror.current.snapshot
    component = (("component", "dagster"), ("state", "down"))
    assert samples[("event_pipeline_component_state", *component)] == 1
    assert any(name[0] == "event_pipeline_http_requests_total" for name in samples)


def test_resetting_begins_anew_and_is_audited(copied: Settings) -> None:
    with running_api(copied) as api:
        headers = api.headers("admin", "read")
        api.http.get("/readyz", headers=headers)
        answer = api.http.post("/api/pipeline/reset-stats", headers=headers)
        assert datetime.fromisoformat(answer.json()["since"]) == NOW
        said = api.http.get(METRICS, headers=headers).json()
        assert datetime.fromisoformat(said["since"]) == NOW
        assert "GET /readyz" not in {route["route"] for route in said["routes"]}
        assert said["stream"]["batches"] == 0
        assert 'route="/readyz"' in api.http.get("/metrics", headers=headers).text
        (entry,) = api.http.get("/api/pipeline/audit", headers=headers).json()["items"]
        assert (entry["action"], entry["actor"]) == ("reset_stats", headers["Authorization"].split()[1][:11])


@pytest.mark.parametrize(
    ("source_state", "failing_since", "expected"),
    [("live", None, "ok"), ("refused", None, "degraded"), ("live", NOW, "degraded")],
)
def test_status_tells_how_the_stream_worker_fares(
    copied: Settings, source_state: str, failing_since: datetime | None, expected: str
) -> None:
    standing = Standing(source_state, NOW)  # pyright: ignore[reportArgumentType]
    beat = SourceBeat("firestore", {"*": standing})
    heartbeat = Heartbeat(
        1, NOW, NOW, "following", {"firestore": beat}, 4, 50, 0.4, 7, failing_since, "the disk is full"
    )
    write_heartbeat(copied, heartbeat)
    with running_api(copied) as api:
        headers = api.headers("read")
        said = api.http.get("/api/pipeline/status", headers=headers).json()
        stream = next(part for part in said["components"] if part["name"] == "stream")
        assert stream["state"] == expected
        assert said["lag"]["waiting_changes"] == 7
        assert said["running"] is (expected == "ok")
        remove_heartbeat(copied)
        gone = api.http.get("/api/pipeline/status", headers=headers).json()
        assert next(part for part in gone["components"] if part["name"] == "stream")["state"] == "off"


def test_totals_of_status_are_those_of_all_time(api: Api, everything: dict[str, str]) -> None:
    totals = api.http.get("/api/pipeline/status", headers=everything).json()["totals"]
    said = api.http.get("/api/pipeline/analytics", params={"period": "all"}, headers=everything).json()["totals"]
    names = ("registrations", "check_ins", "revenue", "other_revenue")
    assert {name: totals[name] for name in names} == {name: said[name] for name in names}
