"""SQLite files of a process's own state, and instants as texts in them: they are there when the warehouse is not."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

_BUSY_SECONDS = 10.0


class SqliteFile:
    """One connection that threads share, each statement on its own; several processes may have the file open."""

    def __init__(self, path: Path, tables: str, synchronous: Literal["NORMAL", "FULL"]) -> None:
        """``tables`` are made when they are not there; ``FULL`` keeps a commit when the power fails."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # It says who did what: nobody else reads it.
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, _BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")
        self._connection.executescript(f"{_NOTES}{tables}")

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """The rows of one statement, which is committed."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Statements that are committed together, with nobody else writing between them."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def note(self, name: str, value: str) -> None:
        """Keep a value under that name."""
        self.execute(
            "INSERT INTO notes (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )

    def noted(self, name: str) -> str | None:
        """The value that was kept."""
        rows = self.execute("SELECT value FROM notes WHERE name = ?", (name,))
        return rows[0]["value"] if rows else None

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._connection.close()


_NOTES = "CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"


def stamp(instant: datetime) -> str:
    """An instant as text that sorts by time: 2026-06-01T09:30:00.000000Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_stamp(text: str | None) -> datetime | None:
    """The instant that was stamped."""
    return None if text is None else datetime.fromisoformat(text)


def instant(text: str) -> datetime:
    """The instant that was stamped, of a column that always holds one."""
    return datetime.fromisoformat(text)
