"""The driver on a real lake: what it starts from, what it applies, and when it recomputes everything instead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from event_pipeline.contracts.progress import PROGRESS
from event_pipeline.increments.driver import Driver
from event_pipeline.increments.rebuild import Rebuild, marker
from event_pipeline.settings import Organisation
from event_pipeline.sources.change import Change
from event_pipeline_tests.warehouse.documents import changed, registration
from event_pipeline_tests.warehouse.pipelines import AS_OF, Contents, Pipeline, real_pipeline
from event_pipeline_tests.warehouse.test_order_of_arrival import EDITS, STORY

BEFORE_ALL = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with real_pipeline(tmp_path_factory.mktemp("lake")) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def driver(lake: Pipeline) -> Driver:
    return Driver(lake.backend, lake.settings)


def rebuilt(pipeline: Pipeline) -> Contents:
    pipeline.refresh()
    return pipeline.contents()


def test_history_follows_from_first_load_through_edits_to_time_passing(lake: Pipeline, driver: Driver) -> None:
    lake.commit(*STORY)
    first = driver.bring_up_to_date(BEFORE_ALL)
    assert first.reason == "the tables were never made"
    nothing = driver.bring_up_to_date(BEFORE_ALL)
    assert (nothing.reason, nothing.increased) == ("", [])

    for half in (EDITS[:12], EDITS[12:]):
        lake.commit(*half)
        brought = driver.bring_up_to_date(BEFORE_ALL)
        assert brought.reason == ""
        assert {"core.fact_registrations", "marts.agg_event_metrics"} <= {done.table for done in brought.increased}
    started = driver.bring_up_to_date(AS_OF)
    assert {done.table for done in started.increased} == {
        "marts.agg_daily_metrics",
        "marts.agg_club_metrics",
        "marts.agg_registration_pace",
    }
    found = lake.contents()
    assert found == rebuilt(lake)
    assert driver.bring_up_to_date(AS_OF).increased == []


def test_a_crash_between_the_catalogs_is_resumed(lake: Pipeline, driver: Driver) -> None:
    driver.bring_up_to_date(AS_OF)
    lake.commit(*_fresh("between"))
    assert driver.apply("lake", AS_OF)
    # A new process finds the lake ahead of the warehouse.
    brought = Driver(lake.backend, lake.settings).bring_up_to_date(AS_OF)
    assert "core.fact_registrations" in {done.table for done in brought.increased}
    assert lake.contents() == rebuilt(lake)


def test_what_cannot_be_an_increment_is_a_rebuild(lake: Pipeline, driver: Driver) -> None:
    driver.bring_up_to_date(AS_OF)
    assert driver.rebuild_reason(AS_OF) == ""
    assert driver.rebuild_reason(AS_OF - timedelta(days=1)) == "the clock went back"
    elsewhere = lake.settings.model_copy(update={"organisation": Organisation(time_zone="Europe/Berlin")})
    assert Driver(lake.backend, elsewhere).rebuild_reason(AS_OF) == "models or settings changed"
    lake.connection.execute("BEGIN")
    lake.connection.execute(f"UPDATE {PROGRESS['lake'].qualified} SET consumed_snapshot = 1_000_000")
    assert driver.rebuild_reason(AS_OF) == "the lake has forgotten changes that were not applied"
    lake.connection.execute("ROLLBACK")


def test_a_rebuild_cut_short_is_done_again(lake: Pipeline, driver: Driver) -> None:
    driver.bring_up_to_date(AS_OF)
    cut = Rebuild(lake.backend, lake.settings, AS_OF)
    cut.begin()
    assert driver.rebuild_reason(AS_OF) == "", "one that runs keeps nobody from going on"
    cut.abandon()
    assert driver.rebuild_reason(AS_OF) == "a rebuild was cut short"
    assert driver.bring_up_to_date(AS_OF).refreshed
    assert not marker(lake.settings).exists()


def test_a_rebuild_beside_increments_loses_nothing(lake: Pipeline, driver: Driver) -> None:
    driver.bring_up_to_date(AS_OF)
    span = Rebuild(lake.backend, lake.settings, AS_OF)
    span.begin()
    lake.refresh(["staging.registrations"])
    lake.commit(*_fresh("during"))
    lake.refresh(["staging.resolved_registrations", "people.people"])
    driver.bring_up_to_date(AS_OF)
    span.enter_warehouse()
    lake.refresh(["core.fact_registrations", "core.dim_users"])
    span.finish()
    driver.bring_up_to_date(AS_OF)
    assert "during" in lake.by_key("core.fact_registrations")
    assert lake.contents() == rebuilt(lake)


def _fresh(name: str) -> list[Change]:
    return [changed("registrations", name, registration(name), after=400)]


def test_progress_is_where_the_tables_are() -> None:
    assert {catalog: contract.catalog for catalog, contract in PROGRESS.items()} == {
        "lake": "lake",
        "warehouse": "warehouse",
    }
