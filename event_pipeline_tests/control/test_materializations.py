"""What the worker tells Dagster: the tables that changed since it last did, once, and later if Dagster is away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from event_pipeline.control.materializations import MaterializationReporter, TableChange
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect, ibis_backend
from event_pipeline.warehouse.refresh import prepare_tables
from event_pipeline_tests.control.live import LiveDagster, free_port

FACTS = "core.fact_registrations"


@pytest.fixture
def settings(dagster: LiveDagster, tmp_path: Path) -> Settings:
    """Of a warehouse whose tables are there and empty."""
    settings = Settings(data_dir=tmp_path, dagster_url=dagster.url)
    with connect(settings) as connection:
        prepare_tables(ibis_backend(connection), settings)
    return settings


def told(dagster: LiveDagster, table: str) -> dict[str, Any]:
    """The metadata of the table's latest materialization."""
    from dagster import AssetKey, DagsterInstance

    with DagsterInstance.from_config(str(dagster.home)) as instance:
        event = instance.get_latest_materialization_event(AssetKey(table.split(".")))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def checked(dagster: LiveDagster, table: str) -> tuple[bool, Any]:
    """Whether the table's contract was kept when it was last checked, and its problems."""
    from dagster import AssetCheckKey, AssetKey, DagsterInstance

    key = AssetCheckKey(AssetKey(table.split(".")), "contract")
    with DagsterInstance.from_config(str(dagster.home)) as instance:
        (record,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert record.event is not None
    assert record.event.dagster_event is not None
    evaluation = record.event.dagster_event.asset_check_evaluation_data
    return evaluation.passed, evaluation.metadata["problems"].value


def test_dagster_is_told_once_what_several_batches_did_to_a_table(dagster: LiveDagster, settings: Settings) -> None:
    reporter = MaterializationReporter(settings)
    reporter.note([TableChange(FACTS, 3, 1), TableChange("raw.firebase_registrations", 4)], 0.4)
    reporter.note([TableChange(FACTS, 2, 0)], 0.2)
    assert reporter.report() == 2
    assert told(dagster, FACTS) == {
        "dagster/row_count": 0,
        "rows_added": 5,
        "rows_removed": 1,
        "batches": 2,
        "lag_seconds": 0.2,
    }
    assert told(dagster, "raw.firebase_registrations")["rows_added"] == 4
    assert reporter.report() == 0


def test_dagster_is_told_how_a_changed_table_keeps_its_contract_and_how_new_rows_broke_it(
    dagster: LiveDagster, settings: Settings
) -> None:
    reporter = MaterializationReporter(settings)
    reporter.note([TableChange("core.dim_clubs", 1, 0)], 0.1)
    reporter.report()
    before = told(dagster, "core.dim_clubs")
    assert checked(dagster, "core.dim_clubs") == (True, [])

    reporter.note([TableChange("core.dim_clubs", problems=("club_name would be empty in c7",))], 0.1)
    reporter.report()
    assert checked(dagster, "core.dim_clubs") == (False, ["club_name would be empty in c7"])
    assert told(dagster, "core.dim_clubs") == before, "it was not changed"

    reporter.note([TableChange("core.dim_clubs", 2, 0)], 0.1)
    reporter.report()
    assert checked(dagster, "core.dim_clubs") == (True, [])


def test_one_that_is_away_is_told_when_it_is_back(dagster: LiveDagster, settings: Settings) -> None:
    away = settings.model_copy(update={"dagster_url": f"http://127.0.0.1:{free_port()}"})
    reporter = MaterializationReporter(away)
    reporter.note([TableChange(FACTS, 1, 0)], None)
    assert reporter.report() == 0
    reporter.note([TableChange(FACTS, 1, 1)], None)
    reporter._settings = settings
    assert reporter.report() == 1
    assert told(dagster, FACTS) == {"dagster/row_count": 0, "rows_added": 2, "rows_removed": 1, "batches": 2}


def test_what_is_left_is_told_at_the_end(dagster: LiveDagster, settings: Settings) -> None:
    reporter = MaterializationReporter(settings)
    reporter.start()
    reporter.note([TableChange("core.dim_events", 7, 0)], 0.3)
    reporter.end()
    reporter._thread.join()
    assert told(dagster, "core.dim_events")["rows_added"] == 7
