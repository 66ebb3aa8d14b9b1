"""A live source followed in a thread, with a lake in memory behind it; the test waits for what it expects."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from event_pipeline.sources.change import ChangeBatch
from event_pipeline.stream.sources.live_source import LiveReport, LiveSource, LiveState
from event_pipeline_tests.sources.memory_lake import MemoryLake

PATIENCE_SECONDS = 30


@dataclass
class Following:
    """What a source emitted and reported so far. ``is_crashed`` makes the lake lose everything emitted from then on."""

    lake: MemoryLake
    batches: list[ChangeBatch] = field(default_factory=list)
    reports: list[LiveReport] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    is_crashed: bool = False
    gate: threading.Event = field(default_factory=threading.Event)
    is_asked: threading.Event = field(default_factory=threading.Event)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def emit(self, batch: ChangeBatch) -> None:
        """Commit a batch once the gate is open."""
        self.is_asked.set()
        assert self.gate.wait(PATIENCE_SECONDS)
        with self._changed:
            if not self.is_crashed:
                self.batches.append(batch)
                self.lake.commit(batch)
            self._changed.notify_all()

    def report(self, report: LiveReport) -> None:
        """Note a report."""
        with self._changed:
            self.reports.append(report)
            self._changed.notify_all()

    def wait(self, condition: Callable[[], object], what: object = "") -> None:
        """Wait until the condition holds; it is looked at after each batch and report."""
        with self._changed:
            is_met = self._changed.wait_for(lambda: self.failures or condition(), PATIENCE_SECONDS)
            assert not self.failures, self.failures
            assert is_met, f"{what} never came; reports: {self.states()}; lake: {sorted(self.lake.latest)}"

    def wait_state(self, state: LiveState, collection: str, times: int = 1) -> LiveReport:
        """The report of a state, once it was given so many times."""
        self.wait(lambda: self.states(collection).count(state) >= times, f"{state} of {collection}")
        return [item for item in self.reports if (item.collection, item.state) == (collection, state)][-1]

    def wait_payload(self, collection: str, document_id: str, **fields: Any) -> None:
        """Wait until the lake's latest payload of a document has these fields, with these values."""
        self.wait(lambda: fields.items() <= (self.payload(collection, document_id) or {}).items(), fields)

    def wait_ids(self, collection: str, *ids: str) -> None:
        """Wait until exactly these documents are in the lake and not deleted."""
        self.wait(lambda: self.lake.ids(collection) == sorted(ids), ids)

    def payload(self, collection: str, document_id: str) -> Any:
        """The latest payload, None when there is none."""
        row = self.lake.latest.get((collection, document_id))
        return json.loads(row["payload"]) if row and row["payload"] else None

    def states(self, collection: str | None = None) -> list[LiveState]:
        """States reported so far."""
        return [item.state for item in self.reports if collection in (None, item.collection)]

    def changes(self) -> list[dict[str, Any]]:
        """Changes emitted so far."""
        return [row for batch in self.batches for row in batch.changes.to_pylist()]

    def fail(self, error: BaseException) -> None:
        """The thread ended by an error."""
        with self._changed:
            self.failures.append(error)
            self._changed.notify_all()


@contextmanager
def following(source: LiveSource, lake: MemoryLake, *, is_gated: bool = False) -> Iterator[Following]:
    """The source, followed from the lake's cursors for as long as the block runs; it must end when told to."""
    run = Following(lake)
    if not is_gated:
        run.gate.set()
    stop = threading.Event()

    def follow() -> None:
        try:
            source.follow(dict(lake.cursors), lake, run.emit, run.report, stop)
        except BaseException as error:  # noqa: BLE001 - the test fails with it
            run.fail(error)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield run
    finally:
        run.gate.set()
        stop.set()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), "it did not stop"
    assert not run.failures, run.failures
