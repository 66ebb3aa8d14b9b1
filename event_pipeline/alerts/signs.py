"""What parts of the pipeline say of themselves, as rules take it; whoever evaluates says how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from event_pipeline.background_task import TaskState


@dataclass(frozen=True, slots=True)
class SourceSign:
    """How the stream worker fares with a source, or one collection of it."""

    state: str
    message: str


@dataclass(frozen=True, slots=True)
class WorkerSign:
    """What the stream worker last said of itself. ``is_fresh`` is whether it still says so."""

    at: datetime
    is_fresh: bool
    failure: str
    waiting_changes: int
    sources: Mapping[str, SourceSign] = field(default_factory=dict)
    tasks: Mapping[str, TaskState] = field(default_factory=dict)

    def follows(self, source: str) -> bool:
        """Whether all of the source comes in live."""
        own = [sign for name, sign in self.sources.items() if name.split("/")[0] == source]
        return self.is_fresh and bool(own) and all(sign.state in ("live", "connecting") for sign in own)


@dataclass(frozen=True, slots=True)
class DagsterSign:
    """Whether Dagster runs as it should, and what is wrong otherwise.

    ``is_paused`` is whether somebody has switched every sensor and schedule off.
    """

    is_well: bool
    message: str
    is_paused: bool = False


AskWorker = Callable[[], WorkerSign | None]
AskDagster = Callable[[], DagsterSign]
AskTasks = Callable[[], Mapping[str, TaskState]]
"""How the background tasks of the process that evaluates fare, by name."""
