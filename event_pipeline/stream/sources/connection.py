"""What a live connection and its channel are to the follower that keeps them alive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from event_pipeline.errors import PipelineError, TransientError


class Connection(Protocol):
    """One connection, read once."""

    def messages(self) -> Iterator[tuple[Any, int]]:
        """Messages and their bytes, in the reading thread. Raises TransientError or PermanentError."""
        ...

    def close(self) -> None:
        """Ends ``messages`` soon, from another thread; may be called twice."""
        ...


class Channel(Protocol):
    """What one connection after the other is opened for. All of it is called in the following thread."""

    @property
    def collection(self) -> str:
        """The collection that reports name."""
        ...

    @property
    def silent_seconds(self) -> float | None:
        """Without any message for so long the connection counts as dead; None where silence is normal."""
        ...

    def connect(self) -> Connection:
        """A connection that goes on from where this channel stands; must not wait for the other side."""
        ...

    def receive(self, message: Any) -> bool:
        """Takes a message; whether everything up to now is caught up with. A PipelineError drops the connection."""
        ...

    def idle(self) -> None:
        """Nothing more has arrived for now: time for what was put off."""
        ...

    def lost(self, error: PipelineError) -> None:
        """The connection is gone, for this reason; the next ``connect`` starts anew."""
        ...


class SilenceError(TransientError):
    """Nothing was heard for longer than a live connection is silent."""
