"""Saved queries are kept, changed, run and forgotten, and the audit knows by whom."""

from __future__ import annotations

from typing import Any

import pytest

from event_pipeline.api.saved_queries import MOST
from event_pipeline_tests.api.organisation import Api

QUERIES = "/api/pipeline/queries"
DAYS = {
    "name": "Days",
    "description": "So many days.",
    "sql": "SELECT count(*) AS days FROM range($days)",
    "params": {"days": 7},
}


@pytest.fixture
def headers(api: Api) -> Any:
    """A new key's; what it saved is forgotten afterwards."""
    api.services.database.execute("DELETE FROM saved_queries")
    yield api.headers("sql")
    api.services.database.execute("DELETE FROM saved_queries")


def _save(api: Api, headers: dict[str, str], **changed: Any) -> Any:
    return api.http.post(QUERIES, json=DAYS | changed, headers=headers)


def test_a_query_is_kept_and_found_again(api: Api, headers: dict[str, str]) -> None:
    saved = _save(api, headers)
    assert saved.status_code == 201
    body = saved.json()
    assert {name: body[name] for name in DAYS} == DAYS
    assert body["created_by"] == headers["Authorization"].split()[1][:11]
    assert api.http.get(saved.headers["location"], headers=headers).json() == body
    other = api.headers("sql")
    assert api.http.get(QUERIES, headers=other).json() == {"items": [body], "next_cursor": None}


def test_names_are_listed_in_order_page_by_page(api: Api, headers: dict[str, str]) -> None:
    for name in ("b", "a", "c"):
        _save(api, headers, name=name)
    first = api.http.get(QUERIES, params={"limit": 2}, headers=headers).json()
    rest = api.http.get(QUERIES, params={"limit": 2, "cursor": first["next_cursor"]}, headers=headers).json()
    assert [item["name"] for item in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next_cursor"] is None


def test_a_name_is_taken_once(api: Api, headers: dict[str, str]) -> None:
    one, other = _save(api, headers).json(), _save(api, headers, name="Other").json()
    assert _save(api, headers).status_code == 409
    changed = api.http.put(f"{QUERIES}/{other['query_id']}", json=DAYS, headers=headers)
    assert changed.json()["type"] == "urn:event-pipeline:problem:conflict"
    assert one["query_id"] in changed.json()["detail"]


def test_a_query_is_changed_as_a_whole(api: Api, headers: dict[str, str]) -> None:
    saved = _save(api, headers).json()
    changed = api.http.put(f"{QUERIES}/{saved['query_id']}", json={"name": "One", "sql": "SELECT 1"}, headers=headers)
    body = changed.json()
    assert (body["name"], body["sql"], body["description"], body["params"]) == ("One", "SELECT 1", "", [])
    assert (body["created_at"], body["created_by"]) == (saved["created_at"], saved["created_by"])
    assert body["updated_at"] > saved["updated_at"]


def test_a_query_is_forgotten(api: Api, headers: dict[str, str]) -> None:
    place = _save(api, headers).headers["location"]
    assert api.http.delete(place, headers=headers).status_code == 204
    for method in ("GET", "DELETE"):
        gone = api.http.request(method, place, headers=headers)
        assert gone.json()["type"] == "urn:event-pipeline:problem:not-found"
    assert api.http.put(place, json=DAYS, headers=headers).status_code == 404
    assert api.http.post(f"{place}/run", headers=headers).status_code == 404


def test_it_runs_with_its_own_parameters_or_with_others(api: Api, headers: dict[str, str]) -> None:
    run = _save(api, headers).headers["location"] + "/run"
    assert api.http.post(run, headers=headers).json()["rows"] == [[7]]
    other = api.http.post(run, json={"params": {"days": 0}, "format": "csv"}, headers=headers)
    assert other.text == "days\r\n0\r\n"


def test_it_runs_in_the_dialect_it_was_written_in(api: Api, headers: dict[str, str]) -> None:
    saved = _save(api, headers, sql="SELECT SAFE_DIVIDE(1, 0)", params=[], dialect="bigquery")
    assert api.http.post(f"{saved.headers['location']}/run", headers=headers).json()["rows"] == [[None]]


def test_who_saved_changed_and_forgot_is_in_the_audit(api: Api, headers: dict[str, str]) -> None:
    saved = _save(api, headers).json()
    api.http.put(f"{QUERIES}/{saved['query_id']}", json=DAYS, headers=headers)
    api.http.delete(f"{QUERIES}/{saved['query_id']}", headers=headers)
    entries = [entry for entry in api.services.audit.entries(20) if entry.target == saved["query_id"]]
    assert [entry.action for entry in entries] == ["delete_query", "change_query", "save_query"]
    assert {entry.actor for entry in entries} == {saved["created_by"]}


def test_saving_again_with_the_same_key_saves_once(api: Api, headers: dict[str, str]) -> None:
    sent = [_save(api, headers | {"Idempotency-Key": "save"}) for _ in range(2)]
    assert sent[0].json() == sent[1].json()
    assert len(api.http.get(QUERIES, headers=headers).json()["items"]) == 1


def test_there_is_an_end_to_how_many_are_kept(api: Api, headers: dict[str, str]) -> None:
    api.services.database.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO saved_queries "
        "SELECT 'q_' || i, 'n' || i, '', 'SELECT 1', '[]', 'duckdb', 'ep_x', '2026-01-01', '2026-01-01' FROM n",
        (MOST,),
    )
    assert _save(api, headers).json()["type"] == "urn:event-pipeline:problem:conflict"
