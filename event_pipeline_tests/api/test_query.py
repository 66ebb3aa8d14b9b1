"""Own SQL over the API: bound parameters, formats, limits, dialects, plans, and errors that say where."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.settings import Settings
from event_pipeline_tests.api.organisation import Api, ask, running_api, settings_for

QUERY = "/api/pipeline/query"
ENDLESS = (
    "SELECT count(*) FROM range(1000000000000) t(a) WHERE a % 7 = 3",
    "SELECT regexp_replace(repeat('a', 100000000), '(a+)+$', 'x', 'g')",
    "SELECT list(a) FROM range(2000000000) t(a)",
    "SELECT count(*) FROM fact_registrations a, fact_registrations b, fact_registrations c WHERE hash(a, b, c) = 1",
)
BUSIEST = "SELECT event_id, count(*) AS registrations FROM fact_registrations GROUP BY event_id ORDER BY 2 DESC, 1"


@pytest.fixture(scope="module")
def own(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy, so that saved queries are this module's own."""
    copy = tmp_path_factory.mktemp("query") / "data"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("api"))
    return settings_for(copy)


@pytest.fixture(scope="module")
def analyst(own: Settings) -> Iterator[Api]:
    with running_api(own) as running:
        yield running


@pytest.fixture(scope="module")
def headers(analyst: Api) -> dict[str, str]:
    return analyst.headers("sql")


@pytest.fixture(scope="module")
def post(analyst: Api, headers: dict[str, str]) -> Any:
    def send(sql: str, idempotency_key: str | None = None, **more: Any) -> Any:
        extra = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return analyst.http.post(QUERY, json={"sql": sql, **more}, headers=headers | extra)

    return send


def test_rows_and_columns_are_those_of_the_table(post: Any, own: Settings) -> None:
    answer = post(BUSIEST).json()
    assert answer["columns"] == [{"name": "event_id", "type": "VARCHAR"}, {"name": "registrations", "type": "BIGINT"}]
    expected = ask(own, BUSIEST.replace("fact_registrations", "warehouse.core.fact_registrations"))
    assert [tuple(row) for row in answer["rows"]] == expected
    assert (answer["row_count"], answer["truncated"], answer["sql"]) == (len(expected), False, BUSIEST)


def test_parameters_are_bound_and_never_text_of_the_query(post: Any) -> None:
    hostile = "x' OR '1'='1"
    for sql, params in (("event_id = ?", [hostile]), ("event_id = $1", [hostile]), ("event_id = $id", {"id": hostile})):
        assert post(f"SELECT count(*) FROM fact_registrations WHERE {sql}", params=params).json()["rows"] == [[0]]
    known = [row[0] for row in post(BUSIEST, limit=2).json()["rows"]]
    counted = post("SELECT count(DISTINCT event_id) FROM fact_registrations WHERE event_id = ANY(?)", params=[known])
    assert counted.json()["rows"] == [[2]]
    assert post("SELECT date FROM dim_dates WHERE date = $day", params={"day": "2026-01-05"}).json()["rows"] == [
        ["2026-01-05"]
    ]


def test_parameters_that_are_missing_are_named(post: Any) -> None:
    answer = post("SELECT * FROM dim_events WHERE event_id = $id")
    assert answer.json()["type"].endswith(":query-invalid")
    assert "id" in answer.json()["detail"]


def test_an_answer_that_is_cut_off_says_so(post: Any) -> None:
    for form in ("json", "ndjson", "csv"):
        answer = post(BUSIEST, limit=2, format=form)
        assert (answer.headers["x-row-count"], answer.headers["x-truncated"]) == ("2", "true")
    assert post(BUSIEST, limit=2).json()["truncated"] is True


