"""Tables and parts of answers as files that are answered at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pyarrow as pa
import pytest
from pydantic import BaseModel

from event_pipeline.api.answers.analytics import TopEvent, TrendPoint
from event_pipeline.api.answers.event import Arrival, PacePoint, PaymentState
from event_pipeline.api.answers.events import Event
from event_pipeline.api.answers.exports import EventPart
from event_pipeline.api.exports.analytics import PeriodTotals
from event_pipeline.api.exports.flat import flat_table
from event_pipeline.exports.formats import FORMATS, FormatName
from event_pipeline.settings import Settings
from event_pipeline.settings.exports import Exports
from event_pipeline_tests.api.organisation import Api, ask, running_api, settings_for
from event_pipeline_tests.exports.written import csv_rows, read

EXPORTS = "/api/pipeline/exports"
REGISTRATIONS = f"{EXPORTS}/tables/core.fact_registrations"


def _settings(settings: Settings, **exports: Any) -> Settings:
    return settings_for(settings.data_dir).model_copy(update={"exports": Exports(**exports)})


def _get(api: Api, headers: dict[str, str], path: str, **query: Any) -> Any:
    answer = api.http.get(path, params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def _problem(answer: Any, status: int, kind: str) -> str:
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:event-pipeline:problem:{kind}")
    return answer.json()["detail"]


@pytest.mark.parametrize("name", get_args(FormatName))
def test_a_table_is_the_same_in_every_format(
    api: Api, everything: dict[str, str], settings: Settings, name: FormatName
) -> None:
    answer = _get(api, everything, f"{EXPORTS}/tables/core.dim_events", format=name)
    assert answer.headers["content-type"] == FORMATS[name].media_type
    expected = ask(settings, "SELECT event_id, title, capacity FROM warehouse.core.dim_events")
    found = read(name, answer.content)
    as_read = {(key, title or None, str(size) if size and name == "csv" else size) for key, title, size in expected}
    assert {(row["event_id"], row["title"] or None, row["capacity"] or None) for row in found} == as_read
    assert answer.headers["x-export-rows"] == str(len(expected))


def test_a_file_is_saved_under_a_name_that_says_what_it_is_and_when(api: Api, everything: dict[str, str]) -> None:
    answer = _get(api, everything, REGISTRATIONS, format="parquet")
    pattern = r'attachment; filename="core\.fact_registrations-\d{8}-\d{6}\.parquet"'
    assert re.fullmatch(pattern, answer.headers["content-disposition"])
    assert answer.headers["cache-control"] == "no-store"


def test_columns_are_chosen_and_ordered(api: Api, everything: dict[str, str]) -> None:
    data = _get(api, everything, REGISTRATIONS, format="csv", columns="team_size, registration_id").content
    assert csv_rows(data)[0] == ["team_size", "registration_id"]


@pytest.mark.parametrize(
    ("table", "query", "condition"),
    [
        ("core.fact_registrations", {"from_day": "2026-05-01"}, "registered_date >= '2026-05-01'"),
        ("core.fact_registrations", {"to_day": "2026-05-01"}, "registered_date <= '2026-05-01'"),
        (
            "core.fact_registrations",
            {"from_day": "2026-04-01", "to_day": "2026-05-01", "day_column": "registered_at"},
            "(registered_at AT TIME ZONE 'Asia/Kolkata')::DATE BETWEEN '2026-04-01' AND '2026-05-01'",
        ),
        ("marts.agg_daily_metrics", {"from_day": "2026-05-01", "to_day": "2026-05-01"}, "date = '2026-05-01'"),
        ("core.fact_payments", {"event_id": "unknown"}, "event_id = 'unknown'"),
        ("core.fact_payments", {"event_id": "' OR 1=1 --"}, "false"),
    ],
)  # fmt: skip
def test_filters_choose_rows(
    api: Api, everything: dict[str, str], settings: Settings, table: str, query: dict[str, str], condition: str
) -> None:
    rows = read("ndjson", _get(api, everything, f"{EXPORTS}/tables/{table}", format="ndjson", **query).content)
    ((expected,),) = ask(settings, f"SELECT count(*) FROM warehouse.{table} WHERE {condition}")
    assert len(rows) == expected


@pytest.mark.parametrize(
    ("table", "query", "kind", "said"),
    [
        ("core.nothing", {}, "not-found", "exports/tables"),
        ("people.people", {}, "not-found", "exports/tables"),
        ("core.dim_events; DROP TABLE x", {}, "not-found", "exports/tables"),
        ("core.dim_events", {"columns": "title,nothing"}, "invalid", "has no nothing"),
        ("core.dim_events", {"columns": "title,title"}, "invalid", "once"),
        ("core.dim_users", {"event_id": "x"}, "invalid", "no column event_id"),
        ("core.bridge_event_tags", {"from_day": "2026-01-01"}, "invalid", "no column of days"),
        ("core.dim_events", {"from_day": "2026-01-01", "day_column": "title"}, "invalid", "start_date"),
        ("core.dim_events", {"to_day": "9999-12-31"}, "invalid", "to_day"),
        ("core.dim_events", {"from_day": "0001-01-01", "day_column": "starts_at"}, "invalid", "from_day"),
        ("core.dim_events", {"columns": "title,\0"}, "invalid", "has no"),
        ("core.dim_events", {"columns": "x" * 500}, "invalid", "has no"),
        ("core.dim%00events", {}, "not-found", "exports/tables"),
        ("core.dim_events", {"from_day": "someday"}, "invalid", "from_day"),
        ("core.dim_events", {"format": "pdf"}, "invalid", "format"),
        ("core.dim_events", {"colums": "title"}, "invalid", "colums"),
    ],
)
def test_what_cannot_be_exported_is_a_problem_that_says_so(
    api: Api, everything: dict[str, str], table: str, query: dict[str, str], kind: str, said: str
) -> None:
    answer = api.http.get(f"{EXPORTS}/tables/{table}", params={"format": "csv"} | query, headers=everything)
    assert said in _problem(answer, {"not-found": 404, "invalid": 422}[kind], kind)


def test_the_tables_are_those_of_the_warehouse(api: Api, everything: dict[str, str], settings: Settings) -> None:
    tables = _get(api, everything, f"{EXPORTS}/tables").json()["items"]
    expected = ask(
        settings,
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'warehouse' ORDER BY 1",
    )
    assert [table["name"] for table in tables] == [name for (name,) in expected]
    registrations = next(table for table in tables if table["name"] == "core.fact_registrations")
    assert registrations["day_columns"][0] == "registered_date"
    assert all(column["description"] for column in registrations["columns"])


def test_an_export_is_audited_with_who_what_and_how_many(api: Api, settings: Settings) -> None:
    headers = api.headers("export", "admin")
    answer = _get(api, headers, REGISTRATIONS, format="csv", from_day="2026-05-01")
    (entry,) = _get(api, headers, "/api/pipeline/audit", limit=1).json()["items"]
    ((rows,),) = ask(
        settings, "SELECT count(*) FROM warehouse.core.fact_registrations WHERE registered_date >= '2026-05-01'"
    )
    assert (entry["action"], entry["target"], entry["actor"]) == (
        "export", "core.fact_registrations", headers["Authorization"][7:18],
    )  # fmt: skip
    assert entry["request_id"] == answer.headers["x-request-id"]
    assert entry["details"] == {
        "format": "csv", "from_day": "2026-05-01", "rows": rows,
        "snapshot": int(answer.headers["x-export-snapshot"]),
    }  # fmt: skip


def _events(settings: Settings) -> Iterator[str]:
    sql = "SELECT event_id FROM warehouse.marts.agg_email_funnel ORDER BY registered DESC, event_id LIMIT 3"
    return (event_id for (event_id,) in ask(settings, sql) if event_id != "unknown")


def test_parts_of_the_organisations_answer_have_its_figures(api: Api, everything: dict[str, str]) -> None:
    said = _get(api, everything, "/api/pipeline/analytics", period="year", granularity="week", top=5).json()
    parts = {
        part: read(
            "json",
            _get(
                api, everything, f"{EXPORTS}/analytics/{part}", format="json", period="year", granularity="week", top=5
            ).content,
        )
        for part in ("trend", "totals", "top_events")
    }
    assert parts["trend"] == said["trend"]
    now, before = parts["totals"]
    for row, totals in ((now, said["totals"]), (before, said["comparison"]["totals"])):
        assert row["registrations"] == totals["registrations"]
        assert (row["revenue_minor"], row["currency"]) == tuple(totals["revenue"].values())
        assert row["attendance_rate"] == totals["attendance"]["rate"]
    assert [(row["event_id"], row["revenue_minor"]) for row in parts["top_events"]] == [
        (event["event_id"], event["revenue"]["amount_minor"]) for event in said["top_events"]
    ]


def test_parts_of_an_event_have_its_figures(api: Api, everything: dict[str, str], settings: Settings) -> None:
    for event_id in _events(settings):
        said = _get(api, everything, f"/api/pipeline/events/{event_id}/analytics").json()
        parts = {
            part: read(
                "json",
                _get(api, everything, f"{EXPORTS}/analytics/{part}", format="json", event_id=event_id).content,
            )
            for part in get_args(EventPart)
        }
        assert parts["pace"] == said["pace"]["points"]
        assert parts["arrivals"] == said["arrivals"]
        assert parts["email_funnel"] == [said["email_funnel"]]
        assert [(p["payment_status"], p["payments"], p["revenue_minor"]) for p in parts["payments"]] == [
            (p["payment_status"], p["payments"], p["revenue"]["amount_minor"]) for p in said["payments"]
        ]


def test_all_events_are_one_export(api: Api, everything: dict[str, str], settings: Settings) -> None:
    rows = read("csv", _get(api, everything, f"{EXPORTS}/analytics/events", format="csv").content)
    ((expected,),) = ask(settings, "SELECT count(*) FROM warehouse.core.dim_events WHERE event_id <> 'unknown'")
    assert len(rows) == expected
    assert {"event_id", "title", "registrations", "revenue_minor", "currency"} <= rows[0].keys()


def test_a_part_of_an_event_needs_one_that_exists(api: Api, everything: dict[str, str]) -> None:
    path = f"{EXPORTS}/analytics/pace"
    assert "event_id" in _problem(api.http.get(path, params={"format": "csv"}, headers=everything), 422, "invalid")
    wrong = api.http.get(path, params={"format": "csv", "event_id": "x"}, headers=everything)
    _problem(wrong, 404, "not-found")


@pytest.mark.parametrize("model", [TrendPoint, PeriodTotals, TopEvent, Event, PacePoint, Arrival, PaymentState])
def test_a_part_without_rows_has_its_columns(model: type[BaseModel]) -> None:
    schema = flat_table(model, []).schema
    assert len(set(schema.names)) == len(schema.names) >= 4
    assert not any(pa.types.is_nested(field.type) for field in schema)


def test_more_rows_than_are_answered_at_once_are_left_to_the_background(settings: Settings) -> None:
    with running_api(_settings(settings, stream_rows=10)) as api:
        headers = api.headers("export")
        answer = api.http.get(REGISTRATIONS, params={"format": "csv"}, headers=headers)
        assert "POST /api/pipeline/exports" in _problem(answer, 422, "too-many-rows")
        few = {"format": "csv", "event_id": "nobody"}
        assert api.http.get(REGISTRATIONS, params=few, headers=headers).status_code == 200


def test_as_many_exports_as_may_are_answered_at_a_time(settings: Settings) -> None:
    with running_api(_settings(settings, streams=1)) as api:
        headers = api.headers("export")
        with api.services.export_places.one():
            answer = api.http.get(REGISTRATIONS, params={"format": "csv"}, headers=headers)
            _problem(answer, 503, "busy")
            assert answer.headers["retry-after"]
        for _ in range(3):
            wrong = api.http.get(REGISTRATIONS, params={"format": "csv", "columns": "x"}, headers=headers)
            _problem(wrong, 422, "invalid")
            assert api.http.get(REGISTRATIONS, params={"format": "csv"}, headers=headers).status_code == 200
