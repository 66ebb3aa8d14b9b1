"""Running the pipeline through a real Dagster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from event_pipeline.api.sessions import COOKIE
from event_pipeline.control import DagsterControl
from event_pipeline.control.worker_switch import is_worker_on
from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import Heartbeat, write_heartbeat
from event_pipeline_tests.api.organisation import NOW, Api, running_api
from event_pipeline_tests.control.live import LiveDagster

TRIGGER = "/api/pipeline/trigger"
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def live(settings: Settings, dagster: LiveDagster) -> Iterator[Api]:
    chosen = {"dagster_url": dagster.url, "api": settings.api.model_copy(update={"dagster_seconds": 30.0})}
    with running_api(settings.model_copy(update=chosen)) as running:
        yield running


@pytest.fixture(scope="module")
def operator(live: Api) -> dict[str, str]:
    return live.headers("operate", "read", "admin")


def _error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rsplit(":", 1)[1]


def test_a_triggered_job_can_be_followed_where_it_says(
    live: Api, operator: dict[str, str], dagster: LiveDagster
) -> None:
    accepted = live.http.post(TRIGGER, json={"job": "refresh"}, headers=operator)
    assert accepted.status_code == 202
    said = accepted.json()
    assert (said["kind"], accepted.headers["location"]) == ("run", f"/api/pipeline/runs/{said['id']}")
    with DagsterControl(dagster.url) as control:
        control.follow(said["id"])
    run = live.http.get(accepted.headers["location"], headers=operator).json()
    assert (run["is_finished"], run["succeeded"], run["status"], run["failure"]) == (True, True, "SUCCESS", None)
    assert sorted(run["materialized"]) == ["core/dim_events", "marts/agg_event_metrics"]
    newest = live.http.get("/api/pipeline/audit", params={"limit": 1}, headers=operator).json()["items"][0]
    assert (newest["action"], newest["target"], newest["details"]) == ("trigger", "refresh", {"id": said["id"]})


def test_a_range_of_partitions_is_one_backfill(live: Api, operator: dict[str, str], dagster: LiveDagster) -> None:
    body = {"assets": ["marts/agg_daily_metrics"], "partitions": {"first": "2025-06-02", "last": "2025-06-04"}}
    said = live.http.post(TRIGGER, json=body, headers=operator).json()
    assert said["kind"] == "backfill"
    with DagsterControl(dagster.url) as control:
        control.follow(said["id"])
    run = live.http.get(f"/api/pipeline/runs/{said['id']}", headers=operator).json()
    assert (run["is_finished"], run["succeeded"]) == (True, True)


def test_a_failed_run_says_why(live: Api, operator: dict[str, str], dagster: LiveDagster) -> None:
    said = live.http.post(TRIGGER, json={"assets": ["raw/broken"]}, headers=operator).json()
    with DagsterControl(dagster.url) as control:
        control.follow(said["id"])
    run = live.http.get(f"/api/pipeline/runs/{said['id']}", headers=operator).json()
    assert (run["succeeded"], run["is_finished"]) == (False, True)
    assert "garbled at line 7" in run["failure"]


@pytest.mark.parametrize(
    "body",
    [
        {"job": "refrsh"},
        {"assets": ["marts/none"]},
        {"assets": ["marts/agg_daily_metrics"], "partition": "1999-01-01"},
        {"assets": ["marts/agg_daily_metrics"], "partition": "2025-06-02", "partitions": {"first": "a", "last": "b"}},
        {},
    ],
)
def test_what_cannot_be_run_is_refused_with_what_can(live: Api, operator: dict[str, str], body: dict[str, Any]) -> None:
    assert _error(live.http.post(TRIGGER, json=body, headers=operator)) == (422, "invalid")


@pytest.mark.parametrize("run_id", ["0d4c6f6a-b0f2-4d9f-8a3c-4b8f8d1f7a55", "abcdefgh"])
def test_a_run_that_never_was_is_not_found(live: Api, operator: dict[str, str], run_id: str) -> None:
    assert _error(live.http.get(f"/api/pipeline/runs/{run_id}", headers=operator)) == (404, "not-found")


def test_switching_says_what_changed(live: Api, operator: dict[str, str]) -> None:
    for path, is_running in (("start", True), ("stop", False)):
        for changed in (True, False):
            said = live.http.post(f"/api/pipeline/{path}", json={"names": ["nightly"]}, headers=operator).json()
            assert said["items"] == [
                {"name": "nightly", "kind": "schedule", "is_running": is_running, "changed": changed}
            ]
    assert _error(live.http.post("/api/pipeline/stop", json={"names": ["nightli"]}, headers=operator)) == (
        422,
        "invalid",
    )


def test_the_stream_worker_is_switched_by_name_without_dagster_and_with_everything(
    copied: Settings, live: Api, operator: dict[str, str]
) -> None:
    with running_api(copied) as alone:
        headers = alone.headers("operate", "read")
        for path, is_running in (("stop", False), ("start", True)):
            said = alone.http.post(f"/api/pipeline/{path}", json={"names": ["stream_worker"]}, headers=headers).json()
            assert said["items"] == [
                {"name": "stream_worker", "kind": "worker", "is_running": is_running, "changed": True}
            ]
        assert _error(alone.http.post("/api/pipeline/stop", headers=headers)) == (503, "dagster-away")
        assert is_worker_on(copied), "what Dagster refuses switches nothing"
    kinds = {item["kind"] for item in live.http.post("/api/pipeline/start", headers=operator).json()["items"]}
    assert kinds == {"sensor", "schedule", "worker"}


def test_a_worker_that_stands_by_is_off(copied: Settings) -> None:
    write_heartbeat(copied, Heartbeat(1, NOW, NOW, "switched_off"))
    with running_api(copied) as api:
        parts = api.http.get("/api/pipeline/status", headers=api.headers("read")).json()["components"]
    (stream,) = [part for part in parts if part["name"] == "stream"]
    assert (stream["state"], stream["message"]) == ("off", "switched off; POST start switches it on")


def test_status_shows_that_dagster_is_there(live: Api, operator: dict[str, str]) -> None:
    live.http.post("/api/pipeline/start", headers=operator)
    on = live.http.get("/api/pipeline/status", headers=operator).json()
    live.http.post("/api/pipeline/stop", headers=operator)
    off = live.http.get("/api/pipeline/status", headers=operator).json()
    assert (on["running"], off["running"]) == (True, False)
    assert on["since"] is not None
    assert next(part for part in on["components"] if part["name"] == "dagster")["state"] == "ok"


@pytest.fixture
def signed_in(live: Api) -> Iterator[str]:
    """The token of a browser's session with a key that may operate."""
    session = live.services.sessions.begin(live.services.keys.create("x", ("read", "operate"))[0], 1)
    live.http.cookies.set(COOKIE, session.secret)
    yield session.token
    live.http.cookies.clear()


