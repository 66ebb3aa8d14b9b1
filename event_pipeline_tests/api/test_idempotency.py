"""A POST that is sent again is answered again and not done again."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from event_pipeline.control import Launched
from event_pipeline.control.errors import UnansweredError
from event_pipeline.errors import ControlError
from event_pipeline.sqlite import stamp
from event_pipeline_tests.api.organisation import Api

TRIGGER = "/api/pipeline/trigger"


class ScriptedControl:
    """Stands where Dagster's handle does, and counts what it is asked for."""

    def __init__(self) -> None:
        self.launches = 0
        self.error: Exception | None = None
        self.may_end = threading.Event()
        self.has_begun = threading.Event()
        self.may_end.set()

    def __enter__(self) -> ScriptedControl:
        return self

    def __exit__(self, *details: object) -> None:
        return None

    def launch(self, job: str | None, *details: Any) -> Launched:
        self.launches += 1
        self.has_begun.set()
        assert self.may_end.wait(30)
        if self.error is not None:
            raise self.error
        return Launched(f"run-{self.launches}", None, f"http://127.0.0.1:3000/runs/run-{self.launches}")


@pytest.fixture
def control(api: Api, monkeypatch: pytest.MonkeyPatch) -> ScriptedControl:
    scripted = ScriptedControl()
    monkeypatch.setattr(api.services, "control", lambda: scripted)
    return scripted


def _post(api: Api, headers: dict[str, str], idempotency_key: str, job: str = "refresh") -> Any:
    return api.http.post(TRIGGER, json={"job": job}, headers=headers | {"Idempotency-Key": idempotency_key})


def test_the_same_request_is_done_once(api: Api, control: ScriptedControl) -> None:
    headers = api.headers("operate")
    first, second = _post(api, headers, "a"), _post(api, headers, "a")
    assert (first.status_code, first.headers["location"]) == (202, "/api/pipeline/runs/run-1")
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    for part in ("status_code", "content"):
        assert getattr(first, part) == getattr(second, part)
    assert first.headers["location"] == second.headers["location"]
    assert control.launches == 1


def test_other_keys_without_key_and_other_callers_are_done_each(api: Api, control: ScriptedControl) -> None:
    headers = api.headers("operate")
    _post(api, headers, "a")
    _post(api, headers, "b")
    _post(api, api.headers("operate"), "a")
    for _ in range(2):
        api.http.post(TRIGGER, json={"job": "refresh"}, headers=headers)
    assert control.launches == 5


def test_another_body_with_the_same_key_is_refused(api: Api, control: ScriptedControl) -> None:
    headers = api.headers("operate")
    _post(api, headers, "a")
    other = _post(api, headers, "a", "rebuild")
    assert (other.status_code, other.json()["type"]) == (422, "urn:event-pipeline:problem:key-reused")
    assert control.launches == 1


def test_a_request_under_way_is_not_done_beside_itself(api: Api, control: ScriptedControl) -> None:
    headers = api.headers("operate")
    control.may_end.clear()
    first = threading.Thread(target=_post, args=(api, headers, "a"))
    first.start()
    assert control.has_begun.wait(30)
    second = _post(api, headers, "a")
    control.may_end.set()
    first.join()
    assert (second.status_code, second.json()["type"]) == (409, "urn:event-pipeline:problem:in-progress")
    assert _post(api, headers, "a").headers["idempotency-replayed"] == "true"
    assert control.launches == 1


def test_what_failed_may_be_sent_again(api: Api, control: ScriptedControl) -> None:
    headers = api.headers("operate")
    control.error = ControlError("Dagster refused to launch refresh: it is Sunday")
    failed = _post(api, headers, "a")
    assert (failed.status_code, failed.json()["type"]) == (502, "urn:event-pipeline:problem:dagster-refused")
    control.error = None
    assert _post(api, headers, "a").status_code == 202


