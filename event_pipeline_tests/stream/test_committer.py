"""Micro-batches over the working copy: the tables are those of a rebuild, whatever others commit and whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import duckdb
import pytest

from event_pipeline.increments.driver import Driver
from event_pipeline.sources.change import Change
from event_pipeline.stream.committer import Committed, Committer
from event_pipeline.stream.publisher import Publisher
from event_pipeline.stream.replica_layout import replicated
from event_pipeline.stream.sources.live_source import LiveReport
from event_pipeline.warehouse.connection import connect, ibis_backend
from event_pipeline.warehouse.table_contracts import CONTRACTS
from event_pipeline_tests.warehouse.documents import changed, registration
from event_pipeline_tests.warehouse.pipelines import AS_OF, Pipeline, batched, real_pipeline
from event_pipeline_tests.warehouse.test_order_of_arrival import EDITS, STORY


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The lake as others see it: Dagster runs and readers."""
    with real_pipeline(tmp_path_factory.mktemp("lake")) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def open_committer(lake: Pipeline) -> Iterator[Callable[[], Committer]]:
    """Committers as workers have them, each over a connection of its own."""
    with ExitStack() as stack:

        def opened() -> Committer:
            connection = stack.enter_context(connect(lake.settings))
            return Committer(ibis_backend(connection), lake.settings, now=lambda: AS_OF)

        yield opened


@pytest.fixture(scope="module")
def committer(lake: Pipeline, open_committer: Callable[[], Committer]) -> Committer:
    made = open_committer()
    lake.commit(*STORY)
    assert made.catch_up().reason == "the tables were never made"
    return made


def put(committer: Committer, *changes: Change) -> Committed:
    return committer.commit(list(batched(sorted(changes, key=lambda change: (change.source, change.collection)))), [])


def copy_is_true(committer: Committer) -> None:
    """Asserts that the working copy equals the lake and the warehouse."""
    committer._replica.follow()
    for name in replicated():
        contract = CONTRACTS[name]
        listed = ", ".join(f'"{column}"' for column in contract.column_names)
        copy, stored = (
            committer._connection.execute(f"SELECT {listed} FROM {place} ORDER BY ALL").fetchall()
            for place in (f"replica.{name}", contract.qualified)
        )
        assert copy == stored, name


def test_batches_are_applied_without_a_rebuild(lake: Pipeline, committer: Committer) -> None:
    for start in range(0, len(EDITS), 5):
        done = put(committer, *EDITS[start : start + 5])
        assert done.reason == ""
        assert sum(done.rows_new.values()) == len(EDITS[start : start + 5])
    copy_is_true(committer)


def test_a_batch_delivered_again_changes_nothing(lake: Pipeline, committer: Committer) -> None:
    put(committer, fresh("again"))
    before = lake.contents()
    done = put(committer, fresh("again"), fresh("again"))
    assert (sum(done.rows_in.values()), sum(done.rows_new.values()), done.increased) == (2, 0, [])
    assert lake.contents() == before


def test_what_others_commit_is_followed_and_applied(lake: Pipeline, committer: Committer) -> None:
    lake.commit(fresh("ingested"))
    put(committer, fresh("live"))
    assert {"ingested", "live"} <= lake.by_key("core.fact_registrations").keys()
    lake.commit(fresh("refreshed"))
    Driver(lake.backend, lake.settings).bring_up_to_date(AS_OF)
    put(committer, fresh("after"))
    assert {"refreshed", "after"} <= lake.by_key("core.fact_registrations").keys()
    copy_is_true(committer)


@pytest.mark.parametrize("catalog", ["lake", "warehouse"])
def test_a_commit_that_fails_is_made_up_for(
    lake: Pipeline, committer: Committer, monkeypatch: pytest.MonkeyPatch, catalog: str
) -> None:
    def fail(self: Publisher, progress: object) -> None:
        if self._catalog == catalog:
            raise duckdb.IOException("No space left on device")
        write(self, progress)  # pyright: ignore[reportArgumentType]

    write = Publisher.set_progress
    monkeypatch.setattr(Publisher, "set_progress", fail)
    with pytest.raises(duckdb.IOException):
        put(committer, fresh(f"full-{catalog}"))
    monkeypatch.undo()
    done = put(committer, fresh(f"full-{catalog}"))
    assert sum(done.rows_new.values()) == (1 if catalog == "lake" else 0), "raw rows are in the lake once"
    assert f"full-{catalog}" in lake.by_key("core.fact_registrations")
    copy_is_true(committer)


def test_a_worker_killed_after_it_committed_finds_its_copy_behind(
    lake: Pipeline, committer: Committer, open_committer: Callable[[], Committer]
) -> None:
    put(committer, fresh("before"))
    committer.close()
    other = open_committer()
    other.catch_up()
    # As after a kill between the warehouse's commit and the copy's: the copy equals older snapshots.
    other._connection.execute("UPDATE replica.meta.synced SET snapshot = snapshot - 1")
    other.close()
    third = open_committer()
    put(third, fresh("killed"))
    copy_is_true(third)
    third.close()


def test_a_damaged_copy_is_made_again(lake: Pipeline, open_committer: Callable[[], Committer]) -> None:
    path = lake.settings.data_dir / "stream" / "replica.duckdb"
    path.write_bytes(b"not a database" * 1000)
    made = open_committer()
    put(made, fresh("damaged"))
    copy_is_true(made)
    made.close()


def test_records_tell_what_a_batch_did_and_how_sources_fare(
    lake: Pipeline, open_committer: Callable[[], Committer]
) -> None:
    made = open_committer()
    report = LiveReport("firestore", "registrations", "live", "", datetime(2026, 1, 1, tzinfo=UTC))
    worse = LiveReport("firestore", "registrations", "refused", "grant the role", datetime(2026, 1, 2, tzinfo=UTC))
    batches = list(batched([fresh("told"), changed("registrations", "garbled", {}, after=401)]))
    done = made.commit(batches, [report, worse])
    made.commit([], [worse])
    source, rows_in, rows_new, quarantined, snapshot = lake.connection.execute(
        "SELECT source, rows_in, rows_new, rows_quarantined, snapshot FROM warehouse.ops.batches "
        "ORDER BY committed_at DESC LIMIT 1"
    ).fetchall()[0]
    assert (rows_in, rows_new, quarantined, snapshot) == (2, 2, 1, done.snapshot)
    assert source == batches[0].source
    statuses = lake.connection.execute("SELECT collection, state, message FROM warehouse.ops.stream_status").fetchall()
    assert statuses == [("registrations", "refused", "grant the role")]
    made.close()


def test_after_all_of_it_the_tables_are_those_of_a_rebuild(
    lake: Pipeline, open_committer: Callable[[], Committer]
) -> None:
    made = open_committer()
    put(made, fresh("last"))
    made.commit([], [])
    found = lake.contents()
    lake.refresh()
    assert found == lake.contents()
    made.close()


def fresh(name: str) -> Change:
    return changed("registrations", name, registration(name), after=400)
