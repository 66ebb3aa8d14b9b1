"""The key that a new data folder starts with."""

from __future__ import annotations

from contextlib import closing

from event_pipeline.api.audit import COMMAND_LINE, Audit
from event_pipeline.api.database import Database
from event_pipeline.api.keys.key import SCOPES
from event_pipeline.api.keys.store import KeyStore
from event_pipeline.settings import Settings


def ensure_first_key(settings: Settings) -> str | None:
    """A key with every scope, when none was ever issued for this data folder; None when one was, revoked or not.

    It is returned this once and cannot be read again.
    """
    with closing(Database(settings)) as database:
        keys = KeyStore(database)
        # Two that start at once must not both find none.
        with database.transaction():
            if keys.known():
                return None
            key, secret = keys.create("first key", SCOPES)
            Audit(database).record(COMMAND_LINE, "create_key", key.key_id, details={"scopes": sorted(key.scopes)})
        return secret
