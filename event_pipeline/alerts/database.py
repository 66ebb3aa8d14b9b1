"""The alerts' own SQLite file, ``alerts/alerts.sqlite`` in the data folder: it is there when the warehouse is not."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from event_pipeline.settings import Settings

_BUSY_SECONDS = 10.0

_TABLES = """
CREATE TABLE IF NOT EXISTS alerts (
    fingerprint TEXT NOT NULL, pending_since TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL,
    state TEXT NOT NULL, severity TEXT NOT NULL, owner TEXT NOT NULL, summary TEXT NOT NULL, value REAL,
    labels TEXT NOT NULL, link TEXT NOT NULL, firing_since TEXT, absent_since TEXT, resolved_at TEXT, told TEXT,
    told_at TEXT, PRIMARY KEY (fingerprint, pending_since)
) STRICT;
CREATE INDEX IF NOT EXISTS alerts_by_time ON alerts (pending_since DESC, fingerprint);
CREATE TABLE IF NOT EXISTS silences (
    silence_id TEXT PRIMARY KEY, matchers TEXT NOT NULL, starts_at TEXT NOT NULL, until TEXT NOT NULL,
    who TEXT NOT NULL, why TEXT NOT NULL, ended_at TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS notifications (
    sequence INTEGER PRIMARY KEY, notification_id TEXT NOT NULL UNIQUE, receiver TEXT NOT NULL, kind TEXT NOT NULL,
    rule TEXT NOT NULL, alerts TEXT NOT NULL, created_at TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    next_attempt_at TEXT NOT NULL, error TEXT NOT NULL, sent_at TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS notifications_waiting ON notifications (receiver, sequence)
    WHERE state IN ('waiting', 'sending');
CREATE TABLE IF NOT EXISTS job_results (
    job TEXT PRIMARY KEY, storage_id INTEGER NOT NULL, failures INTEGER NOT NULL, run_id TEXT NOT NULL,
    at TEXT NOT NULL, failing_since TEXT, message TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS check_results (
    asset TEXT NOT NULL, name TEXT NOT NULL, storage_id INTEGER NOT NULL, passed INTEGER NOT NULL,
    is_error INTEGER NOT NULL, failures INTEGER NOT NULL, run_id TEXT NOT NULL, at TEXT NOT NULL,
    message TEXT NOT NULL, PRIMARY KEY (asset, name)
) STRICT;
CREATE TABLE IF NOT EXISTS samples (
    name TEXT NOT NULL, at TEXT NOT NULL, value REAL NOT NULL, PRIMARY KEY (name, at)
) STRICT;
CREATE TABLE IF NOT EXISTS document_fields (
    collection TEXT NOT NULL, field TEXT NOT NULL, first_seen_at TEXT NOT NULL, documents INTEGER NOT NULL,
    recent INTEGER NOT NULL, is_known INTEGER NOT NULL, PRIMARY KEY (collection, field)
) STRICT;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class AlertDatabase:
    """One connection that threads share, each statement on its own; several processes may have the file open."""

    def __init__(self, settings: Settings) -> None:
        folder = settings.data_dir / "alerts"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "alerts.sqlite"
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, _BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # What was told must not be forgotten with the power.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_TABLES)

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


def stamp(instant: datetime) -> str:
    """An instant as text that sorts by time: 2026-06-01T09:30:00.000000Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_stamp(text: str | None) -> datetime | None:
    """The instant that was stamped."""
    return None if text is None else datetime.fromisoformat(text)


def instant(text: str) -> datetime:
    """The instant that was stamped, of a column that always holds one."""
    return datetime.fromisoformat(text)
