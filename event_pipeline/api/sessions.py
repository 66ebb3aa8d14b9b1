"""Who is signed in to the dashboard: a random cookie, kept here as its digest, that stands for an API key.

A session opens what its key opens and ends with it. Cookies are sent by browsers unasked, so what changes anything must
also carry the session's token, and come from a page of this address.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import orjson
from fastapi import Request

from event_pipeline.api.database import Database
from event_pipeline.api.keys import ApiKey, KeyStore
from event_pipeline.sqlite import from_stamp, stamp

COOKIE = "event_pipeline_session"
"""Name of the cookie."""

FORGERY_HEADER = "X-CSRF-Token"
"""Header in which scripts send the session's token; forms have it in a field."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What came of what was asked for, shown once on the next page."""

    text: str
    is_error: bool = False
    follow: str = ""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A browser that is signed in with a key. ``secret`` is the cookie's value and leaves only in the cookie."""

    secret: str
    key: ApiKey
    expires_at: datetime

    @property
    def token(self) -> str:
        """What proves that a request was made by a page of this session: another site cannot read the cookie."""
        return hashlib.sha256(b"csrf:" + self.secret.encode()).hexdigest()

    def accepts(self, token: str) -> bool:
        """Whether that is the session's token."""
        return hmac.compare_digest(self.token.encode(), token.encode())


class Sessions:
    """Begins, recognises and ends sessions."""

    def __init__(self, database: Database, keys: KeyStore) -> None:
        self._database, self._keys = database, keys

    def begin(self, key: ApiKey, hours: float) -> BrowserSession:
        """A new session of that key; sessions that have run out are forgotten."""
        now = datetime.now(UTC)
        session = BrowserSession(secrets.token_urlsafe(32), key, now + timedelta(hours=hours))
        self._database.execute("DELETE FROM sessions WHERE expires_at < ?", (stamp(now),))
        self._database.execute(
            "INSERT INTO sessions (digest, key_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
            (_digest(session.secret), key.key_id, stamp(now), stamp(session.expires_at)),
        )
        return session

    def recognise(self, secret: str) -> BrowserSession | None:
        """The session of that cookie; None when it ended, ran out, or its key is revoked or expired."""
        now = datetime.now(UTC)
        rows = self._database.execute(
            "SELECT key_id, expires_at FROM sessions WHERE digest = ? AND expires_at > ?", (_digest(secret), stamp(now))
        )
        key = self._keys.valid(rows[0]["key_id"], now) if rows else None
        return BrowserSession(secret, key, from_stamp(rows[0]["expires_at"]) or now) if key else None

    def end(self, session: BrowserSession) -> None:
        """Sign out."""
        self._database.execute("DELETE FROM sessions WHERE digest = ?", (_digest(session.secret),))

    def leave(self, session: BrowserSession, notice: Notice) -> None:
        """Keep a notice for the next page."""
        said = orjson.dumps({"text": notice.text, "is_error": notice.is_error, "follow": notice.follow}).decode()
        self._database.execute("UPDATE sessions SET notice = ? WHERE digest = ?", (said, _digest(session.secret)))

    def take(self, session: BrowserSession) -> Notice | None:
        """The notice that was kept, once."""
        digest = _digest(session.secret)
        rows = self._database.execute("SELECT notice FROM sessions WHERE digest = ? AND notice IS NOT NULL", (digest,))
        if not rows:
            return None
        self._database.execute("UPDATE sessions SET notice = NULL WHERE digest = ?", (digest,))
        return Notice(**orjson.loads(rows[0]["notice"]))


def session_of(request: Request, sessions: Sessions) -> BrowserSession | None:
    """The session whose cookie the request carries; None for a request that another site's page made."""
    secret = request.cookies.get(COOKIE)
    return sessions.recognise(secret) if secret and is_same_origin(request) else None


def is_same_origin(request: Request) -> bool:
    """Whether a page of this address made the request, or no page did, as far as the browser says."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin" or (site == "none" and request.method in ("GET", "HEAD"))
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host", "")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
