"""The API's own SQLite file, ``api/api.sqlite`` in the data folder: keys, audit, stored answers, sessions, exports,
who was let in at the door, saved queries."""

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
CREATE TABLE IF NOT EXISTS keys (
    key_id TEXT PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, scopes TEXT NOT NULL,
    requests_per_minute INTEGER, created_at TEXT NOT NULL, expires_at TEXT, revoked_at TEXT, last_used_at TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS audit (
    audit_id INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
    request_id TEXT NOT NULL, details TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS stored_answers (
    key_id TEXT NOT NULL, idempotency_key TEXT NOT NULL, fingerprint TEXT NOT NULL, at TEXT NOT NULL,
    status INTEGER, headers TEXT, body BLOB, PRIMARY KEY (key_id, idempotency_key)
) STRICT;
CREATE TABLE IF NOT EXISTS sessions (
    digest BLOB PRIMARY KEY, key_id TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL, notice TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS exports (
    export_id TEXT PRIMARY KEY, key_id TEXT NOT NULL, request TEXT NOT NULL, label TEXT NOT NULL, format TEXT NOT NULL,
    state TEXT NOT NULL, owner TEXT NOT NULL, created_at TEXT NOT NULL, started_at TEXT, finished_at TEXT,
    expires_at TEXT, rows INTEGER NOT NULL DEFAULT 0, rows_total INTEGER, bytes INTEGER NOT NULL DEFAULT 0,
    snapshot INTEGER, problem TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS webhook_attempts (digest BLOB PRIMARY KEY, at TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS webhook_attempts_at ON webhook_attempts (at);
CREATE TABLE IF NOT EXISTS door_answers (
    digest BLOB PRIMARY KEY, at TEXT NOT NULL, answer TEXT NOT NULL, since TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS door_answers_at ON door_answers (at);
CREATE TABLE IF NOT EXISTS door_arrivals (
    event_id TEXT NOT NULL, person TEXT NOT NULL, at TEXT NOT NULL, since TEXT NOT NULL, is_unpaid INTEGER NOT NULL,
    PRIMARY KEY (event_id, person)
) STRICT;
CREATE INDEX IF NOT EXISTS door_arrivals_at ON door_arrivals (at);
CREATE TABLE IF NOT EXISTS saved_queries (
    query_id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, description TEXT NOT NULL, sql TEXT NOT NULL,
    params TEXT NOT NULL, dialect TEXT NOT NULL, created_by TEXT NOT NULL, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class Database:
    """One connection that threads share, each statement on its own; several processes may have the file open."""

    def __init__(self, settings: Settings) -> None:
        folder = settings.data_dir / "api"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "api.sqlite"
        # Only digests of keys are in it, but the audit says who looked at whom.
        path.touch(mode=0o600)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, _BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
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
