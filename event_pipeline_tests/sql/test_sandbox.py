"""Queries run in workers that are replaced when they are killed, and wait for each other in order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.core import DIM_CLUBS, DIM_EVENTS
from event_pipeline.sql import (
    BusySandboxError,
    Caps,
    HeavyQueryError,
    InvalidQueryError,
    Query,
    Sandbox,
    SlowQueryError,
    UnreadyWarehouseError,
)
from event_pipeline.sql.query import Shape
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.tables import create_tables
from event_pipeline_tests.sql.conftest import Run, settings_for, worker_ids

ENDLESS = "SELECT count(*) FROM range(1000000000000) t(a) WHERE a % 7 = 3"
DEAF = "SELECT levenshtein(repeat('a', 400000), repeat('b', 400000))"
"""DuckDB looks for interruptions between chunks of rows only."""

SHAPES: tuple[Shape, ...] = ("arrow", "json", "ndjson", "csv")


@contextmanager
def _sandbox(folder: Path, **sql: Any) -> Iterator[Sandbox]:
    made = Sandbox(settings_for(folder, **sql))
    try:
        yield made
    finally:
        made.close()


def _count(sandbox: Sandbox) -> int:
    with sandbox.stream(Query("SELECT count(*) FROM dim_events")) as result:
        return sum(batch.column(0)[0].as_py() for batch in result.batches())


def test_tables_are_found_with_and_without_their_schema(run: Run) -> None:
    for name in ("dim_events", "core.dim_events", "warehouse.core.dim_events", '"DIM_EVENTS"'):
        assert run(f"SELECT count(*) FROM {name}") == [[3]]


def test_rows_come_as_arrow_batches_with_their_columns(sandbox: Sandbox) -> None:
    with sandbox.stream(Query("SELECT event_id, fee_minor FROM dim_events ORDER BY event_id")) as result:
        assert [(column.name, column.type) for column in result.columns] == [
            ("event_id", "VARCHAR"),
            ("fee_minor", "BIGINT"),
        ]
        assert result.schema.names == ["event_id", "fee_minor"]
        rows = [row for batch in result.batches() for row in batch.to_pylist()]
    assert rows[0] == {"event_id": "e1", "fee_minor": 100}
    assert (result.rows, result.truncated) == (3, False)


def test_an_answer_is_cut_off_after_its_rows(sandbox: Sandbox) -> None:
    for shape in SHAPES:
        with sandbox.stream(Query("FROM dim_events"), Caps(20, 2, None), shape) as result:
            assert b"".join(result.chunks())
        assert (result.rows, result.truncated) == (2, True)


def test_an_answer_of_just_as_many_rows_is_whole(sandbox: Sandbox) -> None:
    with sandbox.stream(Query("FROM dim_events"), Caps(20, 3, None), "json") as result:
        list(result.chunks())
    assert (result.rows, result.truncated) == (3, False)


def test_an_answer_is_cut_off_after_its_bytes(sandbox: Sandbox) -> None:
    for shape in SHAPES:
        with sandbox.stream(
            Query("SELECT repeat('x', 1000) FROM range(5000)"), Caps(20, None, 100_000), shape
        ) as result:
            sent = sum(map(len, result.chunks()))
        assert result.truncated
        assert 90 < result.rows <= 100
        assert sent < 120_000


def test_a_long_answer_comes_in_pieces_while_it_is_worked_out(sandbox: Sandbox) -> None:
    with sandbox.stream(Query("SELECT * FROM range(10000000000)"), Caps(20, None, None)) as result:
        batches = result.batches()
        assert [next(batches).num_rows > 0 for _ in range(3)] == [True] * 3
    assert _count(sandbox) == 3


@pytest.mark.parametrize(("sql", "is_killed"), [(ENDLESS, False), (DEAF, True)], ids=["heeding", "deaf"])
def test_a_query_is_stopped_at_its_deadline_and_the_next_one_runs(folder: Path, sql: str, is_killed: bool) -> None:
    with _sandbox(folder, workers=1) as sandbox:
        assert _count(sandbox) == 3
        before = worker_ids()
        with pytest.raises(SlowQueryError, match="1 s"), sandbox.stream(Query(sql), Caps(1, None, None)) as result:
            list(result.batches())
        assert _count(sandbox) == 3
        assert len(before - worker_ids()) == is_killed


def test_a_query_that_takes_too_much_memory_fails_and_the_next_one_runs(folder: Path) -> None:
    with _sandbox(folder, workers=1, memory_megabytes=64) as sandbox:
        with (
            pytest.raises(HeavyQueryError),
            sandbox.stream(Query("SELECT list(a) FROM range(100000000) t(a)")) as result,
        ):
            list(result.batches())
        assert _count(sandbox) == 3


def test_a_worker_that_was_killed_while_idle_is_replaced_unnoticed(folder: Path) -> None:
    with _sandbox(folder, workers=1) as sandbox:
        assert _count(sandbox) == 3
        (worker,) = sandbox._workers
        process = worker._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert _count(sandbox) == 3


def test_a_worker_killed_at_work_fails_that_query_only(folder: Path) -> None:
    with _sandbox(folder, workers=1) as sandbox:
        with sandbox.stream(Query("SELECT * FROM range(10000000000)")) as result:
            process = sandbox._workers[0]._process
            assert process is not None
            os.kill(process.pid, signal.SIGKILL)
            with pytest.raises(HeavyQueryError):
                list(result.batches())
        assert _count(sandbox) == 3


def test_a_query_that_fails_leaves_its_worker_as_it_was(folder: Path) -> None:
    with _sandbox(folder, workers=1) as sandbox:
        assert _count(sandbox) == 3
        process = sandbox._workers[0]._process
        for _ in range(3):
            with pytest.raises(InvalidQueryError), sandbox.stream(Query("SELECT nothing FROM dim_events")):
                pass
        assert _count(sandbox) == 3
        assert sandbox._workers[0]._process is process


def test_as_many_wait_as_may_and_the_next_is_refused(folder: Path) -> None:
    with _sandbox(folder, workers=1, waiting=1) as sandbox:
        answers: list[int] = []
        with sandbox.stream(Query("SELECT * FROM range(10000000000)")):
            waiting = threading.Thread(target=lambda: answers.append(_count(sandbox)))
            waiting.start()
            while sandbox._waiting == 0:
                assert waiting.is_alive()
            with pytest.raises(BusySandboxError), sandbox.stream(Query("SELECT 1")):
                pass
        waiting.join(60)
        assert answers == [3]


def test_what_was_committed_since_is_seen_and_new_tables_too(folder: Path, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, workers=1)
    with connect(settings) as connection, write_transaction(connection, settings):
        create_tables(connection, [DIM_EVENTS])
    with _sandbox(tmp_path, workers=1) as sandbox:
        assert _count(sandbox) == 0
        _add(settings, DIM_EVENTS, "event_id")
        assert _count(sandbox) == 1
        with pytest.raises(InvalidQueryError, match="no table"), sandbox.stream(Query("FROM dim_clubs")):
            pass
        _add(settings, DIM_CLUBS, "club_id")
        with sandbox.stream(Query("FROM dim_clubs")) as result:
            assert sum(batch.num_rows for batch in result.batches()) == 1


def _add(settings: Any, contract: Contract, column: str) -> None:
    with connect(settings) as connection, write_transaction(connection, settings):
        create_tables(connection, [contract])
        connection.execute(f"INSERT INTO {contract.qualified} BY NAME SELECT 'x' AS {column}")


def test_without_a_warehouse_it_says_so(tmp_path: Path) -> None:
    with _sandbox(tmp_path) as sandbox, pytest.raises(UnreadyWarehouseError, match="make up"):
        _count(sandbox)


def test_closing_leaves_no_process(folder: Path) -> None:
    before = worker_ids()
    with _sandbox(folder, workers=2) as sandbox:
        assert _count(sandbox) == 3
        assert worker_ids() - before
    assert worker_ids() <= before


def test_a_text_that_is_too_long_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with _sandbox(tmp_path, characters=100) as sandbox, pytest.raises(InvalidQueryError, match="101 characters"):
        sandbox.stream(Query("x" * 101)).__enter__()
