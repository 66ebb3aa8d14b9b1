"""Rows that break a contract are never stored: their table and those made from it keep their last good rows, every
other table goes on, and the next good change heals all of them. For increments, rebuilds and the stream worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import pytest

from event_pipeline.increments.driver import Driver
from event_pipeline.increments.kept import Kept
from event_pipeline.increments.rebuild import rebuild
from event_pipeline.models.registry import MODELS
from event_pipeline.sources.change import Change
from event_pipeline.stream import committer as committer_module
from event_pipeline.stream.committer import Committer
from event_pipeline.warehouse.connection import connect, ibis_backend
from event_pipeline_tests.warehouse.documents import changed, event, registration
from event_pipeline_tests.warehouse.pipelines import AS_OF, Pipeline, batched, real_pipeline

START = (
    changed("events", "e1", event()),
    changed("registrations", "r1", registration("asha")),
)


@dataclass(frozen=True)
class Fault:
    """A column that the test requires of a table, a document whose row lacks it, and the same document mended.

    ``kept`` are some tables made from it, ``goes_on`` some that are not; ``innocent`` is a change for those.
    """

    table: str
    column: str
    bad: tuple[Change, ...]
    mended: tuple[Change, ...]
    kept: frozenset[str]
    goes_on: tuple[str, str]


FAULTS = {
    "in the lake": Fault(
        "people.people",
        "phone",
        (changed("registrations", "r2", registration("bela", participant_phone=None), after=60),),
        (changed("registrations", "r2", registration("bela"), after=120),),
        frozenset({"people.people", "core.dim_users", "marts.agg_daily_metrics"}),
        ("staging.registrations", "core.fact_registrations"),
    ),
    "in the warehouse": Fault(
        "core.fact_registrations",
        "lead_time_days",
        (
            changed("events", "e2", event(start_date=None, end_date=None), after=60),
            changed("registrations", "r2", registration("bela", event_id="e2"), after=60),
        ),
        (changed("events", "e2", event(), after=120),),
        frozenset({"core.fact_registrations", "core.dim_users", "marts.agg_event_metrics"}),
        ("core.dim_events", "staging.registrations"),
    ),
}


class Writer(Protocol):
    """Brings changes into the tables; says which tables were kept."""

    def __call__(self, *changes: Change) -> list[Kept]: ...


@contextmanager
def by_increments(lake: Pipeline) -> Iterator[Writer]:
    driver = Driver(lake.backend, lake.settings)

    def write(*changes: Change) -> list[Kept]:
        lake.commit(*changes)
        return driver.bring_up_to_date(AS_OF).kept

    yield write


@contextmanager
def by_rebuilds(lake: Pipeline) -> Iterator[Writer]:
    def write(*changes: Change) -> list[Kept]:
        lake.commit(*changes)
        return [done for done in rebuild(lake.backend, lake.settings, AS_OF) if isinstance(done, Kept)]

    yield write


@contextmanager
def by_the_stream(lake: Pipeline) -> Iterator[Writer]:
    with (
        connect(lake.settings) as connection,
        closing(Committer(ibis_backend(connection), lake.settings, now=lambda: AS_OF)) as committer,
    ):

        def write(*changes: Change) -> list[Kept]:
            # Results that are not read to their end would keep the catalog locked.
            lake.connection.execute("SELECT 1").fetchall()
            return committer.commit(list(batched(changes)), []).kept

        yield write


WRITERS = {"increments": by_increments, "rebuilds": by_rebuilds, "the stream": by_the_stream}


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Pipeline]:
    with real_pipeline(tmp_path) as pipeline:
        yield pipeline


def require(monkeypatch: pytest.MonkeyPatch, table: str, column: str) -> None:
    """From now on the table's contract requires the column."""
    model = MODELS[table]
    columns = tuple(replace(c, nullable=False) if c.name == column else c for c in model.contract.columns)
    monkeypatch.setitem(MODELS, table, replace(model, contract=replace(model.contract, columns=columns)))


@pytest.mark.parametrize(
    ("writer", "place"),
    [("increments", "in the warehouse"), ("rebuilds", "in the lake"), ("the stream", "in the warehouse")],
)
def test_broken_rows_are_kept_out_and_the_next_good_change_heals(
    lake: Pipeline, monkeypatch: pytest.MonkeyPatch, writer: str, place: str
) -> None:
    fault = FAULTS[place]
    # A table that is behind is tried again in every batch, and not only once a minute.
    monkeypatch.setattr(committer_module, "_CALM_SECONDS", -1.0)
    require(monkeypatch, fault.table, fault.column)
    with WRITERS[writer](lake) as write:
        assert write(*START) == []
        good = lake.contents()
        kept = {done.table: done for done in write(*fault.bad)}
        broken = lake.contents()
        raw = lake.rows("raw.firebase_registrations")
        healed = write(*fault.mended)
        after = lake.contents()

    assert fault.column in kept[fault.table].message
    assert kept.keys() >= fault.kept
    assert [name for name in kept if broken[name] != good[name]] == []
    assert [name for name in fault.goes_on if broken[name] == good[name]] == []
    assert "r2" in {row["document_id"] for row in raw}
    assert healed == []
    rebuild(lake.backend, lake.settings, AS_OF)
    assert lake.contents() == after
    assert "r2" in lake.by_key("core.fact_registrations")


def test_live_batches_go_on_while_a_table_is_behind(lake: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS["in the lake"]
    require(monkeypatch, fault.table, fault.column)
    with by_the_stream(lake) as write:
        write(*START)
        assert fault.table in {done.table for done in write(*fault.bad)}
        assert write(changed("registrations", "r3", registration("chitra"), after=90)) == []
        assert write(*fault.mended) == []
        assert {"r1", "r2", "r3"} == lake.by_key("core.fact_registrations").keys()
        assert len(lake.rows(fault.table)) == 1, "it waits for a calm moment"
        assert write() == []
    people = {row["user_id"] for row in lake.rows(fault.table)}
    assert len(people) == 3
    assert people <= lake.by_key("core.dim_users").keys()


def test_a_key_that_would_occur_twice_is_kept_out(lake: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    table = "core.fact_registrations"
    contract = replace(MODELS[table].contract, key=("user_id",))
    monkeypatch.setitem(MODELS, table, replace(MODELS[table], contract=contract))
    with by_increments(lake) as write:
        assert write(*START) == []
        kept = write(
            changed("events", "e2", event(), after=60),
            changed("registrations", "r2", registration("asha", event_id="e2"), after=60),
        )
    assert "would no longer identify a row" in next(done.message for done in kept if done.table == table)
    assert lake.by_key("staging.registrations").keys() == {"r1", "r2"}
    assert [row["registration_id"] for row in lake.rows(table)] == ["r1"]
