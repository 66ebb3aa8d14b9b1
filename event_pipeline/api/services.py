"""What every route shares: built once with the application, closed with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Request

from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.api.audit import Audit
from event_pipeline.api.catalog_session import Limits
from event_pipeline.api.conditional import AnswerCache
from event_pipeline.api.counters import Counters
from event_pipeline.api.dagster_look import DagsterLook
from event_pipeline.api.database import Database
from event_pipeline.api.door import Door
from event_pipeline.api.door.lists import DoorLists
from event_pipeline.api.door.register import Register
from event_pipeline.api.exports.runner import ExportRunner
from event_pipeline.api.exports.store import ExportStore
from event_pipeline.api.exports.streaming import Places
from event_pipeline.api.idempotency import StoredAnswers
from event_pipeline.api.keys import KeyStore
from event_pipeline.api.mirror import Mirror
from event_pipeline.api.problems import Problem
from event_pipeline.api.rates import RateLimiter
from event_pipeline.api.reader import Reader
from event_pipeline.api.saved_queries import SavedQueryStore
from event_pipeline.api.sessions import Sessions
from event_pipeline.api.source_look import SourceLook
from event_pipeline.api.standing import Standings
from event_pipeline.api.webhooks import Webhooks
from event_pipeline.background_task import BackgroundTask, TaskStates
from event_pipeline.control import DagsterControl
from event_pipeline.errors import PipelineError
from event_pipeline.inbound.journal import InboxJournal
from event_pipeline.inbound.sns import fetch
from event_pipeline.settings import Settings
from event_pipeline.sql import Sandbox
from event_pipeline.warehouse.catalog_copies import CatalogCopies

FRESH_ANSWERS = "api-mirror"
"""The background task that brings answers up to date."""

_LISTINGS = 1
"""Sessions that exports under way leave to who only asks which tables there are."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Services:
    """The parts of a running API. ``private`` reads the lake too and is for routes with the scope ``pii``, the door and
    states of sources alone, ``exporting`` for exports; ``now`` gives the instant that decides what today is."""

    settings: Settings
    database: Database
    keys: KeyStore
    sessions: Sessions
    audit: Audit
    saved_queries: SavedQueryStore
    stored_answers: StoredAnswers
    limiter: RateLimiter
    counters: Counters
    reader: Reader
    private: Reader
    copies: CatalogCopies
    exporting: Reader
    export_places: Places
    exports: ExportRunner
    mirror: Mirror
    sources: SourceLook
    cache: AnswerCache
    dagster: DagsterLook
    standings: Standings
    sandbox: Sandbox
    alerts: AlertDatabase
    inbox: InboxJournal
    webhooks: Webhooks
    door: Door
    tasks: TaskStates
    now: Callable[[], datetime] = _now

    @classmethod
    def of(cls, settings: Settings) -> Services:
        """The parts for these settings; the warehouse is opened with the first look at it."""
        database = Database(settings)
        keys = KeyStore(database)
        audit = Audit(database)
        copies = CatalogCopies(settings)
        # Nothing that it reads is newer than the copies in memory, which are refreshed through it.
        reader = Reader(settings, ("warehouse",), copies=copies, lags=True)
        private = Reader(settings, ("lake", "warehouse"), copies=copies)
        tasks = TaskStates()
        inbox = InboxJournal(settings.inbox_dir, tasks)
        return cls(
            settings=settings,
            database=database,
            keys=keys,
            sessions=Sessions(database, keys),
            audit=audit,
            stored_answers=StoredAnswers(database),
            limiter=RateLimiter(),
            counters=Counters(),
            reader=reader,
            exporting=Reader(settings, ("warehouse",), _export_limits(settings), copies),
            export_places=Places(settings.exports.streams),
            exports=ExportRunner(settings, ExportStore(database), audit, tasks),
            private=private,
            copies=copies,
            mirror=Mirror(reader),
            sources=SourceLook(private, settings.api.refresh_seconds),
            cache=AnswerCache(),
            dagster=DagsterLook(settings),
            standings=Standings(),
            saved_queries=SavedQueryStore(database),
            sandbox=Sandbox(settings, copies=copies),
            alerts=AlertDatabase(settings),
            inbox=inbox,
            webhooks=Webhooks(settings, database, audit, inbox, fetch),
            door=Door(
                DoorLists(private, settings.api.refresh_seconds, settings.organisation.time_zone),
                Register(database),
                inbox,
                ZoneInfo(settings.organisation.time_zone),
            ),
            tasks=tasks,
        )

    @property
    def today(self) -> date:
        """The organisation's day."""
        return self.now().astimezone(ZoneInfo(self.settings.organisation.time_zone)).date()

    def control(self) -> DagsterControl:
        """A handle on Dagster, to be closed by who asked for it."""
        return DagsterControl(self.settings.dagster_url, timeout=self.settings.api.dagster_seconds)

    def follow_warehouse(self, stop: threading.Event) -> threading.Thread:
        """A thread that keeps the copies of the warehouse's tables fresh until stopped."""
        pause = self.settings.api.refresh_seconds
        task = BackgroundTask(
            FRESH_ANSWERS, lambda: self.mirror.turn(pause), self.tasks, stop, expected=(Problem, PipelineError)
        )
        task.start()
        return task

    @property
    def stale_reason(self) -> str:
        """Why answers may be too old; empty while they are not."""
        seconds = self.mirror.unverified_seconds
        if seconds <= self.settings.api.stale_seconds:
            return ""
        why = self.tasks.state(FRESH_ANSWERS).failure or "the thread that does so hangs, or has not had its turn"
        at = self.mirror.verified_at
        since = f"since {at:%Y-%m-%d %H:%M:%S} UTC" if at else "so far"
        return f"answers could not be brought up to date {since}: {why}"

    def close(self) -> None:
        """Give back what is open."""
        self.sandbox.close()
        self.exports.close()
        self.exporting.close()
        self.inbox.close()
        self.reader.close()
        self.private.close()
        self.copies.close()
        self.database.close()
        self.alerts.close()


def _export_limits(settings: Settings) -> Limits:
    exports = settings.exports
    sessions = exports.streams + exports.jobs + _LISTINGS
    return Limits(sessions, settings.api.query_seconds, exports.stream_seconds, exports.memory_megabytes)


def services_of(request: Request) -> Services:
    """The services of the application that answers."""
    return request.app.state.services


Shared = Annotated[Services, Depends(services_of)]
"""A route's parameter for the services."""
