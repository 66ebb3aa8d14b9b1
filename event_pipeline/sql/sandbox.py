"""A few warm workers, and queries that wait for them in an orderly way."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson
import structlog

from event_pipeline.settings import Settings
from event_pipeline.sql import frames
from event_pipeline.sql.errors import (
    BusySandboxError,
    HeavyQueryError,
    InvalidQueryError,
    SlowQueryError,
    UnreadyWarehouseError,
)
from event_pipeline.sql.faults import Fault
from event_pipeline.sql.frames import Frame
from event_pipeline.sql.process import WorkerProcess
from event_pipeline.sql.query import Caps, Column, Query, Shape
from event_pipeline.warehouse.catalog_copies import NOT_COPIED, CatalogCopies

if TYPE_CHECKING:
    import pyarrow as pa

_DIED = "it brought its worker down: it is too large or too deeply nested; read less, or take parts of it out into WITH"

_GRACE_SECONDS = 0.5
"""A query ends itself at its deadline; so much later it is killed."""

_PATIENCE_SECONDS = 30.0
"""How long a query waits for a worker."""

_CATALOG = "warehouse"
_BUSY = "other queries take every worker; try again in a second"
_HARMLESS = frozenset({"invalid", "refused", "slow"})
"""Faults after which a worker is as good as before."""

log = structlog.get_logger(__name__)


class Result:
    """An answer under way. ``rows``, ``truncated`` and ``milliseconds`` are known once all of it was read."""

    def __init__(self, worker: WorkerProcess, request: dict[str, Any], caps: Caps) -> None:
        """Ask the worker and wait for the columns. Raises QueryError."""
        self._worker, self._seconds = worker, caps.seconds
        self._frames = worker.ask(request, time.monotonic() + caps.seconds + _GRACE_SECONDS)
        self.rows, self.truncated, self.milliseconds = 0, False, 0.0
        head = orjson.loads(self._next().body)
        self.columns = [Column(item["name"], item["type"]) for item in head["columns"]]
        self.sql: str = head["sql"]
        """The query as it was run, which is a translation where another dialect was asked for."""
        self._schema = head.get("schema")

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, of a result of that shape."""
        import pyarrow as pa

        return pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(self._schema)))

    def chunks(self) -> Iterator[bytes]:
        """The rows as the worker wrote them. Raises QueryError."""
        while (frame := self._next()).kind == frames.ROWS:
            yield frame.body
        end = orjson.loads(frame.body)
        self.rows, self.truncated, self.milliseconds = end["rows"], end["truncated"], end["milliseconds"]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow batches. Raises QueryError."""
        import pyarrow as pa

        for chunk in self.chunks():
            yield from pa.ipc.open_stream(chunk)

    def _next(self) -> Frame:
        try:
            frame = next(self._frames)
        except TimeoutError:
            raise self._too_slow() from None
        except (OSError, EOFError):
            raise HeavyQueryError(_DIED) from None
        if frame.kind == frames.FAULT:
            fault = Fault(**orjson.loads(frame.body))
            if fault.kind not in _HARMLESS:
                self._worker.spoil()
            raise self._too_slow() if fault.kind == "slow" else fault.error
        return frame

    def _too_slow(self) -> SlowQueryError:
        return SlowQueryError(f"it was stopped after {self._seconds:g} s; read less, or aggregate")


class Sandbox:
    """Runs queries in at most ``workers`` processes, each started when it is first needed; ``close`` ends them.

    They read the ``copies`` of the catalogs where there are any.
    """

    def __init__(self, settings: Settings, workers: int | None = None, copies: CatalogCopies | None = None) -> None:
        self._settings, self._copies = settings, copies
        opened = copies.settings if copies else settings
        self._workers = [WorkerProcess(opened) for _ in range(workers or settings.sql.workers)]
        # Last in, first out: who is warm is asked before another is started.
        self._free: queue.LifoQueue[WorkerProcess] = queue.LifoQueue()
        for worker in self._workers:
            self._free.put(worker)
        self._lock = threading.Lock()
        self._waiting = 0
        self._is_closed = False

    @contextmanager
    def stream(self, query: Query, caps: Caps | None = None, shape: Shape = "arrow") -> Iterator[Result]:
        """The answer as it comes, at the caller's pace, which holds a worker back and counts towards the deadline;
        caps are the settings' by default. Raises QueryError, also while the answer is read.
        """
        most = self._settings.sql.characters
        if len(query.sql) > most:
            raise InvalidQueryError(f"it has {len(query.sql):,} characters; at most {most:,} are allowed")
        allowed = caps or Caps.of(self._settings)
        self._freshen()
        worker = self._take()
        try:
            yield self._begin(worker, _request(query, allowed, shape), allowed)
        finally:
            self._give_back(worker)

    def warm(self) -> None:
        """Start a worker in the background, so that the first query need not wait for it."""
        try:
            worker = self._free.get_nowait()
        except queue.Empty:
            return
        self._restart(worker)

    def close(self) -> None:
        """Kill every worker; what is under way fails."""
        self._is_closed = True
        for worker in self._workers:
            worker.kill()

    def _take(self) -> WorkerProcess:
        with self._lock:
            if self._free.empty() and self._waiting >= self._settings.sql.waiting:
                raise BusySandboxError(_BUSY)
            self._waiting += 1
        try:
            return self._free.get(timeout=_PATIENCE_SECONDS)
        except queue.Empty:
            raise BusySandboxError(_BUSY) from None
        finally:
            with self._lock:
                self._waiting -= 1

    def _begin(self, worker: WorkerProcess, request: dict[str, Any], caps: Caps) -> Result:
        if worker.is_warm:
            try:
                return Result(worker, request, caps)
            except UnreadyWarehouseError:
                # A catalog that was moved or restored is found by opening it again.
                log.warning("sql_worker_opens_the_warehouse_again")
        worker.start()
        return Result(worker, request, caps)

    def _give_back(self, worker: WorkerProcess) -> None:
        if worker.is_warm or not worker.is_started:
            self._free.put(worker)
        else:
            worker.kill()
            self._restart(worker)

    def _freshen(self) -> None:
        """Let workers see what was committed until now."""
        if self._copies is None:
            return
        try:
            self._copies.refresh((_CATALOG,))
        except OSError as error:
            log.warning("catalog_not_copied", reason=str(error))
            raise UnreadyWarehouseError(f"{NOT_COPIED}: {error}") from None

    def _restart(self, worker: WorkerProcess) -> None:
        threading.Thread(target=self._start, args=(worker,), name="sql-worker-start", daemon=True).start()

    def _start(self, worker: WorkerProcess) -> None:
        """Make it warm and free; one that cannot start is tried again by the next query."""
        try:
            if not self._is_closed:
                self._freshen()
                worker.start()
        except UnreadyWarehouseError:
            log.info("sql_worker_left_to_the_next_query")
        except Exception:
            log.exception("sql_worker_left_to_the_next_query")
        finally:
            self._free.put(worker)
            if self._is_closed:
                worker.kill()


def _request(query: Query, caps: Caps, shape: Shape) -> dict[str, Any]:
    return {
        "sql": query.sql, "params": query.params, "dialect": query.dialect, "explain": query.explain,
        "shape": shape, "rows": caps.rows, "bytes": caps.bytes, "seconds": caps.seconds,
    }  # fmt: skip
