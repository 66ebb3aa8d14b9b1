"""Random histories with crashes between and inside commits: what is resumed makes the tables that a rebuild makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.increments import driver as driver_module
from event_pipeline.increments.driver import Driver
from event_pipeline.increments.rebuild import rebuild
from event_pipeline.sources.change import Change
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.warehouse.pipelines import AS_OF, Pipeline, real_pipeline
from event_pipeline_tests.warehouse.test_order_of_arrival import arrivals, histories

Crash = Literal["none", "before anything is applied", "inside lake", "between the catalogs", "inside warehouse"]
CRASHES: tuple[Crash, ...] = (
    "none", "before anything is applied", "inside lake", "between the catalogs", "inside warehouse",
)  # fmt: skip


class KilledError(Exception):
    """Stands for the end of the process: the open transaction is never committed."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with real_pipeline(tmp_path_factory.mktemp("crashes")) as pipeline:
        yield pipeline


@pytest.fixture(scope="module")
def driver(lake: Pipeline) -> Driver:
    return Driver(lake.backend, lake.settings)


def forget_everything(lake: Pipeline) -> None:
    """An empty lake whose tables are made, as each example finds it."""
    for contract in RAW_TABLES.values():
        lake.connection.execute(f"DELETE FROM {contract.qualified}")
    rebuild(lake.backend, lake.settings, AS_OF)


def apply(driver: Driver, crash: Crash, patch: pytest.MonkeyPatch) -> None:
    """Brings the tables up to date as far as the process lives."""
    if crash == "before anything is applied":
        return
    if crash == "between the catalogs":
        driver.apply("lake", AS_OF)
        return
    if crash == "none":
        driver.bring_up_to_date(AS_OF)
        return
    inside, write = crash.removeprefix("inside "), driver_module.write_progress

    def die(connection: object, catalog: str, progress: object) -> None:
        if catalog == inside:
            raise KilledError
        write(connection, catalog, progress)  # pyright: ignore[reportArgumentType]

    with patch.context() as patched:
        patched.setattr(driver_module, "write_progress", die)
        try:
            driver.bring_up_to_date(AS_OF)
        except KilledError:
            return


@given(st.data())
@settings(deadline=None, max_examples=scaled(2))
def test_a_history_cut_by_crashes_makes_what_a_rebuild_makes(
    lake: Pipeline, driver: Driver, data: st.DataObject
) -> None:
    forget_everything(lake)
    parts: Sequence[Sequence[Change]] = data.draw(arrivals(data.draw(histories())))
    with pytest.MonkeyPatch.context() as patch:
        for part in parts:
            lake.commit(*sorted(part, key=lambda change: (change.source, change.collection)))
            apply(driver, data.draw(st.sampled_from(CRASHES)), patch)
    driver.bring_up_to_date(AS_OF)
    by_increments = lake.contents()
    lake.refresh()
    assert by_increments == lake.contents()
