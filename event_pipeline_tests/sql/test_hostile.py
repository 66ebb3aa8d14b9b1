"""Each hostile statement is refused in words that give nothing away, and nothing is read or written outside."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from event_pipeline.sql import Dialect, InvalidQueryError, Query, RefusedQueryError, Sandbox
from event_pipeline_tests.sql.conftest import PERSON, Run, settings_for
from event_pipeline_tests.sql.corpus_hostile import FILES_IN, HOSTILE

Contents = dict[str, tuple[int, int]]


def _contents(folder: Path) -> Contents:
    """Every file with its size and when it was written, but for what SQLite keeps of its readers."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix not in {".sqlite-shm", ".sqlite-wal"}:
            state = path.stat()
            found[str(path)] = (state.st_size, state.st_mtime_ns)
    return found


@pytest.fixture(scope="module", autouse=True)
def untouched(folder: Path) -> Iterator[None]:
    """Nothing in the data folder, nor beside it, is another after all of them."""
    before = _contents(folder), set(folder.parent.iterdir()), set(Path("/dev/shm").iterdir())
    yield
    assert (_contents(folder), set(folder.parent.iterdir()), set(Path("/dev/shm").iterdir())) == before


def _placed(statement: str, folder: Path) -> str:
    """With the real paths, so that it would succeed if it were let."""
    file, own = (next((folder / "storage" / catalog).rglob("*.parquet")) for catalog in ("lake", "warehouse"))
    return statement.replace("{data}", str(folder)).replace("{file}", str(file)).replace("{own}", str(own))


def test_there_are_more_than_a_hundred() -> None:
    assert len(HOSTILE) > 100
    assert [statement for statement, count in Counter(HOSTILE).items() if count > 1] == []


@pytest.mark.parametrize("statement", HOSTILE)
def test_a_hostile_statement_is_refused(sandbox: Sandbox, folder: Path, statement: str) -> None:
    sql = _placed(statement, folder)
    with pytest.raises(InvalidQueryError) as raised, sandbox.stream(Query(sql)) as result:
        list(result.batches())
    said = str(raised.value).replace(sql, "")
    assert PERSON not in said
    assert str(folder.parent) not in said.replace(str(folder), "", 1 if str(folder) in sql else 0)
    assert os.environ.get("HOME", "/root") not in said


@pytest.mark.parametrize("dialect", ["sqlite", "postgres", "bigquery"])
def test_in_another_dialect_they_open_nothing_either(sandbox: Sandbox, folder: Path, dialect: Dialect) -> None:
    for statement in HOSTILE:
        sql = _placed(statement, folder)
        try:
            with sandbox.stream(Query(sql, dialect=dialect), shape="json") as result:
                answered = b"".join(result.chunks()).decode()
        except InvalidQueryError:
            continue
        # What another dialect reads as harmless, such as an alias, is answered; the answer holds nothing of files.
        assert PERSON not in answered
        assert "root:" not in answered
        assert str(folder) not in answered.replace(sql, "")


def test_explaining_a_hostile_statement_is_refused_as_running_it(sandbox: Sandbox, folder: Path) -> None:
    for statement in FILES_IN:
        with pytest.raises(InvalidQueryError), sandbox.stream(Query(_placed(statement, folder), explain=True)):
            pass


def test_a_hostile_value_is_only_a_value(run: Run) -> None:
    for value in ("'; DROP TABLE dim_events; --", "read_text('/etc/passwd')", "../../lake", "{0}", "%s", "\x00"):
        assert run("SELECT $v", {"v": value}) == [[value]]


def test_the_name_that_is_in_the_lake_is_in_no_table(run: Run, sandbox: Sandbox) -> None:
    tables = run("SELECT 'core.dim_events' UNION ALL SELECT 'core.fact_registrations'")
    for (table,) in tables:
        assert PERSON not in str(run(f"FROM {table}"))


def test_a_name_that_a_query_gives_itself_is_no_file(run: Run) -> None:
    assert run("WITH \"/etc/passwd\" AS (SELECT 1 AS x) SELECT x FROM '/etc/passwd'") == [[1]]
    assert run("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) FROM n") == [
        [1],
        [2],
        [3],
    ]


def test_such_a_name_does_not_reach_beyond_its_query(run: Run) -> None:
    with pytest.raises(InvalidQueryError, match="no table"):
        run("SELECT (WITH x AS (SELECT 1 AS i) SELECT i FROM x), (SELECT count(*) FROM x)")


def test_a_worker_knows_no_variable_of_its_parent(run: Run, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PIPELINE_IDENTITY_KEY", "a key that nobody may see")
    sandbox = Sandbox(settings_for(folder, workers=1))
    try:
        with sandbox.stream(Query("SELECT 1")) as result:
            process = sandbox._workers[0]._process
            assert process is not None
            environment = psutil.Process(process.pid).environ()
            list(result.batches())
    finally:
        sandbox.close()
    assert {name for name in environment if name.startswith("PIPELINE_")} == {"PIPELINE_CONFIG_FILE"}
    assert "a key that nobody may see" not in environment.values()


def test_what_a_worker_refuses_is_told_as_refused(sandbox: Sandbox) -> None:
    for sql in (
        "COPY (SELECT 1) TO 'x'",
        "SELECT getenv('x')",
        "FROM read_text('x')",
        "SELECT 1; SELECT 2",
        "SHOW TABLES",
    ):
        with pytest.raises(RefusedQueryError), sandbox.stream(Query(sql)):
            pass