def test_a_launch_that_dagster_did_not_answer_is_not_done_again(api: Api, control: ScriptedControl) -> None:
    headers = api.headers("operate")
    control.error = UnansweredError("the Dagster webserver did not answer within 30 s")
    assert _post(api, headers, "a").json()["type"] == "urn:event-pipeline:problem:dagster-away"
    control.error = None
    assert _post(api, headers, "a").json()["type"] == "urn:event-pipeline:problem:outcome-unknown"
    assert control.launches == 1


@pytest.mark.parametrize(
    ("ago", "has_ended", "is_done_again"),
    [
        (timedelta(hours=23), True, False),
        (timedelta(hours=25), True, True),
        (timedelta(hours=23), False, False),
        (timedelta(hours=25), False, True),
    ],
)
def test_answers_and_requests_that_were_cut_short_are_known_for_a_day(
    api: Api, control: ScriptedControl, ago: timedelta, has_ended: bool, is_done_again: bool
) -> None:
    headers = api.headers("operate")
    _post(api, headers, "a")
    status = "status" if has_ended else "NULL"
    api.services.database.execute(
        f"UPDATE stored_answers SET at = ?, status = {status}", (stamp(datetime.now(UTC) - ago),)
    )
    _post(api, headers, "a")
    assert control.launches == (2 if is_done_again else 1)


class _Killed(Exception):
    """The process ends here: nothing after it is done."""


def _kill_before(api: Api, monkeypatch: pytest.MonkeyPatch, *starts: str) -> None:
    """From the first statement on that begins so, no statement on the stored answers is carried out."""
    execute, is_dead = api.services.database.execute, []

    def dies(sql: str, parameters: Any = ()) -> Any:
        if sql.startswith(starts) or (is_dead and "stored_answers" in sql):
            is_dead.append(True)
            raise _Killed
        return execute(sql, parameters)

    monkeypatch.setattr(api.services.database, "execute", dies)


@pytest.mark.parametrize("where", ["UPDATE stored_answers", "INSERT INTO audit"])
def test_what_a_kill_cut_short_after_it_was_done_is_not_done_again(
    api: Api, control: ScriptedControl, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    headers = api.headers("operate")
    with monkeypatch.context() as patched:
        _kill_before(api, patched, where)
        assert _post(api, headers, "killed").status_code == 500
    assert control.launches == 1
    assert _post(api, headers, "killed").json()["type"] == "urn:event-pipeline:problem:in-progress"
    api.services.database.execute(
        "UPDATE stored_answers SET at = ? WHERE idempotency_key = 'killed'",
        (stamp(datetime.now(UTC) - timedelta(minutes=6)),),
    )
    for _ in range(2):
        answer = _post(api, headers, "killed")
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:event-pipeline:problem:outcome-unknown")
    assert control.launches == 1
    assert _post(api, headers, "another").status_code == 202


def test_an_error_after_it_was_done_does_not_have_it_done_again(
    api: Api, control: ScriptedControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    headers = api.headers("operate")
    with monkeypatch.context() as patched:
        patched.setattr(api.services.audit, "record", full)
        assert _post(api, headers, "a").status_code >= 500
    answer = _post(api, headers, "a")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:event-pipeline:problem:outcome-unknown")
    assert control.launches == 1


def test_a_query_that_was_cut_short_is_read_again(api: Api) -> None:
    headers = api.headers("sql") | {"Idempotency-Key": "read"}
    ask = lambda: api.http.post("/api/pipeline/query", json={"sql": "SELECT 1 AS one"}, headers=headers)  # noqa: E731
    assert ask().status_code == 200
    api.services.database.execute(
        "UPDATE stored_answers SET status = NULL, at = ? WHERE idempotency_key = 'read'",
        (stamp(datetime.now(UTC) - timedelta(minutes=6)),),
    )
    assert ask().status_code == 200


@pytest.mark.parametrize("wrong", ["", "x" * 256, "with space"])
def test_a_key_that_is_none_is_refused(api: Api, control: ScriptedControl, wrong: str) -> None:
    assert _post(api, api.headers("operate"), wrong).status_code == 422
    assert control.launches == 0
