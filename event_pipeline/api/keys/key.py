"""What a key looks like and what it allows.

``ep_h3k9x2aa_<43 characters>``: the part up to the second underscore names the key wherever it is shown, the rest is
256 random bits. So many bits cannot be guessed or searched, which is why a plain SHA-256 of the whole is kept: a slow
hash is for passwords that people choose.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Scope = Literal["read", "sql", "export", "scan", "operate", "pii", "admin"]
"""``read`` figures and states, ``sql`` own queries, ``export`` files, ``scan`` tickets at the door, ``operate`` the
pipeline, ``pii`` names and addresses, ``admin`` counters, audit and keys. None implies another."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_SHAPE = re.compile(r"(ep_[a-z2-9]{8})_[\w-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept and shown. ``requests_per_minute`` is None where the setting holds."""

    key_id: str
    name: str
    scopes: frozenset[str]
    created_at: datetime
    requests_per_minute: int | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Whether it opens anything at that instant."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def new_secret() -> tuple[str, str]:
    """A fresh key id, and the whole key that is shown once."""
    key_id = "ep_" + "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return key_id, f"{key_id}_{secrets.token_urlsafe(32)}"


def key_id_of(secret: str) -> str | None:
    """The id within a key; None for a text that is no key."""
    found = _SHAPE.fullmatch(secret)
    return found[1] if found else None


def digest(secret: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode()).digest()
