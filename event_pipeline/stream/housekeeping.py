"""What the worker does when nothing comes in: commits states, applies what others committed, forgets old batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import duckdb
import structlog

from event_pipeline.contracts.stream import BATCHES
from event_pipeline.errors import TransientError
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction

log = structlog.get_logger()

IDLE_SECONDS = 60.0
"""Without any batch a commit of nothing is due so often: the hour passes, and Dagster runs change tables too."""

CALM_SECONDS = 2.0
"""So long after the last batch a commit of nothing brings along the tables that batches left for a calmer moment."""

REPORTS_SECONDS = 2.0
"""States of sources alone are committed no more often than this: each commit is a snapshot."""


class Housekeeping:
    """When a commit without a batch is due, and the day's purge. For the commit loop's thread."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._committed_at = clock()
        self._is_calm = True
        self._purged: date | None = None

    def committed(self, *, has_batches: bool) -> None:
        """A commit was made just now."""
        self._committed_at, self._is_calm = self._clock(), not has_batches

    def seconds_until_due(self, has_reports: bool) -> float:
        """Until a commit without a batch is due; 0 when it is."""
        wait = IDLE_SECONDS if self._is_calm else CALM_SECONDS
        if has_reports:
            wait = min(wait, REPORTS_SECONDS)
        return max(0.0, self._committed_at + wait - self._clock())

    def is_due(self, has_reports: bool) -> bool:
        """Whether it is."""
        return self.seconds_until_due(has_reports) <= 0

    def purge(self) -> None:
        """Once a day, and only while nothing comes in. What keeps it from that keeps nothing else; tomorrow will do."""
        today = datetime.now(UTC).date()
        if not self._is_calm or self._purged == today:
            return
        self._purged = today
        try:
            purged = purge_batches(self._settings, datetime.now(UTC))
        except (duckdb.Error, OSError, TransientError) as error:
            log.warning("batches_not_purged", reason=type(error).__name__)
            return
        if purged:
            log.info("batches_purged", rows=purged)


def purge_batches(settings: Settings, now: datetime) -> int:
    """Forgets the batches that were committed longer ago than ``retention.batches_days``; returns their rows."""
    oldest = now - timedelta(days=settings.retention.batches_days)
    with connect(settings, ("warehouse",)) as connection:
        ((old,),) = connection.execute(
            f"SELECT count(*) FROM {BATCHES.qualified} WHERE committed_at < ?", [oldest]
        ).fetchall()
        if old:
            with write_transaction(connection, settings):
                connection.execute(f"DELETE FROM {BATCHES.qualified} WHERE committed_at < ?", [oldest])
    return int(old)
