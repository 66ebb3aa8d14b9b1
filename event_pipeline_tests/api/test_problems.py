"""Whatever goes wrong is a problem document with the request's id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from event_pipeline.api.problems import KINDS, Problem
from event_pipeline.api.reader import Reader
from event_pipeline.settings import Settings
from event_pipeline_tests.api.organisation import Api, running_api, settings_for


def _is_problem(answer: Any, kind: str) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["type"] == f"urn:event-pipeline:problem:{kind}"
    assert (said["status"], said["title"]) == (answer.status_code, KINDS[kind][1])
    assert said["request_id"] == answer.headers["x-request-id"]
    assert said["instance"] == answer.request.url.path
    assert said["detail"]


def test_unknown_paths_methods_and_bodies(api: Api, everything: dict[str, str]) -> None:
    _is_problem(api.http.get("/nowhere"), "not-found")
    wrong_method = api.http.delete("/api/pipeline/events", headers=everything)
    _is_problem(wrong_method, "method-not-allowed")
    assert "GET" in wrong_method.headers["allow"]
    typed = everything | {"Content-Type": "application/json"}
    for body in (b"{", b"[]", b'{"job": 5}', b'{"job": "x", "jobs": 1}', b'{"job": null}', b""):
        _is_problem(api.http.post("/api/pipeline/trigger", content=body, headers=typed), "invalid")
    _is_problem(api.http.post("/api/pipeline/trigger", content=b"\xff", headers=typed), "bad-request")
    _is_problem(api.http.post("/api/pipeline/trigger", content=b"x" * 1_100_000, headers=everything), "too-large")


def test_a_wrong_value_is_named_and_not_repeated(api: Api, everything: dict[str, str]) -> None:
    answer = api.http.get("/api/pipeline/events", params={"limit": "a-personal-value"}, headers=everything)
    _is_problem(answer, "invalid")
    assert [error["location"] for error in answer.json()["errors"]] == ["query.limit"]
    assert "a-personal-value" not in answer.text


def test_a_fault_of_ours_is_a_problem_that_the_log_explains(
    api: Api, everything: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(api.services.dagster, "look", fail)
    answer = api.http.get("/api/pipeline/status", headers=everything)
    _is_problem(answer, "internal")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    printed = capsys.readouterr().out
    assert "ZeroDivisionError" in printed
    assert answer.headers["x-request-id"] in printed


def test_a_plain_request_id_is_kept_and_others_are_replaced(api: Api) -> None:
    assert api.http.get("/livez", headers={"X-Request-Id": "order-66.abc"}).headers["x-request-id"] == "order-66.abc"
    for wrong in ("short", "x" * 65, "with space", "<script>alert</script>"):
        assert api.http.get("/livez", headers={"X-Request-Id": wrong}).headers["x-request-id"] != wrong


def test_a_folder_without_a_warehouse_is_not_ready(tmp_path: Path) -> None:
    with running_api(settings_for(tmp_path)) as api:
        headers = api.headers()
        for path in (
            "/readyz",
            "/api/pipeline/analytics",
            "/api/pipeline/events",
            "/api/pipeline/events/x/participants",
            "/api/pipeline/events/x/payments",
        ):
            answer = api.http.get(path, headers=headers)
            _is_problem(answer, "warehouse-not-ready")
            assert answer.status_code == 503
        status = api.http.get("/api/pipeline/status", headers=headers).json()
        assert (status["running"], status["state"], status["totals"]) == (False, "down", None)
        assert {part["name"]: part["state"] for part in status["components"]}["warehouse"] == "down"
        assert api.http.get("/api/pipeline/health", headers=headers).status_code == 503
        assert api.http.get("/api/pipeline/metrics", headers=headers).json()["stream"]["batches"] == 0


def test_reading_for_too_long_is_stopped(settings: Settings) -> None:
    reader = Reader(settings_for(settings.data_dir, query_seconds=0.2), ("warehouse",))
    try:
        with pytest.raises(Problem) as stopped, reader.session() as session:
            session.rows("SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b")
        assert stopped.value.kind == "timeout"
        with reader.session() as session:
            assert session.row("SELECT 1 AS one") == {"one": 1}
    finally:
        reader.close()


def test_more_requests_than_readers_wait_and_are_told(settings: Settings) -> None:
    reader = Reader(settings_for(settings.data_dir, query_seconds=0.2, readers=1), ("warehouse",))
    try:
        with reader.session(), pytest.raises(Problem) as refused, reader.session():
            pass
        assert refused.value.kind == "busy"
    finally:
        reader.close()


def test_nothing_can_be_written_through_a_session(settings: Settings) -> None:
    import duckdb

    reader = Reader(settings, ("warehouse",))
    try:
        with pytest.raises(duckdb.Error, match="read-only"), reader.session() as session:
            session.rows("DELETE FROM warehouse.core.dim_events")
    finally:
        reader.close()


def test_instants_are_utc_wherever_the_machine_is(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    reader = Reader(settings, ("warehouse",))
    try:
        with reader.session() as session:
            assert session.row("SELECT TIMESTAMPTZ '2025-01-01 00:00:00+00'::VARCHAR AS at") == {
                "at": "2025-01-01 00:00:00+00"
            }
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("stauts=open", {"query.stauts": "there is no such parameter; did you mean status?"}),
        ("series=a&limit=3&series=b", {"query.series": "it is there 2 times, and one value is taken"}),
        (
            "q=x&q=x&zzz=",
            {"query.q": "it is there 2 times", "query.zzz": "there is no such parameter; there are status, "},
        ),
    ],
)
def test_a_parameter_that_would_be_left_out_is_named(
    api: Api, everything: dict[str, str], query: str, said: dict[str, str]
) -> None:
    answer = api.http.get(f"/api/pipeline/events?{query}", headers=everything)
    _is_problem(answer, "invalid")
    found = {error["location"]: error["message"] for error in answer.json()["errors"]}
    assert found.keys() == said.keys()
    assert all(found[location].startswith(message) for location, message in said.items())


def test_a_route_without_parameters_takes_none(api: Api, everything: dict[str, str]) -> None:
    answer = api.http.get("/api/pipeline/status?verbose=1", headers=everything)
    _is_problem(answer, "invalid")
    assert "there are none" in answer.json()["detail"]
