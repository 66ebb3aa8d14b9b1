"""The graph that Dagster shows changes only on purpose, and every asset says what it is."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg
import pytest

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.definitions.asset_metadata import asset_key
from event_pipeline.models.registry import MODELS
from event_pipeline.quality.promises import promises_of
from event_pipeline.quality.quarantined import Quarantined
from event_pipeline.quality.stored import STORED_TYPES
from event_pipeline.settings import Validation
from event_pipeline.warehouse.table_contracts import CONTRACTS
from event_pipeline_tests.definitions.asset_graph import COMMAND, PINNED, as_text, describe, everything_configured

QUALIFIED = {contract.qualified: contract for contract in CONTRACTS.values()}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return everything_configured()


def contract_of(spec: dg.AssetSpec) -> Contract:
    return CONTRACTS[".".join(spec.key.path)]


def test_graph_is_the_pinned_one(definitions: dg.Definitions) -> None:
    found = as_text(describe(definitions))
    assert found == PINNED.read_text(), (
        f"the assets, checks, jobs, sensors or schedules are not those of {PINNED.name}. "
        f"If that is meant, run `{COMMAND}` and commit the file"
    )


def test_every_model_is_an_asset_of_its_own(definitions: dg.Definitions) -> None:
    keys = {spec.key for spec in definitions.resolve_all_asset_specs()}
    assert {asset_key(name) for name in MODELS} <= keys


def test_inputs_of_a_model_are_the_assets_it_depends_on(definitions: dg.Definitions) -> None:
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    for name, model in MODELS.items():
        deps = {dep.asset_key for dep in specs[asset_key(name)].deps}
        assert deps == {asset_key(item) for item in model.inputs}, name


def test_layer_is_schema_and_group_of_every_asset(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        assert len(spec.key.path) == 2, spec.key
        assert spec.group_name == spec.key.path[0], spec.key


def test_every_asset_says_who_owns_it_what_it_is_and_what_it_is_made_with(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        contract = contract_of(spec)
        assert list(spec.owners) == ["team:data-platform"], spec.key
        assert contract.description in (spec.description or ""), spec.key
        assert f"**Grain:** {contract.grain}" in (spec.description or ""), spec.key
        assert spec.kinds, spec.key
        assert spec.tags["personal_data"] in ("yes", "no"), spec.key
        assert spec.tags["catalog"] == contract.catalog, spec.key


def test_every_asset_shows_the_columns_of_its_contract(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        contract = contract_of(spec)
        schema = spec.metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema), spec.key
        assert [column.name for column in schema.columns] == list(contract.column_names), spec.key
        assert all(column.description for column in schema.columns), spec.key
        nullable = {column.name: column.constraints.nullable for column in schema.columns}
        assert nullable == {column.name: column.nullable for column in contract.columns}, spec.key


def test_lineage_of_columns_names_columns_that_exist(definitions: dg.Definitions) -> None:
    traced = 0
    for spec in definitions.resolve_all_asset_specs():
        lineage = spec.metadata.get("dagster/column_lineage")
        for name, deps in lineage.deps_by_column.items() if lineage else ():
            assert name in contract_of(spec).column_names
            for dep in deps:
                traced += 1
                assert dep.column_name in CONTRACTS[".".join(dep.asset_key.path)].column_names
    assert traced > 0


def test_every_table_has_a_contract_check_which_blocks_but_for_raw_tables(definitions: dg.Definitions) -> None:
    graph = definitions.get_repository_def().asset_graph
    for name, is_blocking in {**dict.fromkeys(MODELS, True), **{c.name: False for c in RAW_TABLES.values()}}.items():
        key = dg.AssetCheckKey(asset_key(name), "contract")
        assert key in graph.asset_check_keys, name
        assert graph.get(key).blocking is is_blocking, name


def test_no_asset_has_partitions(definitions: dg.Definitions) -> None:
    """Increments and rebuilds write whole tables, so Dagster would show days as missing that are filled."""
    assert [spec.key for spec in definitions.resolve_all_asset_specs() if spec.partitions_def] == []


def test_no_check_is_without_an_expectation(definitions: dg.Definitions) -> None:
    """A check that evaluates nothing would pass for ever."""
    known = {key for key in definitions.get_repository_def().asset_graph.asset_check_keys if key.name != "contract"}
    stored = {name: {c.name: STORED_TYPES[c.type] for c in contract.columns} for name, contract in QUALIFIED.items()}
    for model in MODELS.values():
        contract = model.contract
        counts = Quarantined(0, {}) if contract.layer == "staging" else None
        promised = promises_of(contract, stored, Validation(), datetime.now(UTC), (), counts)
        expected = {promise.dimension for promise in promised}
        assert {key.name for key in known if key.asset_key == asset_key(model.name)} == expected, model.name


def test_personal_data_stays_in_the_lake(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        if spec.tags["catalog"] == "warehouse":
            assert spec.tags["personal_data"] == "no", spec.key


def test_sensors_and_schedules_start_off_when_settings_say_so() -> None:
    from event_pipeline.definitions.build import build_definitions
    from event_pipeline.settings import Features, Settings

    repository = build_definitions(Settings(features=Features(sensors=False, schedules=False))).get_repository_def()
    assert {sensor.default_status for sensor in repository.sensor_defs} == {dg.DefaultSensorStatus.STOPPED}
    assert {schedule.default_status for schedule in repository.schedule_defs} == {dg.DefaultScheduleStatus.STOPPED}


def test_only_configured_sources_have_sensors() -> None:
    from event_pipeline.definitions.build import build_definitions
    from event_pipeline.settings import Settings

    repository = build_definitions(Settings()).get_repository_def()
    assert {sensor.name for sensor in repository.sensor_defs} == {"inbox_sensor", "exports_sensor", "results_sensor"}
