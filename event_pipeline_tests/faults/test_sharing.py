"""The worker under load beside everybody else: runs, maintenance, readers, deliveries repeated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.increments.driver import Driver
from event_pipeline.increments.rebuild import rebuild
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect, ibis_backend
from event_pipeline.warehouse.lake import Lake
from event_pipeline.warehouse.maintenance import maintain
from event_pipeline_tests.faults.verdict import differences
from event_pipeline_tests.stream.conftest import SharedCommits, _short_waits, shared, worked
from event_pipeline_tests.stream.live import FakeSource, registrations, running
from event_pipeline_tests.warehouse.documents import changed, registration
from event_pipeline_tests.warehouse.pipelines import Pipeline, batched
from event_pipeline_tests.warehouse.test_order_of_arrival import EDITS, STORY

__all__ = ["_short_waits", "shared", "worked"]

pytestmark = pytest.mark.usefixtures("_short_waits")

_TURNS = 3


def as_of() -> datetime:
    """This hour, as runs and the worker take it."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def assert_equals_rebuild(settings: Settings) -> None:
    with connect(settings) as opened:
        pipeline = Pipeline(ibis_backend(opened), settings)
        Driver(pipeline.backend, settings).bring_up_to_date(as_of())
        by_increments = pipeline.contents()
        rebuild(pipeline.backend, settings, as_of())
        differing = differences(by_increments, pipeline.contents())
        assert differing == {}, differing


def raw_versions(settings: Settings) -> dict[str, list[tuple[int, int]]]:
    """Rows and different versions of each raw table."""
    with connect(settings, ("lake",), read_only=True) as opened:
        return {
            name: opened.execute(
                f"SELECT count(*), count(DISTINCT (source, document_id, version)) FROM {contract.qualified}"
            ).fetchall()
            for name, contract in RAW_TABLES.items()
        }


def test_batches_delivered_three_times_and_backwards_leave_what_one_delivery_does(
    worked: Settings, shared: SharedCommits
) -> None:
    history = sorted([*STORY, *EDITS], key=lambda change: (change.source, change.collection))
    batches = [batch for start in range(0, len(history), 20) for batch in batched(history[start : start + 20])]
    with shared.open(worked) as commits:
        for batch in batches:
            commits.commit([batch], [])
        once = raw_versions(worked)
        for _ in range(3):
            commits.commit(batches[:3], [])
        for batch in reversed(batches):
            assert sum(commits.commit([batch, batch, batch], []).rows_new.values()) == 0
    assert raw_versions(worked) == once
    assert all(rows == versions for ((rows, versions),) in once.values())
    assert_equals_rebuild(worked)


class Load:
    """The worker with more to commit than it can, until the block ends."""

    def __init__(self, source: FakeSource) -> None:
        self.source, self._ended = source, threading.Event()
        source.then(lambda emit, report: self._pump(emit))

    def _pump(self, emit: Callable) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            emit(registrations(f"load-{number % 500}", status=("registered", "cancelled")[number % 2]))

    def end(self) -> None:
        self._ended.set()


@contextmanager
def loaded(settings: Settings, shared: SharedCommits) -> Iterator[FakeSource]:
    source = FakeSource()
    with running(settings, [source], open_commits=shared.open):
        load = Load(source)
        source.wait(lambda: source.done)
        try:
            yield source
        finally:
            load.end()


def test_runs_maintenance_and_readers_beside_a_worker_under_load_all_get_on(
    worked: Settings, shared: SharedCommits
) -> None:
    read: list[int] = []
    with loaded(worked, shared) as source, connect(worked) as opened, connect(worked, read_only=True) as reader:
        lake, driver = Lake(opened, worked), Driver(ibis_backend(opened), worked)
        for turn in range(_TURNS):
            committed = len(source.done)
            change = changed("registrations", f"run-{turn}", registration("run"), after=400)
            lake.commit(next(batched([change])))
            driver.bring_up_to_date(as_of())
            maintain(opened, worked)
            ((found, seen),) = reader.execute(
                "SELECT count(*) FILTER (starts_with(registration_id, 'run-')), count(*) "
                "FROM warehouse.core.fact_registrations"
            ).fetchall()
            assert found == turn + 1, "a reader sees what the run committed"
            read.append(seen)
            source.wait(lambda committed=committed: len(source.done) > committed)
    assert read == sorted(read), "rows that are there do not come and go"
    assert_equals_rebuild(worked)
