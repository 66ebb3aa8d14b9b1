"""Sensors: look at each source, and start a run when it holds something the lake does not.

A tick commits nothing, so one that is repeated or lost changes nothing: the run does the reading. Its key names the
change that was seen; should that run end without bringing the change in, it is tried again after a growing delay.
While the stream worker's heartbeat covers a source, its sensor stands aside.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg

from event_pipeline.definitions.jobs import SYNC_JOB
from event_pipeline.definitions.peeks import Peek, changed_document, changed_sheet, new_export, new_inbox_file
from event_pipeline.definitions.sensor_state import EVERYTHING, SensorState, now
from event_pipeline.definitions.session import Session
from event_pipeline.errors import PipelineError, TransientError
from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import covers

if TYPE_CHECKING:
    from event_pipeline.warehouse.lake import Lake

CHANGE_TAG = "event_pipeline/change"
"""Run tag that names the change a run was started for."""

FOLLOWED_AS = {"sheets": "google_sheets"}
"""What the stream worker calls a sensor's source, where it is not the sensor's own name."""

_ACTIVE = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
_MAX_DELAY = timedelta(minutes=30)
_FIRST_LOAD = "first-load"


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """A sensor per kind of source that is configured; files are always followed."""
    sensors = [
        _sensor(settings, "inbox", new_inbox_file, 5, "Picks up files of the inbox."),
        _sensor(settings, "exports", new_export, 30, "Loads database exports put into the exports folder."),
    ]
    if settings.firebase.backend != "none":
        follow = "Follows new and changed documents."
        sensors.append(_sensor(settings, settings.firebase.backend, changed_document, 5, follow))
    if settings.sheets.spreadsheets or settings.sheets.follow_events:
        sensors.append(_sensor(settings, "sheets", changed_sheet, 60, "Follows organisers' edits of sheets."))
    return sensors


def _sensor(settings: Settings, name: str, peek: Peek, interval_seconds: int, description: str) -> dg.SensorDefinition:
    status = dg.DefaultSensorStatus.RUNNING if settings.features.sensors else dg.DefaultSensorStatus.STOPPED

    @dg.sensor(
        name=f"{name}_sensor",
        job_name=SYNC_JOB,
        minimum_interval_seconds=interval_seconds,
        default_status=status,
        description=description,
    )
    def _evaluate(
        context: dg.SensorEvaluationContext, session: dg.ResourceParam[Session]
    ) -> dg.RunRequest | dg.SkipReason:
        return evaluate(context, session.settings, name, peek)

    return _evaluate


def evaluate(
    context: dg.SensorEvaluationContext, settings: Settings, name: str, peek: Peek
) -> dg.RunRequest | dg.SkipReason:
    """What a tick asks for: a run keyed by the change it sees, or nothing and why."""
    if covers(settings, FOLLOWED_AS.get(name, name)):
        return dg.SkipReason("the stream worker follows this source live")
    if context.instance.get_runs(dg.RunsFilter(job_name=SYNC_JOB, statuses=_ACTIVE), limit=1):
        return dg.SkipReason("a sync run is under way; what it leaves is seen at the next tick")
    state = SensorState.read(context.cursor)
    if EVERYTHING in state.refused:
        return dg.SkipReason(state.refusals([EVERYTHING]))
    try:
        with _reading(settings) as lake:
            change = _FIRST_LOAD if lake is None else peek(lake, settings, state)
    except TransientError as error:
        return dg.SkipReason(f"the source could not be reached, tried again at the next tick: {error}")
    except PipelineError as error:
        state.refuse(EVERYTHING, error)
        return dg.SkipReason(f"the source refuses; {state.refusals([EVERYTHING])}")
    finally:
        context.update_cursor(state.as_text())
    if change is None:
        return dg.SkipReason(f"nothing new; {state.refusals()}" if state.refused else "nothing new")
    return _request(context.instance, f"{name}:{change}")


def _request(instance: dg.DagsterInstance, change: str) -> dg.RunRequest | dg.SkipReason:
    """A run for this change, unless one that did not bring it in ended only a moment ago."""
    attempts, waiting_until = _attempts(instance, change)
    if waiting_until is not None and now() < waiting_until:
        return dg.SkipReason(
            f"{change} was not brought in by {attempts} runs; tried again after {waiting_until:%H:%M:%S} UTC"
        )
    return dg.RunRequest(run_key=f"{change}:{attempts}", tags={CHANGE_TAG: change})


@contextmanager
def _reading(settings: Settings) -> "Iterator[Lake | None]":
    """The lake to read; None when nothing was ever loaded, or its first run ended before its tables were there."""
    from event_pipeline.contracts.raw import CURSORS
    from event_pipeline.warehouse.connection import connect, lake_exists
    from event_pipeline.warehouse.lake import Lake
    from event_pipeline.warehouse.tables import table_exists

    if not lake_exists(settings):
        yield None
        return
    with connect(settings, ("lake",), read_only=True) as connection:
        yield Lake(connection, settings) if table_exists(connection, CURSORS) else None


def _attempts(instance: dg.DagsterInstance, change: str) -> tuple[int, datetime | None]:
    """Runs that were started for this change, and when the next may be."""
    ours = dg.RunsFilter(tags={CHANGE_TAG: change})
    newest = instance.get_run_records(ours, limit=1)
    if not newest:
        return 0, None
    attempts = instance.get_runs_count(ours)
    ended = newest[0].update_timestamp.replace(tzinfo=UTC)
    return attempts, ended + min(_MAX_DELAY, timedelta(minutes=2 ** min(attempts - 1, 10)))
