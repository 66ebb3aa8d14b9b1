"""A catalog's transaction that is written while what it publishes is still being worked out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from queue import SimpleQueue

from event_pipeline.stream.publisher import Publisher

Step = Callable[[Publisher], None]


class _AbandonedError(Exception):
    """Told to the transaction, so that it rolls back."""


class Publication:
    """Steps are run in their order in the executor's one thread; nothing begins before the first."""

    def __init__(self, executor: Executor, publisher: Publisher) -> None:
        self._publisher = publisher
        self._steps: SimpleQueue[Step | None] = SimpleQueue()
        self._is_ended = False
        self._written = executor.submit(self._write)

    def add(self, step: Step) -> None:
        """Runs the step in the transaction, soon."""
        self._steps.put(step)

    def end(self) -> None:
        """No step follows: the transaction commits."""
        if not self._is_ended:
            self._is_ended = True
            self._steps.put(None)

    def result(self) -> bool:
        """Waits for the commit; False when there was nothing to write. Raises what a step or the commit raised."""
        self.end()
        return self._written.result()

    def abandon(self) -> None:
        """Rolls back, unless it is committing already, and waits for that."""
        if not self._is_ended:
            self._is_ended = True
            self._steps.put(_abandon)
        self._written.exception()

    def _write(self) -> bool:
        step = self._steps.get()
        if step is None:
            return False
        with self._publisher.transaction():
            while step is not None:
                step(self._publisher)
                step = self._steps.get()
        return True


def _abandon(_: Publisher) -> None:
    raise _AbandonedError
