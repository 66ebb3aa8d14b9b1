"""A background thread that fails is told in health, readiness, metrics and an alert, which clear once it is well."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from event_pipeline.alerts.evaluator import Evaluator
from event_pipeline.alerts.signs import DagsterSign
from event_pipeline.api.mirror import Mirror
from event_pipeline.background_task import TaskStates
from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import Heartbeat, write_heartbeat
from event_pipeline.stream.sign import worker_sign
from event_pipeline_tests.api.organisation import Api, running_api

_PATIENCE_SECONDS = 60
API, WORKER = "api: api-mirror", "stream worker: heartbeat"


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


class _Told:
    """What each place says of background tasks; the clock of the alerts is the test's."""

    def __init__(self, api: Api, settings: Settings) -> None:
        self.api, self.settings, self.headers = api, settings, api.headers()
        self.now = datetime.now(UTC)
        self.worker = TaskStates()
        self.evaluator = Evaluator(
            settings, api.services.alerts, lambda: worker_sign(settings), lambda: DagsterSign(True, ""),
            lambda: self.now, tasks=api.services.tasks.all,
        )  # fmt: skip

    def beat(self) -> None:
        now = datetime.now(UTC)
        write_heartbeat(self.settings, Heartbeat(os.getpid(), now, now, "following", tasks=self.worker.all()))

    def background(self) -> tuple[str, str]:
        self.beat()
        health = self.api.http.get("/api/pipeline/health", headers=self.headers).json()
        (part,) = (part for part in health["components"] if part["name"] == "background")
        return part["state"], part["message"]

    def metric(self, process: str, task: str) -> float:
        self.beat()
        sign = f'event_pipeline_task_failing{{process="{process}",task="{task}"}} '
        lines = self.api.http.get("/metrics", headers=self.headers).text.splitlines()
        (value,) = (line.removeprefix(sign) for line in lines if line.startswith(sign))
        return float(value)

    def alerts(self, minutes: float) -> dict[str, str]:
        """Subjects and states of the rule's open alerts, evaluated so much later."""
        self.now += timedelta(minutes=minutes)
        self.beat()
        found = self.evaluator.evaluate().values()
        return {
            alert.subject: alert.state
            for alert in found
            if alert.rule == "background_failing" and alert.state != "resolved"
        }


def test_a_thread_that_fails_is_told_everywhere_until_it_is_well(
    copied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("event_pipeline.background_task.MOST_WAIT_SECONDS", 0.2)
    monkeypatch.setattr("event_pipeline.api.mirror._LONGEST_PAUSE_SECONDS", 0.1)
    settings = copied.model_copy(update={"api": copied.api.model_copy(update={"stale_seconds": 0.2})})

    def fail(*_: object) -> None:
        raise RuntimeError("user:a-secret@db")

    with running_api(settings) as api:
        api.services.now = lambda: datetime.now(UTC)
        told = _Told(api, settings)
        ready = lambda: api.http.get("/readyz", headers=told.headers).status_code  # noqa: E731 - asked again and again
        _until(lambda: ready() == 200)
        told.worker.succeeded("heartbeat")
        assert told.alerts(0) == {}
        with monkeypatch.context() as patched:
            patched.setattr(Mirror, "_copy", fail)
            told.worker.failed("heartbeat", "No space left on device")
            _until(lambda: ready() == 503 and "api-mirror" in told.background()[1])
            state, message = told.background()
            assert state == "degraded"
            assert "api-mirror fails: RuntimeError; the log has the reason" in message
            assert "stream worker's heartbeat fails: No space left on device" in message
            assert "a-secret" not in message
            assert (told.metric("api", "api-mirror"), told.metric("stream", "heartbeat")) == (1, 1)
            assert told.alerts(0) == {API: "pending", WORKER: "pending"}
            assert told.alerts(2) == {API: "firing", WORKER: "firing"}
        told.worker.succeeded("heartbeat")
        _until(lambda: ready() == 200 and told.background()[0] == "ok")
        assert (told.metric("api", "api-mirror"), told.metric("stream", "heartbeat")) == (0, 0)
        assert told.alerts(0) == {API: "firing", WORKER: "firing"}, "it may fail again at once"
        assert told.alerts(5) == {}
        told.evaluator.close()
