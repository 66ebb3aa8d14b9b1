"""Between the sources' threads and the commit loop: bounded, in order for each source, fair between them."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from event_pipeline.errors import TransientError
from event_pipeline.settings import Stream
from event_pipeline.sources.change import ChangeBatch
from event_pipeline.stream.sources.live_source import LiveSource

MOST_AT_ONCE = 20
"""A micro-batch holds at most so many times ``stream.batch_changes``, so that latency recovers after a burst."""


class StoppingError(TransientError):
    """The worker takes nothing more; what is emitted now is read again at its next start."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """A batch, the source that is told once it is committed, and when it arrived on the intake's clock."""

    batch: ChangeBatch
    owner: LiveSource
    at: float

    @property
    def changes(self) -> int:
        """Its weight; a batch of cursors alone counts too, or any number of them could wait."""
        return max(1, self.batch.changes.num_rows)

    @property
    def size(self) -> int:
        """Bytes."""
        return self.batch.changes.nbytes


class Intake:
    """Sources put batches, the commit loop takes micro-batches and settles them when they are committed.

    What is held, whether waiting or being committed, stays below ``stream.queue_changes`` and ``queue_megabytes``:
    a source that has more is held back. One batch that is larger is let in alone.
    """

    def __init__(self, stream: Stream, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_changes, self._most_bytes = stream.queue_changes, stream.queue_megabytes * 1024 * 1024
        self._batch_changes, self._batch_seconds = stream.batch_changes, stream.batch_milliseconds / 1000
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: OrderedDict[str, deque[Emitted]] = OrderedDict()
        self._held: Counter[str] = Counter()
        self._held_changes = self._held_bytes = self._waiting_changes = 0
        self._turns: deque[object] = deque()
        self._is_woken = self._is_flushing = self._is_closed = False

    @property
    def waiting_changes(self) -> int:
        """Changes that wait to be taken."""
        return self._waiting_changes

    def put(self, batch: ChangeBatch, owner: LiveSource) -> None:
        """Adds a batch once there is room and every source that waited before has had its turn.

        Raises StoppingError when the worker takes no more.
        """
        turn = object()
        with self._changed:
            self._turns.append(turn)
            self._changed.notify_all()
            try:
                item = Emitted(batch, owner, self._clock())
                self._changed.wait_for(lambda: self._is_closed or (self._turns[0] is turn and self._has_room(item)))
                if self._is_closed:
                    raise StoppingError("the worker is stopping")
                self._waiting.setdefault(owner.name, deque()).append(item)
                self._held[owner.name] += 1
                self._held_changes += item.changes
                self._held_bytes += item.size
                self._waiting_changes += item.changes
            finally:
                self._turns.remove(turn)
                self._changed.notify_all()

    def take(self, timeout: float) -> list[Emitted]:
        """A micro-batch when one is due: its first batch came ``batch_milliseconds`` ago, ``batch_changes`` are there,
        or a source is held back. Empty after so many seconds, or after ``wake``.

        Sources take turns within it; of each, batches come in the order they were put.
        """
        deadline = self._clock() + timeout
        with self._changed:
            while True:
                due = self._seconds_until_due()
                if due is not None and due <= 0:
                    return self._pick()
                left = deadline - self._clock()
                if self._is_woken or left <= 0:
                    self._is_woken = False
                    return []
                self._changed.wait(left if due is None else min(due, left))

    def settle(self, taken: Sequence[Emitted]) -> None:
        """These are committed: their room is free."""
        with self._changed:
            for item in taken:
                self._held[item.owner.name] -= 1
                self._held_changes -= item.changes
                self._held_bytes -= item.size
            self._changed.notify_all()

    def wait_until_settled(self, source: str) -> None:
        """Returns when nothing of the source is held any more, or the worker is stopping."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_flushing or not self._held[source])

    def wake(self) -> None:
        """Makes the present ``take``, or the next, return."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def flush(self) -> None:
        """From now on everything is due at once."""
        with self._changed:
            self._is_flushing = True
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more is let in; sources that wait get StoppingError."""
        with self._changed:
            self._is_closed = self._is_flushing = True
            self._changed.notify_all()

    def _has_room(self, item: Emitted) -> bool:
        if not self._held_changes:
            return True
        return (
            self._held_changes + item.changes <= self._most_changes and self._held_bytes + item.size <= self._most_bytes
        )

    def _seconds_until_due(self) -> float | None:
        """None when nothing waits."""
        if not self._waiting:
            return None
        if self._is_flushing or self._turns or self._waiting_changes >= self._batch_changes:
            return 0.0
        return min(queue[0].at for queue in self._waiting.values()) + self._batch_seconds - self._clock()

    def _pick(self) -> list[Emitted]:
        taken: list[Emitted] = []
        room = self._batch_changes * MOST_AT_ONCE
        while self._waiting:
            source, queue = next(iter(self._waiting.items()))
            if taken and queue[0].changes > room:
                break
            item = queue.popleft()
            taken.append(item)
            room -= item.changes
            self._waiting_changes -= item.changes
            if queue:
                self._waiting.move_to_end(source)
            else:
                del self._waiting[source]
        return taken
