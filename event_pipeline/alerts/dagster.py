"""Asks Dagster how it is."""

from __future__ import annotations

from event_pipeline.alerts.signs import DagsterSign
from event_pipeline.control import DagsterControl
from event_pipeline.errors import ControlError
from event_pipeline.settings import Settings


def ask_dagster(settings: Settings) -> DagsterSign:
    """Whether the webserver answers, the code is loaded and every required daemon is well."""
    try:
        with DagsterControl(settings.dagster_url, timeout=settings.api.dagster_seconds) as control:
            seen = control.status()
    except ControlError as error:
        return DagsterSign(False, str(error))
    if seen.location_error is not None:
        return DagsterSign(False, f"the code does not load: {seen.location_error.splitlines()[0]}")
    ill = [daemon.name for daemon in seen.daemons if daemon.is_required and not daemon.is_healthy]
    is_paused = not any(item.is_running for item in seen.automations)
    return DagsterSign(not ill, f"not healthy: {', '.join(ill)}" if ill else "", is_paused)
