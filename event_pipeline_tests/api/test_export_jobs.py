"""Files made in the background: followed, downloaded, resumed, stopped, expired; and what a restart leaves of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from event_pipeline.api.database import Database
from event_pipeline.api.exports.source import Source, table_source
from event_pipeline.api.exports.store import ExportStore
from event_pipeline.api.exports.tables import Selection
from event_pipeline.api.reader import Reader
from event_pipeline.settings import Settings
from event_pipeline.settings.exports import Exports
from event_pipeline.settings.sql import Sql
from event_pipeline.sqlite import stamp
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline_tests.api.organisation import Api, ask, running_api, settings_for
from event_pipeline_tests.exports.written import csv_rows, excel_sheets, read

EXPORTS = "/api/pipeline/exports"
TABLE = {"format": "csv", "table": {"name": "core.fact_registrations"}}
PATIENCE_SECONDS = 120
SCHEMA = pa.schema({"n": pa.int64()})


def _post(api: Api, headers: dict[str, str], wanted: dict[str, Any]) -> dict[str, Any]:
    answer = api.http.post(EXPORTS, json=wanted, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"{EXPORTS}/{answer.json()['export_id']}"
    return answer.json()


def _until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come about")


def _ended(api: Api, headers: dict[str, str], export_id: str) -> dict[str, Any]:
    def look() -> Any:
        said = api.http.get(f"{EXPORTS}/{export_id}", headers=headers).json()
        return said if said["state"] not in ("waiting", "running") else None

    return _until(look)


class _Endless:
    """Batches that go on until nobody wants them; says when reading began and whether it was told to stop."""

    def __init__(self) -> None:
        self.begun, self.told = threading.Event(), threading.Event()

    @contextmanager
    def source(self) -> Iterator[Source]:
        yield Source(SCHEMA, self._batches(), 10**9, 7, self.told.set)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        while not self.told.is_set():
            self.begun.set()
            yield pa.record_batch([pa.array(range(1_000))], schema=SCHEMA)
            self.told.wait(0.01)


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> _Endless:
    made = _Endless()
    monkeypatch.setattr("event_pipeline.api.app.open_export", lambda *_: made.source())
    return made


def _settings(settings: Settings, **exports: Any) -> Settings:
    return settings_for(settings.data_dir).model_copy(update={"exports": Exports(**exports)})


@pytest.mark.parametrize("name", ["csv", "xlsx", "parquet"])
def test_a_table_is_made_followed_and_downloaded(api: Api, settings: Settings, name: Any) -> None:
    headers = api.headers("export")
    asked = _post(api, headers, TABLE | {"format": name})
    assert (asked["state"], asked["what"], asked["file"]) == ("waiting", "core.fact_registrations", None)
    said = _ended(api, headers, asked["export_id"])
    ((rows,),) = ask(settings, "SELECT count(*) FROM warehouse.core.fact_registrations")
    assert (said["state"], said["rows"], said["progress"], said["problem"]) == ("done", rows, 1.0, "")
    assert said["snapshot"] > 0
    answer = api.http.get(said["file"], headers=headers)
    assert len(answer.content) == said["bytes"] == int(answer.headers["content-length"])
    assert "core.fact_registrations-" in answer.headers["content-disposition"]
    ids = {row["registration_id"].removeprefix("'") for row in read(name, answer.content)}
    assert ids == {i for (i,) in ask(settings, "SELECT registration_id FROM warehouse.core.fact_registrations")}


def test_a_download_goes_on_where_it_was_cut_off(api: Api) -> None:
    headers = api.headers("export")
    said = _ended(api, headers, _post(api, headers, TABLE)["export_id"])
    whole = api.http.get(said["file"], headers=headers)
    rest = {"Range": "bytes=100-", "If-Range": whole.headers["etag"]}
    answer = api.http.get(said["file"], headers=headers | rest)
    assert (answer.status_code, answer.content) == (206, whole.content[100:])


@pytest.mark.parametrize("wanted", ["bytes=999999999-", "bytes=9-2", "lines=1-2", "bytes=", "everything"])
def test_bytes_that_are_not_there_are_a_problem(api: Api, wanted: str) -> None:
    headers = api.headers("export")
    said = _ended(api, headers, _post(api, headers, TABLE)["export_id"])
    answer = api.http.get(said["file"], headers=headers | {"Range": wanted})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{said['bytes']}")
    assert answer.json()["type"] == "urn:event-pipeline:problem:wrong-range"


def test_an_answers_part_is_made_too(api: Api) -> None:
    headers = api.headers("export", "read")
    wanted = {"format": "xlsx", "analytics": {"part": "trend", "period": "week"}}
    said = _ended(api, headers, _post(api, headers, wanted)["export_id"])
    rows = excel_sheets(api.http.get(said["file"], headers=headers).content)["Rows 1"]
    trend = api.http.get("/api/pipeline/analytics", params={"period": "week"}, headers=headers).json()["trend"]
    column = rows[0].index("registrations")
    assert [row[column] for row in rows[1:]] == [point["registrations"] for point in trend]


def test_a_querys_rows_are_all_exported_whatever_answers_are_cut_off_at(copied: Settings) -> None:
    settings = copied.model_copy(update={"sql": Sql(rows=10)})
    query = {"sql": "SELECT range AS n, -range AS m, $text AS t FROM range(30000) ORDER BY n", "params": {"text": "=1"}}
    with running_api(settings) as api:
        headers = api.headers("export", "sql")
        said = _ended(api, headers, _post(api, headers, {"format": "csv", "query": query})["export_id"])
        assert (said["state"], said["what"], said["rows"], said["progress"]) == ("done", "query", 30_000, 1.0)
        rows = csv_rows(api.http.get(said["file"], headers=headers).content)
        assert rows == [["n", "m", "t"], *([str(n), str(-n), "'=1"] for n in range(30_000))]
        failing = {"format": "csv", "query": {"sql": "SELECT error('it is so') FROM range(5)"}}
        failed = _ended(api, headers, _post(api, headers, failing)["export_id"])
        assert (failed["state"], "it is so" in failed["problem"]) == ("failed", True)
        endless = {"sql": "SELECT count(*) FROM range(1000000000) a, range(1000000000) b"}
        export_id = _post(api, headers, {"format": "csv", "query": endless})["export_id"]
        _until(lambda: api.http.get(f"{EXPORTS}/{export_id}", headers=headers).json()["state"] == "running")
        assert api.http.delete(f"{EXPORTS}/{export_id}", headers=headers).status_code == 204
        small = {"format": "csv", "query": {"sql": "SELECT 1 AS one"}}
        assert _ended(api, headers, _post(api, headers, small)["export_id"])["state"] == "done"


@pytest.mark.parametrize(
    ("sql", "status", "kind", "said"),
    [
        ("SELEC 1", 422, "query-invalid", "SELEC"),
        ("SELECT nothing FROM core.dim_events", 422, "query-invalid", "line 1, column 8"),
        ("DROP TABLE core.dim_events", 403, "query-refused", "SELECT"),
        ("SELECT * FROM read_csv('/etc/passwd')", 403, "query-refused", "read_csv"),
    ],
)
def test_a_query_that_cannot_run_is_refused_at_once(api: Api, sql: str, status: int, kind: str, said: str) -> None:
    headers = api.headers("export", "sql")
    answer = api.http.post(EXPORTS, json={"format": "csv", "query": {"sql": sql}}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:event-pipeline:problem:{kind}")
    assert said in answer.json()["detail"]
    assert api.http.get(EXPORTS, headers=headers).json()["items"] == []


def test_a_query_needs_the_scope_of_queries_too(api: Api) -> None:
    wanted = {"format": "csv", "query": {"sql": "SELECT 1 AS one"}}
    answer = api.http.post(EXPORTS, json=wanted, headers=api.headers("export", "read", "admin"))
    assert answer.status_code == 403
    assert "scope sql" in answer.json()["detail"]
    assert api.http.post(EXPORTS, json=wanted, headers=api.headers("sql")).status_code == 403


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"format": "csv"}, 422),
        ({"format": "csv", "table": {"name": "core.dim_events"}, "analytics": {"part": "trend"}}, 422),
        ({"format": "csv", "table": {"name": "core.dim_events", "columns": ["nothing"]}}, 422),
        ({"format": "csv", "table": {"name": "people.people"}}, 404),
        ({"format": "csv", "analytics": {"part": "pace"}}, 422),
        ({"format": "csv", "analytics": {"part": "pace", "event_id": "x"}}, 404),
        ({"format": "csv", "query": {"sql": "SELECT $1", "params": [2**70]}}, 422),
        ({"format": "doc", "table": {"name": "core.dim_events"}}, 422),
    ],
)
def test_what_cannot_be_made_is_refused_at_once(api: Api, wanted: dict[str, Any], status: int) -> None:
    headers = api.headers("export", "sql")
    assert api.http.post(EXPORTS, json=wanted, headers=headers).status_code == status
    assert api.http.get(EXPORTS, headers=headers).json()["items"] == []


def test_exports_are_seen_by_their_own_key_alone(api: Api) -> None:
    mine, other = api.headers("export"), api.headers()
    said = _ended(api, mine, _post(api, mine, TABLE)["export_id"])
    for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", "")):
        answer = api.http.request(method, f"{EXPORTS}/{said['export_id']}{path}", headers=other)
        assert answer.status_code == 404
    assert said["export_id"] not in api.http.get(EXPORTS, headers=other).text
    assert api.http.get(said["file"], headers=mine).status_code == 200


def test_a_list_goes_page_by_page_the_newest_first(api: Api) -> None:
    headers = api.headers("export")
    asked = [_post(api, headers, {"format": "csv", "table": {"name": "core.dim_clubs"}})["export_id"] for _ in range(3)]
    found, cursor = [], None
    while not found or cursor:
        page = api.http.get(EXPORTS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}), headers=headers)
        found += [item["export_id"] for item in page.json()["items"]]
        cursor = page.json()["next_cursor"]
    assert found == asked[::-1]


def test_who_asked_what_was_made_and_who_took_it_are_audited(api: Api) -> None:
    headers = api.headers("export", "admin")
    said = _ended(api, headers, _post(api, headers, TABLE)["export_id"])
    api.http.get(said["file"], headers=headers)
    api.http.delete(f"{EXPORTS}/{said['export_id']}", headers=headers)
    key_id = headers["Authorization"][7:18]
    entries = api.http.get("/api/pipeline/audit", params={"limit": 50}, headers=headers).json()["items"]
    mine = [entry for entry in entries if entry["actor"] == key_id][::-1]
    assert [entry["action"] for entry in mine] == ["export", "export_made", "download_export", "delete_export"]
    assert mine[0]["details"] == TABLE | {"export_id": said["export_id"]}
    assert mine[1]["details"]["rows"] == mine[2]["details"]["rows"] == said["rows"]


def test_asked_twice_with_one_key_it_is_made_once(api: Api) -> None:
    headers = api.headers("export") | {"Idempotency-Key": "the-same"}
    first, second = (_post(api, headers, TABLE) for _ in range(2))
    assert first["export_id"] == second["export_id"]


def _files_of(api: Api, export_id: str) -> list[Path]:
    return list(api.services.exports.folder.path.glob(f"{export_id}*"))


def test_one_that_is_being_made_tells_how_far_it_is_and_is_stopped_by_deleting_it(api: Api, endless: _Endless) -> None:
    headers = api.headers("export")
    export_id = _post(api, headers, TABLE)["export_id"]
    path = f"{EXPORTS}/{export_id}"
    said = _until(lambda: (s := api.http.get(path, headers=headers).json())["rows"] > 0 and s)
    assert (said["state"], said["rows_total"], said["snapshot"]) == ("running", 10**9, 7)
    assert 0 <= said["progress"] < 1
    early = api.http.get(f"{path}/file", headers=headers)
    assert (early.status_code, early.json()["type"]) == (409, "urn:event-pipeline:problem:conflict")
    assert api.http.delete(path, headers=headers).status_code == 204
    assert endless.told.wait(PATIENCE_SECONDS)
    assert api.http.get(path, headers=headers).status_code == 404
    _until(lambda: not _files_of(api, export_id))


def test_one_that_waits_is_never_made_once_deleted(api: Api, endless: _Endless) -> None:
    headers = api.headers("export")
    first, second = (_post(api, headers, TABLE)["export_id"] for _ in range(2))
    assert endless.begun.wait(PATIENCE_SECONDS)
    for export_id in (second, first):
        assert api.http.delete(f"{EXPORTS}/{export_id}", headers=headers).status_code == 204
    assert api.http.get(EXPORTS, headers=headers).json()["items"] == []
    third = _post(api, headers, TABLE)["export_id"]
    assert _ended(api, headers, third)["state"] == "done"
    assert not _files_of(api, second)


def test_more_than_may_wait_are_refused(copied: Settings, endless: _Endless) -> None:
    with running_api(_settings(copied, waiting=1)) as api:
        headers = api.headers("export")
        for _ in range(2):
            _post(api, headers, TABLE)
        assert endless.begun.wait(PATIENCE_SECONDS)
        answer = api.http.post(EXPORTS, json=TABLE, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:event-pipeline:problem:busy")


@pytest.mark.parametrize(
    ("limits", "said"), [({"job_seconds": 0.3}, "exports.job_seconds"), ({"folder_megabytes": 1}, "delete some")]
)
def test_limits_end_an_export_and_say_which(
    copied: Settings, endless: _Endless, limits: dict[str, Any], said: str
) -> None:
    with running_api(_settings(copied, **limits)) as api:
        if "folder_megabytes" in limits:
            (api.services.exports.folder.path / "other.csv").write_bytes(bytes(1_000_001))
        headers = api.headers("export")
        failed = _ended(api, headers, _post(api, headers, TABLE)["export_id"])
        assert failed["state"] == "failed"
        assert said in failed["problem"]
        assert api.http.get(f"{EXPORTS}/{failed['export_id']}/file", headers=headers).status_code == 409


def test_what_cannot_be_written_fails_its_export_alone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = api.headers("export")
    wide = pa.schema([(str(at), pa.int64()) for at in range(16_385)])

    @contextmanager
    def too_wide() -> Iterator[Source]:
        yield Source(wide, [], 0, 1, lambda: None)

    monkeypatch.setattr("event_pipeline.api.app.open_export", lambda *_: too_wide())
    failed = _ended(api, headers, _post(api, headers, TABLE | {"format": "xlsx"})["export_id"])
    assert (failed["state"], "choose fewer" in failed["problem"]) == ("failed", True)
    monkeypatch.undo()
    assert _ended(api, headers, _post(api, headers, TABLE)["export_id"])["state"] == "done"


def test_a_fault_of_ours_is_in_the_log_and_not_in_the_answer(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr("event_pipeline.api.app.open_export", fail)
    headers = api.headers("export")
    failed = _ended(api, headers, _post(api, headers, TABLE)["export_id"])
    assert (failed["state"], "secret" in failed["problem"]) == ("failed", False)
    assert failed["export_id"] in failed["problem"]
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_a_file_is_deleted_when_its_time_has_come(api: Api) -> None:
    headers = api.headers("export")
    said = _ended(api, headers, _post(api, headers, TABLE)["export_id"])
    left = datetime.fromisoformat(said["expires_at"]) - datetime.fromisoformat(said["finished_at"])
    assert abs(left - timedelta(hours=24)) < timedelta(seconds=5)
    set_to = "UPDATE exports SET {} = ? WHERE export_id = ?"
    api.services.database.execute(set_to.format("expires_at"), (stamp(datetime.now(UTC)), said["export_id"]))
    answer = api.http.get(said["file"], headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:event-pipeline:problem:gone")
    assert not _files_of(api, said["export_id"])
    assert api.http.get(f"{EXPORTS}/{said['export_id']}", headers=headers).json()["state"] == "expired"
    old = stamp(datetime.now(UTC) - timedelta(days=8))
    api.services.database.execute(set_to.format("finished_at"), (old, said["export_id"]))
    assert api.http.get(EXPORTS, headers=headers).json()["items"] == []


def test_stopping_the_api_fails_what_is_unfinished_and_keeps_what_is_done(copied: Settings, endless: _Endless) -> None:
    with running_api(copied) as api:
        secret = api.key("export")
        headers = {"X-API-Key": secret}
        running, waiting = (_post(api, headers, TABLE)["export_id"] for _ in range(2))
        assert endless.begun.wait(PATIENCE_SECONDS)
    with running_api(copied) as api:
        for export_id in (running, waiting):
            said = api.http.get(f"{EXPORTS}/{export_id}", headers=headers).json()
            assert (said["state"], "ask for it again" in said["problem"]) == ("failed", True)
        assert list(api.services.exports.folder.path.iterdir()) == []


def test_a_process_that_was_killed_leaves_failed_exports_and_no_files(copied: Settings) -> None:
    with running_api(copied) as api:
        secret = api.key("export")
        headers = {"X-API-Key": secret}
        done = _ended(api, headers, _post(api, headers, TABLE)["export_id"])
        folder = api.services.exports.folder.path
    database = Database(copied)
    store = ExportStore(database)
    dead, alive = (store.add(secret[:11], TABLE, "core.fact_registrations", "csv") for _ in range(2))
    database.execute("UPDATE exports SET owner = '4194304@1.00' WHERE export_id = ?", (dead.export_id,))
    database.close()
    (folder / f"{dead.export_id}.part").write_bytes(b"x")
    (folder / "ex_nobodyknowsthis1.csv").write_bytes(b"x")
    with running_api(copied) as api:
        states = {i["export_id"]: i["state"] for i in api.http.get(EXPORTS, headers=headers).json()["items"]}
        assert states == {done["export_id"]: "done", dead.export_id: "failed", alive.export_id: "waiting"}
        assert [path.name for path in folder.iterdir()] == [f"{done['export_id']}.csv"]


def test_files_are_for_who_runs_the_api_alone(api: Api) -> None:
    folder = api.services.exports.folder.path
    assert folder.stat().st_mode & 0o077 == 0


def test_a_table_is_of_one_snapshot_however_late_it_is_read(copied: Settings) -> None:
    registrations = Selection("core.fact_registrations")
    reader = Reader(copied, ("warehouse",))
    try:
        with table_source(reader, registrations, "UTC") as source:
            with connect(copied) as connection, write_transaction(connection, copied):
                connection.execute("DELETE FROM warehouse.core.fact_registrations")
            assert sum(batch.num_rows for batch in source.batches) == source.rows
            assert (source.rows or 0) > 0
        with table_source(reader, registrations, "UTC", at_snapshot=source.snapshot) as again:
            assert again.rows == source.rows
        with table_source(reader, registrations, "UTC") as now:
            assert now.rows == 0
    finally:
        reader.close()
