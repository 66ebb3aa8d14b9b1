"""How sensors look at each source: a name for the change that it holds and the lake does not, or None.

The name is the same at every look at the same change, whenever that is; looking commits nothing.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from event_pipeline.definitions.sensor_state import SensorState
from event_pipeline.errors import PermanentError, TransientError
from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import uncovered

if TYPE_CHECKING:
    import pyarrow as pa

    from event_pipeline.warehouse.lake import Lake

TICK_SECONDS = 40.0
"""A tick stops looking after this long; Dagster ends it at sixty."""

_REQUEST_SECONDS = 15.0

Peek = Callable[["Lake", Settings, SensorState], str | None]
"""Names the change that a source holds and the lake does not; None when there is none."""


def new_inbox_file(lake: "Lake", settings: Settings, state: SensorState) -> str | None:
    """The files that wait in the inbox; one that cannot be read waits there until someone mends it."""
    from event_pipeline.sources.inbox import InboxSource

    source = InboxSource(settings.inbox_dir, settings.batch_size)
    waiting = [f"{name}:{modified}:{size}" for name, modified, size in filter(None, map(_stamp, source.files()))]
    waiting += _not_noted(sorted(source.passed()), lake.cursors(source.name))
    return _digest(waiting) if waiting else None


def new_export(lake: "Lake", settings: Settings, state: SensorState) -> str | None:
    """Export files that are not loaded as they are now, and others that came or went without a note of it."""
    from event_pipeline.sources.export_folder import ExportFolder

    source = ExportFolder(settings.exports_dir, settings.firebase.collections, settings.batch_size)
    cursors = lake.cursors(source.name)
    new = []
    for name, modified, size in filter(None, map(_stamp, source.files())):
        cursor = cursors.get(name)
        seen = (cursor.get("size"), cursor.get("modified_us")) if isinstance(cursor, dict) else None
        if seen != (size, modified // 1000):
            new.append(f"{name}:{modified}:{size}")
    new += _not_noted(source.noted_files(cursors), cursors)
    return _digest(new) if new else None


def _not_noted(names: list[str], cursors: Mapping[str, object]) -> list[str]:
    """A name for the files to be noted, where the source's state still speaks of others."""
    from event_pipeline.sources.passed_files import NOTED

    return [] if names == cursors.get(NOTED, []) else [f"to be noted: {name}" for name in names] or ["nothing to note"]


def changed_document(lake: "Lake", settings: Settings, state: SensorState) -> str | None:
    """The first collection, from where the last tick stopped, that holds a change.

    A collection that refuses is left alone for a while and keeps the others from nothing; so is one that the stream
    worker follows.
    """
    from event_pipeline.warehouse.ingest import firebase_source

    deadline = monotonic() + TICK_SECONDS
    source = firebase_source(settings, sleep=_sleep_until(deadline))
    if source is None:
        return None
    collections = settings.firebase.collections
    cursors, known, start = lake.cursors(source.name), lake.known(source.name), state.position
    ours = uncovered(settings, source.name, collections)
    try:
        for offset in range(len(collections)):
            at = (start + offset) % len(collections)
            name = collections[at]
            # Should this one use up the tick, the next tick starts behind it.
            state.position = (at + 1) % len(collections)
            if name in state.refused or name not in ours:
                continue
            cursor = cursors.get(name)
            try:
                for batch in source.poll(name, cursor if isinstance(cursor, dict) else None, known):
                    if batch.changes.num_rows:
                        state.position = at
                        return f"{name}:{_content(batch.changes)}"
                    if monotonic() > deadline:
                        return None
            except PermanentError as error:
                state.refuse(name, error)
    finally:
        source.close()
    return None


def changed_sheet(lake: "Lake", settings: Settings, state: SensorState) -> str | None:
    """The first spreadsheet that holds a change."""
    from event_pipeline.warehouse.ingest import followed_spreadsheets, sheets_source

    wait = _sleep_until(monotonic() + TICK_SECONDS)
    source = sheets_source(settings, sleep=wait, timeout_seconds=_REQUEST_SECONDS)
    cursors, known = lake.cursors(source.name), lake.known(source.name)
    for batch in source.poll(followed_spreadsheets(lake, settings), cursors, known):
        if batch.changes.num_rows:
            return _content(batch.changes)
    return None


def _sleep_until(deadline: float) -> Callable[[float], None]:
    """Sleeps as asked, unless that would outlast the tick: then the source counts as not reachable now."""

    def wait(seconds: float) -> None:
        if monotonic() + seconds > deadline:
            raise TransientError(f"it asks to wait {seconds:.0f} s, longer than a tick may take")
        sleep(seconds)

    return wait


def _stamp(path: Path) -> tuple[str, int, int] | None:
    """Name, modification time in nanoseconds and size; None for a file that was moved away meanwhile."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return path.name, stat.st_mtime_ns, stat.st_size


def _content(changes: "pa.Table") -> str:
    """Names the changes by document, the source's own update time and content, not by when they were seen."""
    columns = [changes[name].to_pylist() for name in ("document_id", "source_updated_at", "version")]
    return _digest(f"{key}:{updated}:{version[18:]}" for key, updated, version in zip(*columns, strict=True))


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()[:16]
