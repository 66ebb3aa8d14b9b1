"""What a live source is: it follows until told to stop, and says how it fares."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from event_pipeline.sources.change import ChangeBatch, KnownVersions

LiveState = Literal["connecting", "live", "silent", "unavailable", "refused", "stopped"]
"""``refused`` needs a person (permission, wrong address); it is tried again only every few minutes. ``stopped`` is the
worker's own word: it follows the source no longer."""

ALL = "*"
"""Collection of a report that concerns the source as a whole."""

Emit = Callable[["ChangeBatch"], None]
"""Takes a batch; blocks while the worker is behind."""


@dataclass(frozen=True, slots=True)
class LiveReport:
    """How one collection of a source fares since ``at``; ``message`` is for an operator, empty when all is well."""

    source: str
    collection: str
    state: LiveState
    message: str
    at: datetime


Report = Callable[[LiveReport], None]


class LiveSource(Protocol):
    """A source that is followed in a thread of its own."""

    @property
    def name(self) -> str:
        """Name of the source, the same as that of its polling twin."""
        ...

    @property
    def collections(self) -> tuple[str, ...]:
        """Collections whose changes it emits."""
        ...

    def follow(
        self,
        cursors: Mapping[str, object],
        known: KnownVersions,
        emit: Emit,
        report: Report,
        stop: threading.Event,
    ) -> None:
        """Emits what changed since ``cursors``, the committed ones, and then what changes, until ``stop`` is set.

        Batches must be committed in the order they were emitted, each with its cursors in one transaction. ``known``
        is asked from this thread only. What can go wrong outside is reported, never raised.
        """
        ...

    def committed(self, batch: ChangeBatch) -> None:
        """The worker's word, from any thread, that this very batch is committed."""
        ...
