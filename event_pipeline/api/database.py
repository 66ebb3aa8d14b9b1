"""The API's own SQLite file, ``api/api.sqlite`` in the data folder: keys, audit, stored answers, sessions, exports,
who was let in at the door, saved queries."""

from __future__ import annotations

from event_pipeline.settings import Settings
from event_pipeline.sqlite import SqliteFile

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
"""


class Database(SqliteFile):
    """The file of these settings."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.data_dir / "api" / "api.sqlite", _TABLES, "NORMAL")
