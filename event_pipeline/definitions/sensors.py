"""Sensors: look at each source, and start a run when it holds something the lake does not.

A tick commits nothing, so one that is repeated or lost changes nothing: the run does the reading. Its key names the
change that was seen; should that run end without bringing the change in, it is tried again after a growing delay.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING

import dagster as dg

from event_pipeline.definitions.jobs import SYNC_JOB
from event_pipeline.definitions.session import Session
from event_pipeline.errors import PipelineError, TransientError
from event_pipeline.settings import Settings

if TYPE_CHECKING:
    from event_pipeline.warehouse.lake import Lake

TICK_SECONDS = 40
"""A tick stops looking after this long; Dagster ends it at sixty."""

CHANGE_TAG = "event_pipeline/change"
_ACTIVE = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
_MAX_DELAY = timedelta(minutes=30)
_FIRST_LOAD = "first-load"

_REFUSED_FOR = timedelta(minutes=5)


@dataclass(slots=True)
class _State:
    """A sensor's cursor: where the next tick goes on, and until when a source that refused is left alone."""

    position: int = 0
    quiet_until: str = ""
    message: str = ""

    @classmethod
    def of(cls, context: dg.SensorEvaluationContext) -> "_State":
        return cls(**json.loads(context.cursor)) if context.cursor else cls()

    def as_text(self) -> str:
        return json.dumps(asdict(self))


Peek = Callable[["Lake", Settings, _State], str | None]
"""Names the change that a source holds and the lake does not; None when there is none."""


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """A sensor per kind of source that is configured; files are always followed."""
    sensors = [
        _sensor(settings, "inbox", _new_inbox_file, 5, "Picks up files of the inbox."),
        _sensor(settings, "exports", _new_export, 30, "Loads database exports put into the exports folder."),
    ]
    if settings.firebase.backend != "none":
        sensors.append(
            _sensor(settings, settings.firebase.backend, _changed_document, 5, "Follows new and changed documents.")
        )
    if settings.sheets.spreadsheets or settings.sheets.follow_events:
        sensors.append(_sensor(settings, "sheets", _changed_sheet, 60, "Follows organisers' edits of sheets."))
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
    if context.instance.get_runs(dg.RunsFilter(job_name=SYNC_JOB, statuses=_ACTIVE), limit=1):
        return dg.SkipReason("a sync run is under way; what it leaves is seen at the next tick")
    state = _State.of(context)
    if state.quiet_until > datetime.now(UTC).isoformat():
        return dg.SkipReason(f"refused until {state.quiet_until}: {state.message}")
    try:
        with _reading(settings) as lake:
            change = _FIRST_LOAD if lake is None else peek(lake, settings, state)
    except TransientError as error:
        return dg.SkipReason(f"the source could not be reached, tried again at the next tick: {error}")
    except PipelineError as error:
        state.message, state.quiet_until = str(error), (datetime.now(UTC) + _REFUSED_FOR).isoformat()
        return dg.SkipReason(f"the source refuses, tried again in {_REFUSED_FOR}: {error}")
    finally:
        context.update_cursor(state.as_text())
    if change is None:
        return dg.SkipReason("nothing new")
    change = f"{name}:{change}"
    attempts, waiting_until = _attempts(context.instance, change)
    if waiting_until is not None and datetime.now(UTC) < waiting_until:
        return dg.SkipReason(
            f"{change} was not brought in by {attempts} runs; tried again after {waiting_until:%H:%M:%S}"
        )
    return dg.RunRequest(run_key=f"{change}:{attempts}", tags={CHANGE_TAG: change})


@contextmanager
def _reading(settings: Settings) -> "Iterator[Lake | None]":
    """The lake to read; None when nothing was ever loaded."""
    from event_pipeline.warehouse.connection import connect, lake_exists
    from event_pipeline.warehouse.lake import Lake

    if not lake_exists(settings):
        yield None
        return
    with connect(settings, ("lake",), read_only=True) as connection:
        yield Lake(connection, settings)


def _attempts(instance: dg.DagsterInstance, change: str) -> tuple[int, datetime | None]:
    """Runs that were started for this change, and when the next may be."""
    records = instance.get_run_records(dg.RunsFilter(tags={CHANGE_TAG: change}), limit=20)
    if not records:
        return 0, None
    last = max(record.update_timestamp.replace(tzinfo=UTC) for record in records)
    return len(records), last + min(_MAX_DELAY, timedelta(minutes=2 ** (len(records) - 1)))


def _new_inbox_file(lake: "Lake", settings: Settings, state: _State) -> str | None:
    from event_pipeline.sources.inbox import InboxSource

    files = InboxSource(settings.inbox_dir, settings.batch_size).files()
    return _digest(f"{path.name}:{path.stat().st_mtime_ns}" for path in files if path.exists()) if files else None


def _new_export(lake: "Lake", settings: Settings, state: _State) -> str | None:
    from event_pipeline.sources.export_files import ExportFilesSource

    source = ExportFilesSource(settings.exports_dir, settings.firebase.collections, settings.batch_size)
    cursors = lake.cursors(source.name)
    new = []
    for path in source.files():
        stat, cursor = path.stat(), cursors.get(path.name)
        seen = (cursor.get("size"), cursor.get("modified_us")) if isinstance(cursor, dict) else None
        if seen != (stat.st_size, stat.st_mtime_ns // 1000):
            new.append(f"{path.name}:{stat.st_mtime_ns}:{stat.st_size}")
    return _digest(new) if new else None


def _changed_document(lake: "Lake", settings: Settings, state: _State) -> str | None:
    """The first collection, from where the last tick stopped, that holds a change."""
    from event_pipeline.warehouse.ingest import firebase_source

    source = firebase_source(settings)
    if source is None:
        return None
    collections = settings.firebase.collections
    start = state.position
    cursors, known, deadline = lake.cursors(source.name), lake.known(source.name), monotonic() + TICK_SECONDS
    try:
        for offset in range(len(collections)):
            name = collections[(start + offset) % len(collections)]
            state.position = (start + offset) % len(collections)
            cursor = cursors.get(name)
            for batch in source.poll(name, cursor if isinstance(cursor, dict) else None, known):
                if batch.changes.num_rows:
                    return f"{name}:{_digest(batch.changes['version'].to_pylist())}"
                if monotonic() > deadline:
                    return None
    finally:
        source.close()
    return None


def _changed_sheet(lake: "Lake", settings: Settings, state: _State) -> str | None:
    from event_pipeline.sources.google_sheets import GoogleSheetsSource
    from event_pipeline.warehouse.ingest import followed_spreadsheets

    source = GoogleSheetsSource(settings)
    cursors, known = lake.cursors(source.name), lake.known(source.name)
    for batch in source.poll(followed_spreadsheets(lake, settings), cursors, known):
        if batch.changes.num_rows:
            return _digest(batch.changes["version"].to_pylist())
    return None


def _digest(parts: Iterator[str] | list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:16]
