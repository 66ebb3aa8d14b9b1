"""``event-pipeline alerts``."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from event_pipeline.alerts.alert import Alert, fingerprint_of
from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.delivery.outbox import Outbox
from event_pipeline.alerts.evaluator import last_evaluation
from event_pipeline.alerts.store import AlertStore
from event_pipeline.settings import Settings
from event_pipeline.sqlite import stamp
from event_pipeline_tests.control.live import free_port

NOW = datetime.now(UTC)
ALERT = Alert(
    fingerprint_of("disk", "data"), "disk", "data", "firing", "critical", "operators", "the disk is full", NOW,
    firing_since=NOW,
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("PIPELINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PIPELINE_DAGSTER_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PIPELINE_ALERTS__RECEIVERS", '{"one": {"kind": "webhook", "url": "http://127.0.0.1:9/x"}}')
    return Settings()


def test_list_shows_what_fires_and_whether_anybody_looks(data: Settings, run) -> None:
    assert "nobody evaluates alerts so far" in run("alerts", "list").out
    with closing(AlertDatabase(data)) as database:
        AlertStore(database).keep({}, {ALERT.fingerprint: ALERT})
        database.note("evaluated_at", stamp(datetime.now(UTC)))
    shown = run("alerts", "list").out
    assert f"{ALERT.fingerprint}  firing since" in shown
    assert "nobody" not in shown
    assert json.loads(run("alerts", "list", "--json").out)[0]["summary"] == "the disk is full"


def test_check_shows_every_rule_and_tells_nobody(data: Settings, run) -> None:
    ended = run("alerts", "check")
    assert ended.code == 1
    assert "Dagster is not well" in ended.out
    assert "freshness            cannot look: nothing was ever loaded" in ended.out
    with closing(AlertDatabase(data)) as database:
        assert AlertStore(database).open_alerts() == {}
        assert Outbox(database).log() == []


def test_a_silence_is_made_shown_and_ended(data: Settings, run) -> None:
    made = run("alerts", "silence", "rule=disk", "--hours", "3", "--why", "new disk on Monday").out
    silence_id = made.split()[0]
    assert f"{silence_id}  rule=disk until" in run("alerts", "silences").out
    assert run("alerts", "unsilence", silence_id).code == 0
    assert run("alerts", "silences").out == "nothing is silenced\n"
    assert run("alerts", "unsilence", "s_0").code == 2
    assert run("alerts", "silence", "disk").code == 2


def test_a_test_tells_whether_it_arrived(data: Settings, run) -> None:
    assert "ConnectError" in run("alerts", "test", "one").err
    unknown = run("alerts", "test", "two")
    assert (unknown.code, "there are one" in unknown.err) == (2, True)


def test_serve_evaluates_them_beside_the_api(data: Settings, tmp_path: Path) -> None:
    with (tmp_path / "serve.log").open("wb") as log:
        command = [sys.executable, "-m", "event_pipeline.cli", "serve", "--port", str(free_port())]
        serving = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            with closing(AlertDatabase(data)) as database:
                pause = threading.Event()
                while last_evaluation(database).at is None:
                    assert serving.poll() is None, (tmp_path / "serve.log").read_text()
                    pause.wait(0.1)
        finally:
            serving.terminate()
            serving.wait()
