"""One consistent look into a catalog, and how much of it a reader may take."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """Sessions at a time, how long the next waits for a place, how long one may read; memory of all together.

    ``threads`` is how many processors one query may take: answers that take milliseconds are quicker with one, which
    needs none of the others', and several are worked out side by side anyway.
    """

    sessions: int
    waiting_seconds: float
    seconds: float
    memory_megabytes: int | None = None
    threads: int | None = None


class Session:
    """One consistent look: everything read within it is of one state of the catalog."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """The rows of one SELECT, by column name."""
        self._cursor.execute(sql, parameters)
        names = [column[0] for column in self._cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in self._cursor.fetchall()]

    def batches(
        self, sql: str, parameters: Sequence[Any] | dict[str, Any] = (), most_rows: int = 20_000
    ) -> pa.RecordBatchReader:
        """The rows of one SELECT in batches of at most so many, read as they are asked for within the session."""
        self._cursor.execute(sql, parameters)
        return self._cursor.to_arrow_reader(most_rows)

    def interrupt(self) -> None:
        """Stop what is being read, if anything is; for other threads."""
        import duckdb

        # The session may just have ended.
        with suppress(duckdb.Error):
            self._cursor.interrupt()

    def row(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> Row | None:
        """The first row, None when there is none."""
        return next(iter(self.rows(sql, parameters)), None)
