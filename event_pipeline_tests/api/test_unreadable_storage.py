"""Storage that cannot be read is named; what was read before is answered; all is well once it is back."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from event_pipeline.api.mirror import Mirror
from event_pipeline.api.problems import Problem
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline_tests.api.organisation import Api, running_api

_PATIENCE_SECONDS = 120
PAGES = ("/", "/events")


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _scribble(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"garbage!" * 512)


def _scribble_behind_the_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(8_192)
        file.write(b"garbage!" * 8_192)


TEARS = (_cut, _empty, _scribble, _scribble_behind_the_header)


def _until(api: Api, path: str, headers: dict[str, str], wanted: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not wanted(answer := api.http.get(path, headers=headers)):
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    return answer


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("event_pipeline.api.mirror._LONGEST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr("event_pipeline.background_task.MOST_WAIT_SECONDS", 0.2)


def _stale(settings: Settings) -> Settings:
    return settings.model_copy(update={"api": settings.api.model_copy(update={"stale_seconds": 0.2})})


@pytest.mark.parametrize("tear", TEARS)
def test_a_torn_catalog_is_named_and_the_way_out_is_told(
    copied: Settings, tear: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    tear(copied.catalog_dir / "warehouse.sqlite")
    with running_api(copied) as api:
        headers = api.headers()
        for path in ("/readyz", "/api/pipeline/analytics", "/api/pipeline/events"):
            answer = api.http.get(path, headers=headers)
            said = answer.json()
            assert (answer.status_code, said["type"]) == (503, "urn:event-pipeline:problem:warehouse-not-ready"), said
            assert said["detail"].startswith("catalog/warehouse.sqlite is damaged or cannot be read: restore it")
            assert "docs/operations.md" in said["detail"]
            assert str(copied.data_dir) not in answer.text
        query = api.http.post("/api/pipeline/query", json={"sql": "SELECT 1"}, headers=headers)
        assert (query.status_code, "warehouse.sqlite" in query.json()["detail"]) == (503, True), query.text
        health = api.http.get("/api/pipeline/health", headers=headers)
        assert health.status_code == 503
        states = {part["name"]: part["state"] for part in health.json()["components"]}
        assert (states["warehouse"], states["background"]) == ("down", "degraded")


def test_a_catalog_that_is_torn_while_answers_are_given_is_told_and_answers_are_as_of_before(
    copied: Settings, folder: Path
) -> None:
    with running_api(_stale(copied)) as api:
        headers = api.headers()
        before = _until(api, "/readyz", headers, lambda answer: answer.status_code == 200).json()
        events = api.http.get("/api/pipeline/events", headers=headers).json()
        catalog = copied.catalog_dir / "warehouse.sqlite"
        _cut(catalog)
        stale = _until(api, "/readyz", headers, lambda answer: "catalog/warehouse.sqlite is damaged" in answer.text)
        assert (stale.status_code, stale.json()["type"]) == (503, "urn:event-pipeline:problem:warehouse-stale")
        assert api.http.get("/api/pipeline/events", headers=headers).json() == events
        status = api.http.get("/api/pipeline/status", headers=headers).json()
        parts = {part["name"]: part for part in status["components"]}
        assert (status["last_processed_at"], parts["warehouse"]["state"]) == (before["as_of"], "degraded")
        assert "api-mirror fails: catalog/warehouse.sqlite" in parts["background"]["message"]
        metrics = api.http.get("/metrics", headers=headers).text
        assert 'event_pipeline_task_failing{process="api",task="api-mirror"} 1.0' in metrics
        shutil.copyfile(folder / "catalog" / "warehouse.sqlite", catalog)
        after = _until(api, "/readyz", headers, lambda answer: answer.status_code == 200).json()
        assert after["as_of"] == before["as_of"]
        assert after["verified_at"] > before["verified_at"]
        metrics = api.http.get("/metrics", headers=headers).text
        assert 'event_pipeline_task_failing{process="api",task="api-mirror"} 0.0' in metrics


@pytest.mark.parametrize(
    "fault",
    [
        RuntimeError("odd"),
        MemoryError(),
        duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate data of size 32.0 KiB"),
        duckdb.IOException('IO Error: Cannot open file "x": Too many open files'),
        duckdb.InternalException("INTERNAL Error: odd"),
        duckdb.Error("odd"),
        OSError(24, "Too many open files"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_whatever_keeps_answers_from_being_brought_up_to_date_they_follow_again_once_it_is_gone(
    copied: Settings, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(*_: object) -> None:
        raise fault

    with running_api(_stale(copied)) as api:
        headers = api.headers()
        before = _until(api, "/readyz", headers, lambda answer: answer.status_code == 200).json()
        with monkeypatch.context() as patched:
            patched.setattr(Mirror, "_copy", fail)
            _until(api, "/readyz", headers, lambda answer: answer.status_code == 503 and "hangs" not in answer.text)
            with connect(copied, ("warehouse",)) as connection, write_transaction(connection, copied):
                connection.execute("UPDATE warehouse.core.dim_events SET title = 'Renamed'")
            health = api.http.get("/api/pipeline/health", headers=headers).json()
            assert {part["name"]: part["state"] for part in health["components"]}["background"] == "degraded"
        after = _until(
            api, "/readyz", headers, lambda answer: answer.json().get("snapshot", 0) > before["snapshot"]
        ).json()
        assert after["ready"] is True
        events = api.http.get("/api/pipeline/events", headers=headers).json()["items"]
        assert {event["title"] for event in events} == {"Renamed"}


def test_a_data_file_that_is_gone_or_torn_is_named(copied: Settings) -> None:
    folder = copied.data_dir / "storage" / "warehouse" / "core" / "fact_registrations"
    for ruin in (_cut, Path.unlink):
        for file in folder.rglob("*.parquet"):
            ruin(file)
        with running_api(copied) as api:
            headers = api.headers()
            query = {"sql": "SELECT max(registration_id), max(registered_at) FROM core.fact_registrations"}
            answer = api.http.post("/api/pipeline/query", json=query, headers=headers)
            assert answer.status_code == 503, answer.text
            assert answer.json()["type"] == "urn:event-pipeline:problem:warehouse-not-ready"
            assert "warehouse/core/fact_registrations/ducklake-" in answer.json()["detail"]
            assert str(copied.data_dir) not in answer.text
            pattern = "storage/warehouse/core/fact_registrations/ducklake-"
            with pytest.raises(Problem, match=pattern) as problem, api.services.private.session() as session:
                session.rows("SELECT max(registered_at) FROM warehouse.core.fact_registrations")
            assert problem.value.kind == "warehouse-not-ready"
            assert api.http.get("/api/pipeline/events", headers=headers).status_code == 200
