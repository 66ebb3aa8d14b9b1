"""The stream worker's sign of life: a small file that sensors, `event-pipeline status` and health checks read.

Reading it imports nothing heavy: sensors do so at every tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from event_pipeline.background_task import TaskState
from event_pipeline.settings import Settings
from event_pipeline.stream.sources.live_source import ALL, LiveState

Phase = Literal["starting", "following", "rebuilding", "stopping", "switched_off"]
"""What the worker does; while it starts or rebuilds, what comes in waits and is committed afterwards."""

WORST_FIRST: tuple[LiveState, ...] = ("refused", "unavailable", "silent", "stopped", "connecting", "live")
COVERING: frozenset[LiveState] = frozenset(("connecting", "live"))
"""States in which the worker will bring a change in by itself."""

FAILING_SECONDS = 60.0
"""A worker that could not commit for longer than this covers nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source, or one collection of it, fares since then; ``message`` is empty when all is well."""

    state: LiveState
    since: datetime
    message: str = ""


@dataclass(frozen=True, slots=True)
class SourceBeat:
    """A followed source: its collections, or ``*`` for the whole, and when it last brought a change."""

    name: str
    collections: Mapping[str, Standing]
    last_change_at: datetime | None = None

    @property
    def worst(self) -> Standing:
        """How the collection fares that fares worst."""
        return min(self.collections.values(), key=lambda standing: WORST_FIRST.index(standing.state))

    def follows(self, collection: str) -> bool:
        """Whether changes of the collection come in live."""
        standing = self.collections.get(collection) or self.collections.get(ALL)
        return standing is not None and standing.state in COVERING


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What the worker said of itself at ``at``. ``batches`` and ``rows`` count since it started.

    ``lag_seconds`` is the last batch's, from when its oldest change was seen to its commit. ``failing_since`` is set
    while commits fail, ``failure`` says why. ``tasks`` are the worker's background tasks.
    """

    pid: int
    started_at: datetime
    at: datetime
    phase: Phase
    sources: Mapping[str, SourceBeat] = field(default_factory=dict)
    batches: int = 0
    rows: int = 0
    lag_seconds: float | None = None
    waiting_changes: int = 0
    failing_since: datetime | None = None
    failure: str = ""
    tasks: Mapping[str, TaskState] = field(default_factory=dict)

    def is_fresh(self, settings: Settings, now: datetime | None = None) -> bool:
        """Whether it is young enough to be believed; one from the future is of a clock that was set back."""
        age = abs((now or datetime.now(UTC)) - self.at)
        return age <= timedelta(seconds=settings.stream.heartbeat_seconds)

    def is_failing(self, now: datetime | None = None) -> bool:
        """Whether it has not been able to commit for a while."""
        if self.failing_since is None:
            return False
        return (now or datetime.now(UTC)) - self.failing_since > timedelta(seconds=FAILING_SECONDS)


_HEARTBEAT = TypeAdapter(Heartbeat)


def heartbeat_path(settings: Settings) -> Path:
    """Where the file is."""
    return settings.data_dir / "stream" / "heartbeat.json"


def write_heartbeat(settings: Settings, heartbeat: Heartbeat) -> None:
    """Replaces the file at once. Raises OSError."""
    path = heartbeat_path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(_HEARTBEAT.dump_json(heartbeat, indent=1))
    part.replace(path)


def remove_heartbeat(settings: Settings) -> None:
    """The worker follows nothing any more."""
    heartbeat_path(settings).unlink(missing_ok=True)


def read_heartbeat(settings: Settings) -> Heartbeat | None:
    """What the worker last said; None when none ran, it stopped in order, or the file cannot be read."""
    try:
        return _HEARTBEAT.validate_json(heartbeat_path(settings).read_bytes())
    except (OSError, ValidationError):
        return None


def covers(settings: Settings, source: str, now: datetime | None = None) -> bool:
    """Whether the worker follows all of this source live, so that nobody else need look at it."""
    heartbeat = _believed(settings, now)
    beat = heartbeat.sources.get(source) if heartbeat else None
    return beat is not None and bool(beat.collections) and beat.worst.state in COVERING


def uncovered(settings: Settings, source: str, collections: Iterable[str], now: datetime | None = None) -> list[str]:
    """Those of the collections that somebody else must look at."""
    heartbeat = _believed(settings, now)
    beat = heartbeat.sources.get(source) if heartbeat else None
    return [name for name in collections if beat is None or not beat.follows(name)]


def _believed(settings: Settings, now: datetime | None) -> Heartbeat | None:
    heartbeat = read_heartbeat(settings)
    if heartbeat is None or not heartbeat.is_fresh(settings, now) or heartbeat.is_failing(now):
        return None
    return heartbeat if heartbeat.phase != "stopping" else None
