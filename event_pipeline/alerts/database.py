"""The alerts' own SQLite file, ``alerts/alerts.sqlite`` in the data folder: it is there when the warehouse is not."""

from __future__ import annotations

from event_pipeline.settings import Settings
from event_pipeline.sqlite import SqliteFile

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
"""


class AlertDatabase(SqliteFile):
    """The file of these settings."""

    def __init__(self, settings: Settings) -> None:
        # What was told must not be forgotten with the power.
        super().__init__(settings.data_dir / "alerts" / "alerts.sqlite", _TABLES, "FULL")
