"""Alerts, silences and deliveries by the API and by the commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from event_pipeline.alerts.alert import Alert, fingerprint_of
from event_pipeline.alerts.delivery.outbox import Outbox
from event_pipeline.alerts.store import AlertStore
from event_pipeline.settings import Alerts, Settings
from event_pipeline.sqlite import stamp
from event_pipeline_tests.api.organisation import NOW, Api, running_api, settings_for


def alert(number: int, **more: object) -> Alert:
    made = Alert(
        fingerprint_of("off_pace", f"e{number}"), "off_pace", f"e{number}", "firing", "warning", "organisers",
        f"event {number} fills slowly", NOW - timedelta(minutes=number), firing_since=NOW, told="firing", told_at=NOW,
        labels={"event_id": f"e{number}"},
    )  # fmt: skip
    return replace(made, **more)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    receivers = {"one": {"kind": "webhook", "url": "http://127.0.0.1:9/T0K3N"}}
    alerts = Alerts.model_validate({"receivers": receivers})
    return settings_for(tmp_path / "data").model_copy(update={"alerts": alerts})


@pytest.fixture
def api(settings: Settings) -> Iterator[Api]:
    with running_api(settings) as running:
        over = alert(4, state="resolved", resolved_at=NOW, told="resolved")
        known = [alert(1), alert(2), alert(3, state="pending", firing_since=None), over]
        AlertStore(running.services.alerts).keep({}, {item.fingerprint: item for item in known})
        outbox = Outbox(running.services.alerts)
        for item in known[:2]:
            outbox.add("one", "firing", item.rule, [item], NOW)
        running.services.alerts.note("evaluated_at", stamp(NOW - timedelta(seconds=20)))
        yield running


@pytest.fixture
def headers(api: Api) -> dict[str, str]:
    return api.headers("read", "operate")


@pytest.mark.parametrize(
    ("state", "expected"),
    [("open", "123"), ("firing", "12"), ("pending", "3"), ("resolved", "4"), ("all", "1234")],
)
def test_alerts_are_listed_by_state_the_latest_first(
    api: Api, headers: dict[str, str], state: str, expected: str
) -> None:
    found = api.http.get("/api/pipeline/alerts", params={"state": state}, headers=headers).json()
    assert [item["subject"] for item in found["items"]] == [f"e{number}" for number in expected]
    assert found["evaluated"] == {"at": "2026-06-30T00:59:40Z", "is_silent": False, "unseen": {}}


def test_pages_join_without_gaps(api: Api, headers: dict[str, str]) -> None:
    for path, chosen, expected in (("alerts", {"state": "all"}, 4), ("alerts/deliveries", {}, 2)):
        seen, cursor = [], None
        while True:
            query = {"limit": 1, **chosen} | ({"cursor": cursor} if cursor else {})
            page = api.http.get(f"/api/pipeline/{path}", params=query, headers=headers).json()
            seen += [str(item) for item in page["items"]]
            if (cursor := page["next_cursor"]) is None:
                break
        assert len(seen) == len(set(seen)) == expected


def test_that_nobody_evaluates_is_said(api: Api, headers: dict[str, str]) -> None:
    api.services.alerts.note("evaluated_at", stamp(NOW - timedelta(seconds=181)))
    assert api.http.get("/api/pipeline/alerts", headers=headers).json()["evaluated"]["is_silent"] is True


def test_an_alerts_history_says_who_was_told(api: Api, headers: dict[str, str]) -> None:
    wanted = alert(1).fingerprint
    found = api.http.get(f"/api/pipeline/alerts/{wanted}", headers=headers).json()
    assert [item["subject"] for item in found["alerts"]] == ["e1"]
    assert [item["fingerprints"] for item in found["deliveries"]] == [[wanted]]
    assert found["runbook"] == "docs/alerts.md#off_pace"
    assert api.http.get(f"/api/pipeline/alerts/{'0' * 16}", headers=headers).status_code == 404


def test_a_silence_is_made_seen_and_ended(api: Api, headers: dict[str, str]) -> None:
    body = {"matchers": {"subject": "e1"}, "hours": 1_000_000 / 500, "why": "postponed"}
    made = api.http.post("/api/pipeline/alerts/silences", json=body, headers=headers)
    assert made.status_code == 201
    silence_id = made.json()["silence_id"]
    key_id = headers["Authorization"].split()[1][:11]
    assert (made.json()["who"], made.json()["is_active"]) == (key_id, True)
    api.services.now = lambda: made_at + timedelta(seconds=1)
    made_at = AlertStore(api.services.alerts).silences()[0].starts_at
    listed = api.http.get("/api/pipeline/alerts", headers=headers).json()["items"]
    assert {item["subject"]: item["is_silenced"] for item in listed} == {"e1": True, "e2": False, "e3": False}
    ended = api.http.delete(f"/api/pipeline/alerts/silences/{silence_id}", headers=headers)
    assert ended.json()["is_active"] is False
    silences = api.http.get("/api/pipeline/alerts/silences", headers=headers).json()["items"]
    assert [item["is_active"] for item in silences] == [False]
    assert api.http.delete("/api/pipeline/alerts/silences/s_0123456789", headers=headers).status_code == 404
    actions = {entry.action for entry in api.services.audit.entries(10)}
    assert actions == {"silence", "end_silence"}


@pytest.mark.parametrize(
    "body",
    [
        {"matchers": {}, "hours": 1},
        {"matchers": {"rule": "x"}},
        {"matchers": {"rule": "x"}, "hours": 1, "until": "2099-01-01T00:00:00Z"},
        {"matchers": {"rule": "x"}, "until": "2020-01-01T00:00:00Z"},
        {"matchers": {"rule": "x"}, "until": "9999-12-31T23:59:59-12:00"},
        {"matchers": {"rule": "x"}, "until": "0001-01-01T00:00:00+12:00"},
        {"matchers": {"rule": ""}, "hours": 1},
    ],
)
def test_a_silence_of_nothing_or_without_an_end_is_refused(api: Api, headers: dict[str, str], body: object) -> None:
    assert api.http.post("/api/pipeline/alerts/silences", json=body, headers=headers).status_code == 422


def test_a_test_says_how_it_went_without_the_address(api: Api, headers: dict[str, str]) -> None:
    answer = api.http.post("/api/pipeline/alerts/deliveries/test", json={"receiver": "one"}, headers=headers)
    assert (answer.json()["kind"], answer.json()["state"]) == ("test", "given_up")
    assert "ConnectError" in answer.json()["error"]
    assert "T0K3N" not in api.http.get("/api/pipeline/alerts/deliveries", headers=headers).text
    assert (
        api.http.post("/api/pipeline/alerts/deliveries/test", json={"receiver": "x"}, headers=headers).status_code
        == 404
    )


def test_prometheus_reads_them(api: Api, headers: dict[str, str]) -> None:
    text = api.http.get("/metrics", headers=headers).text
    assert 'event_pipeline_alerts_firing{rule="off_pace",severity="warning"} 2.0' in text
    assert 'event_pipeline_alert_notifications{state="waiting"} 2.0' in text
    assert "event_pipeline_alerts_evaluation_age_seconds 20.0" in text


def test_deliveries_hold_what_was_put(api: Api, headers: dict[str, str]) -> None:
    items = api.http.get("/api/pipeline/alerts/deliveries", headers=headers).json()["items"]
    assert [(item["receiver"], item["state"], item["attempts"]) for item in items] == [("one", "waiting", 0)] * 2


def test_a_method_that_there_is_not_is_answered_by_all_that_there_are(api: Api, headers: dict[str, str]) -> None:
    answer = api.http.put("/api/pipeline/alerts/silences", headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert api.http.get("/api/pipeline/alerts/deliveries/test", headers=headers).headers["allow"] == "POST"
