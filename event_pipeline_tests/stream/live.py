"""A live source that does as a test says, and the worker that follows it, in a thread."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from event_pipeline.sources.change import Change, ChangeBatch, KnownVersions
from event_pipeline.stream.build import PlannedSource
from event_pipeline.stream.sources.live_source import Emit, LiveReport, Report
from event_pipeline.stream.worker import Worker
from event_pipeline_tests.warehouse.documents import registration

PATIENCE_SECONDS = 60
Step = Callable[[Emit, Report], None]


@dataclass
class FakeSource:
    """Runs steps in the following thread, in the order they are given; notes the cursors it is followed from."""

    name: str = "firestore"
    collection: str = "registrations"
    cursors: list[Mapping[str, object]] = field(default_factory=list)
    known: KnownVersions | None = None
    done: list[ChangeBatch] = field(default_factory=list)
    emitted: list[ChangeBatch] = field(default_factory=list)
    refused: list[Exception] = field(default_factory=list)
    _steps: deque[Step] = field(default_factory=deque)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def collections(self) -> tuple[str, ...]:
        return (self.collection,)

    @property
    def planned(self) -> PlannedSource:
        return PlannedSource(self.name, self.collections, lambda _: self)

    def then(self, step: Step) -> None:
        """The next thing to do."""
        with self._changed:
            self._steps.append(step)
            self._changed.notify_all()

    def brings(self, *documents: str, cursors: Mapping[str, object] | None = None, **fields: Any) -> ChangeBatch:
        """Emits registrations with these ids."""
        batch = registrations(*documents, source=self.name, cursors=cursors, **fields)
        self.then(lambda emit, _: self._emit(emit, batch))
        return batch

    def breaks(self, error: BaseException) -> None:
        """Raises."""

        def step(emit: Emit, report: Report) -> None:
            raise error

        self.then(step)

    def says(self, report: LiveReport) -> None:
        self.then(lambda _, tell: tell(report))

    def follow(
        self, cursors: Mapping[str, object], known: KnownVersions, emit: Emit, report: Report, stop: threading.Event
    ) -> None:
        self.known = known
        with self._changed:
            self.cursors.append(cursors)
            self._changed.notify_all()
        report(LiveReport(self.name, self.collection, "live", "", datetime.now(UTC)))
        threading.Thread(target=self._wake_at, args=(stop,), daemon=True).start()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._steps or stop.is_set(), PATIENCE_SECONDS)
                if not self._steps:
                    return
                step = self._steps.popleft()
            step(emit, report)

    def committed(self, batch: ChangeBatch) -> None:
        with self._changed:
            self.done.append(batch)
            self._changed.notify_all()

    def wait(self, condition: Callable[[], object]) -> None:
        """Until it holds; looked at when a batch is committed, and when the source is followed anew."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE_SECONDS), (self.done, self.cursors)

    def wait_committed(self, *batches: ChangeBatch) -> None:
        self.wait(lambda: all(any(batch is done for done in self.done) for batch in batches))

    def _emit(self, emit: Emit, batch: ChangeBatch) -> None:
        try:
            emit(batch)
            self.emitted.append(batch)
        except Exception as error:
            self.refused.append(error)
            raise

    def _wake_at(self, stop: threading.Event) -> None:
        stop.wait()
        with self._changed:
            self._changed.notify_all()


def registrations(
    *documents: str, source: str = "firestore", cursors: Mapping[str, object] | None = None, **fields: Any
) -> ChangeBatch:
    """A batch of registrations with these ids, each seen now."""
    from event_pipeline.sources.documents import encode_document

    now = datetime.now(UTC)
    changes = [
        Change.upsert(source, "registrations", key, encode_document(registration(key, **fields)), now, now)
        for key in documents
    ]
    return ChangeBatch.of(source, "registrations", changes, cursors)


@dataclass
class Run:
    """A worker at work; ``is_whole`` is what it returned, ``failure`` what it raised."""

    worker: Worker
    is_whole: bool | None = None
    failure: BaseException | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def work(self) -> None:
        try:
            self.is_whole = self.worker.run()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.failure = error
        self.ended.set()


@contextmanager
def running(settings: Any, sources: Sequence[FakeSource | PlannedSource], **options: Any) -> Iterator[Run]:
    """The worker over these sources for as long as the block runs; then it is stopped. Nothing may fail unexpected."""
    planned = [source.planned if isinstance(source, FakeSource) else source for source in sources]
    run = Run(Worker(settings, planned, **options))
    thread = threading.Thread(target=run.work)
    thread.start()
    try:
        yield run
    finally:
        run.worker.stop()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive(), "it did not stop"
    assert run.failure is None, run.failure
