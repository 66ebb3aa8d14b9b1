"""Reads a catalog for requests over one connection that stays open: cursors for several at a time, each with its time.

Opening a catalog costs half a second and more, so it is done once and again only after a failure.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from event_pipeline.api.catalog_session import Limits, Session
from event_pipeline.api.problems import Problem
from event_pipeline.api.storage_problems import storage_problem
from event_pipeline.contracts.contract import Catalog
from event_pipeline.settings import Settings
from event_pipeline.warehouse.catalog_copies import NOT_COPIED, CatalogCopies
from event_pipeline.warehouse.connection import catalogs_exist, connect, metadata_of

if TYPE_CHECKING:
    import duckdb

_ROW_GROUP = 8_192
"""Rows of a copy that are looked at or left out together: what is asked is mostly about one event or a few days."""
_NOT_READY = (
    "the warehouse was never made or cannot be opened; see `event-pipeline status`, and start it with `make up`"
)

log = structlog.get_logger(__name__)


class Reader:
    """Cursors on one read-only connection to these catalogs, opened with the first that is asked for.

    ``opening`` changes whenever it was closed: what is kept in its memory is gone then. ``limits`` are those
    of requests unless given. It reads the ``copies`` of the catalogs where there are any, which are brought up to
    date by ``change`` and, unless it ``lags``, by each session.
    """

    def __init__(
        self,
        settings: Settings,
        catalogs: tuple[Catalog, ...],
        limits: Limits | None = None,
        copies: CatalogCopies | None = None,
        *,
        lags: bool = False,
    ) -> None:
        self._settings = copies.settings if copies else settings
        self._told = settings
        self._catalogs, self._copies, self._lags = catalogs, copies, lags
        seconds = settings.api.query_seconds
        self._limits = limits or Limits(settings.api.readers, seconds, seconds, threads=1)
        self._lock = threading.Lock()
        self._opened: AbstractContextManager[duckdb.DuckDBPyConnection] | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self.opening = 0
        self._places: queue.LifoQueue[None] = queue.LifoQueue()
        for _ in range(self._limits.sessions):
            self._places.put(None)

    @property
    def metadata(self) -> str:
        """Where the warehouse's catalog keeps its own tables, as SQL names it."""
        return metadata_of(self._settings, "warehouse")

    @contextmanager
    def session(self, seconds: float | None = None) -> Iterator[Session]:
        """A transaction of its own, stopped after that time. Raises Problem: busy, timeout, or warehouse-not-ready."""
        limit = self._limits.seconds if seconds is None else seconds
        if not self._lags:
            self._freshen()
        with self._place(), self._cursor(limit) as cursor, self._limited(cursor, limit):
            cursor.execute("BEGIN TRANSACTION")
            try:
                yield Session(cursor)
            finally:
                self._end(cursor)

    def change(self, work: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Work on a cursor that may write to what is attached in memory. Raises Problem as ``session`` does."""
        self._freshen()
        with self._cursor(self._limits.seconds) as cursor, self._limited(cursor, self._limits.seconds):
            work(cursor)

    def change_anew(self, work: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """As ``change``, on a new connection that takes the place of the one before once the work is done.

        Until then, and if it fails, sessions go on reading what the memory of the one before holds.
        """
        self._freshen()
        fresh = Reader(self._told, self._catalogs, self._limits, self._copies, lags=True)
        try:
            with fresh._cursor(self._limits.seconds) as cursor, fresh._limited(cursor, self._limits.seconds):
                work(cursor)
            with self._lock:
                before, self._opened = self._opened, fresh._opened
                self._connection, fresh._opened, fresh._connection = fresh._connection, None, None
                self.opening += 1
        finally:
            fresh.close()
        if before is not None:
            before.__exit__(None, None, None)

    def close(self) -> None:
        """Give the connection back; the next session opens it again."""
        with self._lock:
            opened, self._opened, self._connection = self._opened, None, None
            self.opening += 1
        if opened is not None:
            opened.__exit__(None, None, None)

    def _freshen(self) -> None:
        if self._copies is None:
            return
        try:
            self._copies.refresh(self._catalogs)
        except OSError as error:
            log.warning("catalog_not_copied", reason=str(error))
            raise (
                storage_problem(error, self._told) or Problem("warehouse-not-ready", NOT_COPIED, {"Retry-After": "5"})
            ) from None

    @contextmanager
    def _place(self) -> Iterator[None]:
        try:
            self._places.get(timeout=self._limits.waiting_seconds)
        except queue.Empty:
            raise Problem("busy", "try again in a second", {"Retry-After": "1"}) from None
        try:
            yield
        finally:
            self._places.put(None)

    @contextmanager
    def _cursor(self, seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        try:
            cursor = self._open().cursor()
        except (duckdb.Error, OSError, MemoryError) as error:
            self._close_unless_kept(error)
            log.warning("warehouse_not_opened", reason=str(error))
            not_ready = Problem("warehouse-not-ready", _NOT_READY, {"Retry-After": "5"})
            raise (storage_problem(error, self._told) or not_ready) from None
        try:
            yield cursor
        except duckdb.InterruptException:
            raise Problem("timeout", f"it was stopped after {seconds:g} s") from None
        except duckdb.CatalogException:
            raise Problem(
                "warehouse-not-ready", "a table was not made yet; run `event-pipeline trigger refresh`"
            ) from None
        except (duckdb.Error, OSError, MemoryError) as error:
            problem = storage_problem(error, self._told)
            if problem is None and not isinstance(
                error, duckdb.OperationalError | duckdb.InternalError | duckdb.FatalException
            ):
                raise
            # A catalog that was moved or restored is found by opening it again.
            self._close_unless_kept(error)
            log.warning("warehouse_not_read", reason=str(error))
            raise (problem or Problem("warehouse-not-ready", _NOT_READY, {"Retry-After": "5"})) from None
        finally:
            cursor.close()

    def _close_unless_kept(self, error: BaseException) -> None:
        """Close the connection so that it is opened anew; one whose memory answers requests only if it is broken."""
        import duckdb

        is_broken = isinstance(error, duckdb.FatalException | duckdb.InternalException | duckdb.ConnectionException)
        if is_broken or not self._lags:
            self.close()

    @contextmanager
    def _limited(self, cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
        timer = threading.Timer(seconds, cursor.interrupt)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:
            raise Problem("out-of-resources", "no more threads; try again in a moment", {"Retry-After": "5"}) from None
        try:
            yield
        finally:
            timer.cancel()

    def _open(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._connection is None:
                if not catalogs_exist(self._settings, self._catalogs):
                    raise Problem("warehouse-not-ready", _NOT_READY, {"Retry-After": "5"})
                opened = connect(self._settings, self._catalogs, read_only=True)
                connection = opened.__enter__()
                try:
                    connection.execute(f"ATTACH ':memory:' AS mirror (COMPRESS, ROW_GROUP_SIZE {_ROW_GROUP})")
                    if self._limits.threads is not None:
                        connection.execute(f"SET threads = {self._limits.threads}")
                    if self._limits.memory_megabytes is not None:
                        connection.execute(f"SET memory_limit = '{self._limits.memory_megabytes}MB'")
                except BaseException:
                    opened.__exit__(None, None, None)
                    raise
                self._connection, self._opened = connection, opened
            return self._connection

    def _end(self, cursor: duckdb.DuckDBPyConnection) -> None:

        import duckdb

        # A transaction that failed has ended already.
        with suppress(duckdb.Error):
            cursor.execute("ROLLBACK")
