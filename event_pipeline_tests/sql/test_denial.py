"""Statements without end end: in time, in memory, and the next query is answered as before."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from event_pipeline.sql import HeavyQueryError, InvalidQueryError, Query, QueryError, Sandbox, SlowQueryError
from event_pipeline_tests.sql.conftest import settings_for
from event_pipeline_tests.sql.corpus_denial import DENIAL

WORKERS = 2
MEMORY_MEGABYTES = 96
MEGABYTES = 4
BOUNDED = (SlowQueryError, HeavyQueryError, InvalidQueryError)
"""How a statement may end, but for an answer that is cut off."""


@dataclass(frozen=True)
class Ending:
    """What came of a statement: so many bytes of rows, or why not."""

    sent_bytes: int = 0
    error: QueryError | None = None


@pytest.fixture(scope="module")
def narrow(folder: Path) -> Iterator[Sandbox]:
    """A sandbox that gives a query half a second on one processor, and little memory."""
    limits = {"seconds": 0.5, "workers": WORKERS, "threads": 1, "megabytes": MEGABYTES}
    made = Sandbox(settings_for(folder, memory_megabytes=MEMORY_MEGABYTES, **limits))
    yield made
    made.close()


@pytest.fixture(scope="module")
def endings(narrow: Sandbox) -> list[Ending]:
    """How each statement ended, as many at a time as there are workers."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda sql: _ending(narrow, sql), DENIAL))


def _ending(sandbox: Sandbox, sql: str) -> Ending:
    try:
        with sandbox.stream(Query(sql), shape="json") as result:
            return Ending(sum(map(len, result.chunks())))
    except QueryError as error:
        return Ending(error=error)


def test_there_are_more_than_thirty() -> None:
    assert len(set(DENIAL)) == len(DENIAL) > 30


@pytest.mark.parametrize("number", range(len(DENIAL)), ids=[sql[:60] for sql in DENIAL])
def test_a_statement_ends_bounded(endings: list[Ending], number: int) -> None:
    ending = endings[number]
    assert ending.error is None or isinstance(ending.error, BOUNDED), ending.error
    assert ending.sent_bytes <= MEGABYTES * 2**20


def test_they_end_in_each_of_the_ways(endings: list[Ending]) -> None:
    ways = {type(ending.error) for ending in endings}
    assert all(any(issubclass(way, bounded) for way in ways) for bounded in BOUNDED)


def test_afterwards_queries_are_answered_as_before(narrow: Sandbox, endings: list[Ending]) -> None:
    assert endings
    for _ in range(2 * WORKERS):
        with narrow.stream(Query("SELECT count(*) FROM dim_events"), shape="json") as result:
            assert b"".join(result.chunks()) == b"[3],"


def test_the_worker_of_the_next_query_is_as_confined_as_the_first(narrow: Sandbox, endings: list[Ending]) -> None:
    assert endings
    with narrow.stream(Query("SELECT 1")) as result:
        started = result._worker._process
        assert started is not None
        process = psutil.Process(started.pid)
        memory, most = process.rlimit(resource.RLIMIT_AS)
        assert memory == most != resource.RLIM_INFINITY
        assert process.rlimit(resource.RLIMIT_FSIZE) == (2**20, 2**20)
        assert process.rlimit(resource.RLIMIT_NOFILE) == (256, 256)
        assert process.rlimit(resource.RLIMIT_CORE) == (0, 0)
        assert process.nice() > psutil.Process().nice()
    assert len(narrow._workers) == WORKERS
