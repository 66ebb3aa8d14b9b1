"""Reads a catalog for requests over one connection that stays open: cursors for several at a time, each with its time.

Opening a catalog costs half a second and more, so it is done once and again only after a failure.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Literal

from event_pipeline.api.problems import Problem
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect, lake_exists

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
_NOT_READY = (
    "the warehouse was never made or cannot be opened; see `event-pipeline status`, and start it with `make up`"
)


class Session:
    """One consistent look: everything read within it is of one state of the catalog."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """The rows of one SELECT, by column name."""
        self._cursor.execute(sql, parameters)
        names = [column[0] for column in self._cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]

    def row(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Row | None:
        """The first row, None when there is none."""
        return next(iter(self.rows(sql, parameters)), None)


class Reader:
    """Cursors on one read-only connection to these catalogs, opened with the first that is asked for.

    ``opening`` changes whenever it was closed: what is kept in its memory is gone then.
    """

    def __init__(self, settings: Settings, catalogs: tuple[Literal["lake", "warehouse"], ...]) -> None:
        self._settings, self._catalogs = settings, catalogs
        self._lock = threading.Lock()
        self._opened: AbstractContextManager[duckdb.DuckDBPyConnection] | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self.opening = 0
        self._places: queue.LifoQueue[None] = queue.LifoQueue()
        for _ in range(settings.api.readers):
            self._places.put(None)

    @property
    def metadata(self) -> str:
        """Where the warehouse's catalog keeps its own tables, as SQL names it."""
        schema = "" if self._settings.catalog_url is None else ".ducklake_warehouse"
        return f"__ducklake_metadata_warehouse{schema}"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction of its own. Raises Problem: busy, timeout, or warehouse-not-ready."""
        with self._place(), self._cursor() as cursor, self._limited(cursor):
            cursor.execute("BEGIN TRANSACTION")
            try:
                yield Session(cursor)
            finally:
                self._end(cursor)

    def change(self, work: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Work on a cursor that may write to what is attached in memory. Raises Problem as ``session`` does."""
        with self._cursor() as cursor:
            work(cursor)

    def close(self) -> None:
        """Give the connection back; the next session opens it again."""
        with self._lock:
            opened, self._opened, self._connection = self._opened, None, None
            self.opening += 1
        if opened is not None:
            opened.__exit__(None, None, None)

    @contextmanager
    def _place(self) -> Iterator[None]:
        try:
            self._places.get(timeout=self._settings.api.query_seconds)
        except queue.Empty:
            raise Problem("busy", "try again in a second", {"Retry-After": "1"}) from None
        try:
            yield
        finally:
            self._places.put(None)

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        import duckdb

        try:
            cursor = self._open().cursor()
        except duckdb.Error:
            self.close()
            raise Problem("warehouse-not-ready", _NOT_READY, {"Retry-After": "5"}) from None
        try:
            yield cursor
        except duckdb.InterruptException:
            raise Problem("timeout", f"it was stopped after {self._settings.api.query_seconds:g} s") from None
        except (duckdb.IOException, duckdb.FatalException, duckdb.InternalException, duckdb.ConnectionException):
            # A catalog that was moved or restored is found by opening it again.
            self.close()
            raise Problem("warehouse-not-ready", _NOT_READY, {"Retry-After": "5"}) from None
        except duckdb.CatalogException:
            raise Problem(
                "warehouse-not-ready", "a table was not made yet; run `event-pipeline trigger refresh`"
            ) from None
        finally:
            cursor.close()

    @contextmanager
    def _limited(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        timer = threading.Timer(self._settings.api.query_seconds, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _open(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._connection is None:
                if not lake_exists(self._settings):
                    raise Problem("warehouse-not-ready", _NOT_READY, {"Retry-After": "5"})
                opened = connect(self._settings, self._catalogs, read_only=True)
                self._connection = opened.__enter__()
                self._opened = opened
                self._connection.execute("ATTACH ':memory:' AS mirror (COMPRESS)")
            return self._connection

    def _end(self, cursor: duckdb.DuckDBPyConnection) -> None:
        import contextlib

        import duckdb

        # A transaction that failed has ended already.
        with contextlib.suppress(duckdb.Error):
            cursor.execute("ROLLBACK")