def test_the_dashboards_switches_do_the_same_and_say_what_came_of_it(live: Api, signed_in: str) -> None:
    said = []
    for path in ("start", "start", "stop"):
        page = live.http.post(f"/pipeline/{path}", data={"token": signed_in, "name": "nightly"}, headers=PAGE)
        said.append(page.text.split('role="status"><p>')[1].split("</p>")[0])
    assert said == ["Switched on: nightly.", "Everything was on already.", "Switched off: nightly."]
    assert live.http.post("/pipeline/start", data={"name": "nightly"}, headers=PAGE).status_code == 403


def test_the_dashboard_runs_a_job_and_leads_to_it(live: Api, signed_in: str, dagster: LiveDagster) -> None:
    page = live.http.post("/pipeline/run", data={"token": signed_in, "job": "refresh"}, headers=PAGE)
    run_id = page.text.split('data-follow-run="')[1].split('"')[0]
    with DagsterControl(dagster.url) as control:
        control.follow(run_id)
    assert live.http.get(f"/api/pipeline/runs/{run_id}").json()["succeeded"] is True
    live.app.state.dashboard.look.forget()
    live.services.dagster.forget()
    assert f'href="{dagster.url}/runs/{run_id}"' in live.http.get("/pipeline", headers=PAGE).text
    refused = live.http.post("/pipeline/run", data={"token": signed_in, "job": "refrsh"}, headers=PAGE)
    assert 'role="alert"' in refused.text
    assert "there is no job" in refused.text
