"""Receives webhooks: who sent it is proven, it is kept on disk, and only then remembered and answered.

In that order a process that is killed in between has kept what it has not answered: the sender's identical retry is
taken for new and kept again, under the same document id, so that it counts once.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from event_pipeline.api.audit import Audit
from event_pipeline.api.database import Database
from event_pipeline.api.problems import Problem
from event_pipeline.errors import TransientError
from event_pipeline.inbound.delivery import Accepted, Delivery, Refused
from event_pipeline.inbound.journal import InboxJournal
from event_pipeline.inbound.provider import Provider
from event_pipeline.inbound.providers import providers
from event_pipeline.inbound.sns import Fetch
from event_pipeline.settings import Settings
from event_pipeline.sqlite import stamp

log = structlog.get_logger(__name__)


class Webhooks:
    """The providers that settings know, and which attempts of theirs were accepted already."""

    def __init__(
        self, settings: Settings, database: Database, audit: Audit, journal: InboxJournal, fetch: Fetch
    ) -> None:
        self._database, self._audit, self._journal, self._fetch = database, audit, journal, fetch
        self._providers = providers(settings.inbound, fetch)
        # What is signed at the edge of a clock that is ahead stays acceptable for twice the tolerance.
        self._kept = timedelta(seconds=2 * settings.inbound.clock_tolerance_seconds)
        self._lock = threading.Lock()
        self._arriving: set[bytes] = set()

    def provider(self, path: str) -> Provider:
        """Who sends to ``/webhooks/{path}``. Raises Problem: not-found, not-set-up."""
        found = self._providers.get(path)
        if found is None and "/" in path:
            known = ", ".join(sorted(name for name in self._providers if "/" in name))
            raise Problem("not-found", f"there is no webhook {path}; there are {known}")
        if found is None or not found.is_set_up:
            setting = "inbound.webhooks" if found is None else found.setting
            raise Problem("not-set-up", f"name it in the setting {setting}; docs/inbound.md says how, step by step")
        return found

    def receive(self, path: str, delivery: Delivery, request_id: str) -> Accepted:
        """What was kept of the delivery. Raises Problem."""
        provider = self.provider(path)
        try:
            accepted = provider.accept(delivery)
        except Refused as refused:
            raise Problem(refused.kind, refused.detail) from None
        except TransientError as error:
            raise Problem("sender-away", str(error), {"Retry-After": "60"}) from None
        with self._first_time(provider, accepted.proof, delivery.received_at):
            try:
                self._journal.append(accepted.records)
            except TransientError as error:
                raise Problem("inbox-not-writable", str(error), {"Retry-After": "60"}) from None
        if accepted.confirm:
            self._confirm(provider, accepted.confirm, request_id)
        return accepted

    @contextmanager
    def _first_time(self, provider: Provider, proof: str | None, now: datetime) -> Iterator[None]:
        """Around keeping what an attempt brought, which is remembered once the block has ended well.

        Raises Problem: replayed, when it was kept before, and in-progress while the same attempt is being kept.
        """
        if proof is None:
            yield
            return
        digest = hashlib.sha256(f"{provider.name}\n{proof}".encode()).digest()
        with self._lock:
            if digest in self._arriving:
                raise Problem("in-progress", "this very attempt is being kept; send it again", {"Retry-After": "1"})
            self._arriving.add(digest)
        try:
            if self._database.execute("SELECT 1 FROM webhook_attempts WHERE digest = ?", (digest,)):
                raise Problem("replayed", "its events are kept since then; each attempt needs a signature of its own")
            yield
            self._remember(digest, now)
        finally:
            with self._lock:
                self._arriving.discard(digest)

    def _remember(self, digest: bytes, now: datetime) -> None:
        """Know it again until its signature is too old anyway."""
        try:
            self._database.execute("DELETE FROM webhook_attempts WHERE at < ?", (stamp(now - self._kept),))
            self._database.execute(
                "INSERT INTO webhook_attempts (digest, at) VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, stamp(now))
            )
        except sqlite3.Error:
            # It is kept: asking for it again would gain nothing, and should it come again, it counts once.
            log.exception("webhook_not_remembered")

    def _confirm(self, provider: Provider, address: str, request_id: str) -> None:
        try:
            self._fetch(address)
        except TransientError as error:
            raise Problem("sender-away", str(error), {"Retry-After": "60"}) from None
        self._audit.record(provider.name, "confirm_subscription", provider.setting, request_id)