def test_the_formats_hold_the_same_rows(post: Any) -> None:
    whole = post(BUSIEST, limit=5).json()["rows"]
    lines = post(BUSIEST, limit=5, format="ndjson")
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [list(json.loads(line).values()) for line in lines.text.splitlines()] == whole
    table = post(BUSIEST, limit=5, format="csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    (head, *rows) = csv.reader(io.StringIO(table.text))
    assert head == ["event_id", "registrations"]
    assert [[event_id, int(count)] for event_id, count in rows] == whole


def test_a_query_for_bigquery_is_translated_and_shown_as_it_ran(post: Any) -> None:
    answer = post("SELECT COUNTIF(is_paid) FROM `core.dim_events`", dialect="bigquery").json()
    assert answer["row_count"] == 1
    assert "COUNT_IF" in answer["sql"].upper()


def test_a_plan_is_answered_without_running_the_query(post: Any) -> None:
    answer = post("SELECT count(*) FROM range(1000000000000) t(a) WHERE a % 7 = 3", explain=True).json()
    assert (answer["rows"], answer["row_count"]) == ([], 0)
    assert "RANGE" in answer["plan"]


@pytest.mark.parametrize(
    ("sql", "status", "kind", "place", "said"),
    [
        ("SELECT\n  titel FROM dim_events", 422, "query-invalid", "body.sql:2:3", "title"),
        ("SELECT * FROM\n dim_event", 422, "query-invalid", "body.sql:2:2", "did you mean dim_events"),
        ("SELEKT 1", 422, "query-invalid", "body.sql:1:1", "syntax error"),
        ("SELECT 'a'::INTEGER", 422, "query-invalid", "body.sql:1:11", "Could not convert"),
        ("SELECT getenv('HOME')", 403, "query-refused", "body.sql:1:8", "getenv"),
        ("DELETE FROM dim_events", 403, "query-refused", None, "SELECT"),
        ("EXPLAIN SELECT 1", 403, "query-refused", None, "explain: true"),
        ("SELECT * FROM read_text('/etc/passwd')", 403, "query-refused", "body.sql:1:15", "read_text"),
    ],
)
def test_an_error_says_what_where_and_what_to_do(
    post: Any, sql: str, status: int, kind: str, place: str | None, said: str
) -> None:
    answer = post(sql)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:event-pipeline:problem:{kind}")
    assert said in problem["detail"]
    assert [error["location"] for error in problem["errors"]] == ([place] if place else [])


def test_an_error_is_at_the_same_place_when_the_plan_is_asked_for(post: Any) -> None:
    for before in ("SELECT ", "SELECT 1,\n  ", f"SELECT {'1, ' * 60}"):
        run, planned = (post(f"{before}titel FROM dim_events", explain=plan).json()["errors"] for plan in (False, True))
        assert run == planned
        assert run[0]["location"] == f"body.sql:{before.count(chr(10)) + 1}:{len(before.rpartition(chr(10))[2]) + 1}"


def test_no_error_names_the_data_folder(post: Any, own: Settings) -> None:
    folder = str(own.data_dir)
    for sql in (
        f"SELECT * FROM '{folder}/storage/warehouse/core/dim_events/*.parquet'",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM dim_events AT (VERSION => 999999)",
        "SELECT error('x')",
    ):
        said = post(sql).text
        assert folder not in said.replace(sql, "")
        assert "sqlite" not in said


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sql": ""},
        {"sql": "SELECT 1\x00"},
        {"sql": "SELECT 1", "limit": 0},
        {"sql": "SELECT 1", "format": "xml"},
        {"sql": "SELECT 1", "dialect": "oracle"},
        {"sql": "SELECT ?", "params": [2**70]},
        {"sql": "SELECT ?", "params": [{"a": 1}]},
        {"sql": "SELECT $a", "params": {"a b": 1}},
    ],
)
def test_a_request_that_is_none_is_refused(analyst: Api, headers: dict[str, str], body: dict[str, Any]) -> None:
    answer = analyst.http.post(QUERY, json=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:event-pipeline:problem:invalid")


def test_a_query_sent_again_with_its_key_is_answered_as_before(post: Any) -> None:
    first, second = post("SELECT random()", "k1"), post("SELECT random()", "k1")
    assert second.headers["idempotency-replayed"] == "true"
    assert first.content == second.content
    assert first.headers["content-type"] == second.headers["content-type"] == "application/json"
    assert post("SELECT 2", "k1").json()["type"].endswith(":key-reused")
    table = [post("SELECT random() AS x", "k2", format="csv") for _ in range(2)]
    assert table[0].text == table[1].text
    assert table[1].headers["content-type"] == "text/csv; charset=utf-8"


def test_a_long_answer_is_not_kept_but_read_again(post: Any) -> None:
    answers = [post("SELECT repeat('x', 1000) FROM range(1500)", "k3", limit=2_000) for _ in range(2)]
    assert [answer.json()["row_count"] for answer in answers] == [1500, 1500]
    assert all("idempotency-replayed" not in answer.headers for answer in answers)


def test_the_schema_lists_what_the_warehouse_has(analyst: Api, headers: dict[str, str], own: Settings) -> None:
    answer = analyst.http.get("/api/pipeline/schema", headers=headers)
    tables = {table["name"]: table for table in answer.json()["tables"]}
    stored = ask(own, "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'warehouse'")
    assert tables.keys() == {f"{schema}.{table}" for schema, table in stored}
    assert not any(name.startswith(("raw.", "staging.", "people.", "quarantine.")) for name in tables)
    columns = {column["name"]: column for column in tables["core.dim_events"]["columns"]}
    assert columns["event_id"]["nullable"] is False
    assert columns["event_status"]["allowed"]
    assert all(column["description"] for column in columns.values())
    again = analyst.http.get("/api/pipeline/schema", headers=headers | {"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_every_table_of_the_schema_can_be_queried(analyst: Api, headers: dict[str, str], post: Any) -> None:
    for table in analyst.http.get("/api/pipeline/schema", headers=headers).json()["tables"]:
        answer = post(f"SELECT * FROM {table['name']}", limit=1).json()
        assert [(column["name"], column["type"]) for column in answer["columns"]] == [
            (column["name"], column["type"]) for column in table["columns"]
        ]


def test_other_requests_are_answered_while_queries_take_all_they_may(copied: Settings) -> None:
    limits = {"seconds": 1.0, "workers": 2, "threads": 1, "memory_megabytes": 96}
    generous = copied.api.model_copy(update={"requests_per_minute": 1_000_000})
    settings = copied.model_copy(update={"sql": copied.sql.model_copy(update=limits), "api": generous})
    beside: list[int] = []
    with running_api(settings) as api, ThreadPoolExecutor(2) as pool:
        keyed = api.headers()
        asked = [pool.submit(api.http.post, QUERY, json={"sql": sql}, headers=keyed) for sql in ENDLESS]
        while wait(asked, timeout=0.05).not_done:
            beside += [
                api.http.get(path, headers=keyed).status_code
                for path in ("/livez", "/api/pipeline/events", "/api/pipeline/analytics")
            ]
        kinds = {one.result().json()["type"].rsplit(":", 1)[1] for one in asked}
    assert kinds <= {"timeout", "query-too-heavy"}
    assert beside
    assert set(beside) == {200}
