"""All that knows Dagster: assets, checks, jobs, sensors, schedules, resources, the IO manager."""

from __future__ import annotations

import dagster as dg

from event_pipeline.contracts.row_rule_names import refuse_unknown_rules
from event_pipeline.definitions.build import build_definitions
from event_pipeline.settings import load_settings


@dg.definitions
def defs() -> dg.Definitions:
    """The code location that Dagster loads."""
    settings = load_settings()
    refuse_unknown_rules(settings.validation)
    return build_definitions(settings)
