"""The keys in the API's database: issued once in clear, then known by their digest."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import orjson

from event_pipeline.api.database import Database
from event_pipeline.api.keys.key import SCOPES, ApiKey, digest, key_id_of, new_secret
from event_pipeline.errors import SettingsError
from event_pipeline.sqlite import from_stamp, stamp

_NOTED_EVERY = timedelta(minutes=1)
"""How exact ``last_used_at`` is: a write for every request would cost more than the request."""


class KeyStore:
    """Issues, lists, revokes and recognises keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        expires_at: datetime | None = None,
        requests_per_minute: int | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its secret, which nobody can read again. Raises SettingsError for unknown or no scopes."""
        wanted = frozenset(scopes)
        if not wanted or wanted - set(SCOPES):
            wrong = ", ".join(sorted(wanted - set(SCOPES)))
            raise SettingsError(
                f"{f'there is no scope {wrong}' if wrong else 'a key needs a scope'}; scopes are {', '.join(SCOPES)}"
            )
        key_id, secret = new_secret()
        now = datetime.now(UTC)
        self._database.execute(
            "INSERT INTO keys (key_id, name, digest, scopes, requests_per_minute, created_at, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                key_id,
                name,
                digest(secret),
                orjson.dumps(sorted(wanted)).decode(),
                requests_per_minute,
                stamp(now),
                stamp(expires_at) if expires_at else None,
            ),
        )
        return ApiKey(key_id, name, wanted, now, requests_per_minute, expires_at), secret

    def recognise(self, secret: str, now: datetime | None = None) -> ApiKey | None:
        """The key of that secret, when it is valid; None otherwise, whatever the reason."""
        at = now or datetime.now(UTC)
        key_id = key_id_of(secret)
        rows = self._database.execute("SELECT * FROM keys WHERE key_id = ?", (key_id,)) if key_id else []
        if not rows or not hmac.compare_digest(rows[0]["digest"], digest(secret)):
            return None
        return self._used(_key(rows[0]), at)

    def valid(self, key_id: str, now: datetime | None = None) -> ApiKey | None:
        """The key of that id, when it is valid: for who proved earlier to hold it."""
        rows = self._database.execute("SELECT * FROM keys WHERE key_id = ?", (key_id,))
        return self._used(_key(rows[0]), now or datetime.now(UTC)) if rows else None

    def _used(self, key: ApiKey, at: datetime) -> ApiKey | None:
        if not key.is_valid(at):
            return None
        if key.last_used_at is None or at - key.last_used_at >= _NOTED_EVERY:
            self._database.execute("UPDATE keys SET last_used_at = ? WHERE key_id = ?", (stamp(at), key.key_id))
        return key

    def known(self) -> list[ApiKey]:
        """Every key, revoked ones included, the oldest first."""
        return [_key(row) for row in self._database.execute("SELECT * FROM keys ORDER BY created_at, key_id")]

    def revoke(self, key_id: str) -> ApiKey:
        """Close a key for good; closing it again changes nothing. Raises SettingsError for an unknown id."""
        self._database.execute(
            "UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE key_id = ?", (stamp(datetime.now(UTC)), key_id)
        )
        rows = self._database.execute("SELECT * FROM keys WHERE key_id = ?", (key_id,))
        if not rows:
            raise SettingsError(f"there is no key {key_id!r}; `event-pipeline keys list` shows their ids")
        return _key(rows[0])


def _key(row: sqlite3.Row) -> ApiKey:
    return ApiKey(
        key_id=row["key_id"],
        name=row["name"],
        scopes=frozenset(orjson.loads(row["scopes"])),
        created_at=from_stamp(row["created_at"]) or datetime.now(UTC),
        requests_per_minute=row["requests_per_minute"],
        expires_at=from_stamp(row["expires_at"]),
        revoked_at=from_stamp(row["revoked_at"]),
        last_used_at=from_stamp(row["last_used_at"]),
    )
