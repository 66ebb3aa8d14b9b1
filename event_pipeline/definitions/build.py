"""Everything Dagster knows, built by one function with resources that tests replace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import dagster as dg

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.definitions.io_manager import warehouse_io_manager
from event_pipeline.definitions.jobs import build_jobs
from event_pipeline.definitions.maintenance_job import maintain_job
from event_pipeline.definitions.quality_checks import contract_spec, expectation_specs, raw_contract_checks
from event_pipeline.definitions.raw_assets import RAW_ASSETS
from event_pipeline.definitions.results_sensor import results_sensor
from event_pipeline.definitions.schedules import build_schedules
from event_pipeline.definitions.sensors import build_sensors
from event_pipeline.definitions.session import session_resource
from event_pipeline.definitions.table_assets import table_assets
from event_pipeline.models.registry import MODELS
from event_pipeline.settings import Settings


def build_definitions(
    settings: Settings, as_of: datetime | None = None, resources: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """All assets, checks, jobs, sensors and schedules for these settings.

    ``as_of`` decides what has started, the present hour when None; ``resources`` override the standard ones.
    """
    return dg.Definitions(
        assets=[*RAW_ASSETS, table_assets(_check_specs(settings))],
        asset_checks=[raw_contract_checks(list(RAW_TABLES.values()))],
        jobs=[*build_jobs(), maintain_job],
        sensors=[*build_sensors(settings), results_sensor(settings)],
        schedules=build_schedules(settings),
        resources={
            "session": session_resource(settings, as_of),
            "warehouse": warehouse_io_manager,
            **(resources or {}),
        },
        executor=dg.in_process_executor,
    )


def _check_specs(settings: Settings) -> list[dg.AssetCheckSpec]:
    contracts = [model.contract for model in MODELS.values()]
    return [spec for c in contracts for spec in (contract_spec(c), *expectation_specs(c, settings))]
