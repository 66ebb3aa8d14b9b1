"""The code location as the settings of the running test make it, at an instant that does not move."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from event_pipeline.definitions.build import build_definitions
from event_pipeline.settings import read_settings

AS_OF = datetime(2026, 6, 30, tzinfo=UTC)
"""What started before this has started."""


@dg.definitions
def defs() -> dg.Definitions:
    return build_definitions(read_settings(), as_of=AS_OF)
