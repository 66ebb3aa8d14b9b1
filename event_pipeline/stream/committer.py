"""Commits micro-batches: raw changes with their cursors, then every table that they touch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from event_pipeline.increments.driver import Brought, Driver
from event_pipeline.increments.stage import Increased
from event_pipeline.settings import Settings
from event_pipeline.sources.change import ChangeBatch
from event_pipeline.stream.sources.live_source import LiveReport
from event_pipeline.warehouse.lake import Lake

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend


@dataclass(frozen=True, slots=True)
class Committed:
    """What committing a batch did. ``rows_in`` and ``rows_new`` count changes by source; ``reason`` says why the tables
    were rebuilt, empty when they were not."""

    snapshot: int
    seconds: float
    rows_in: Counter[str] = field(default_factory=Counter)
    rows_new: Counter[str] = field(default_factory=Counter)
    increased: list[Increased] = field(default_factory=list)
    reason: str = ""


class Committer:
    """Brings batches into the lake and the warehouse over one connection, which only it uses."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._settings = settings
        self._driver = Driver(backend, settings)
        self._lake = Lake(backend.con, settings)

    def catch_up(self) -> Brought:
        """Makes the tables where they are missing or outdated, and applies what others have put into the lake."""
        return self._driver.bring_up_to_date(_this_hour())

    def commit(self, batches: Sequence[ChangeBatch], reports: Sequence[LiveReport]) -> Committed:
        """Commits the batches in their order, each with its cursors, and what they change in every table.

        ``reports`` are what sources said of themselves since the last commit; both may be empty. When it raises,
        nothing or only some of the first batches were committed; committing all of them again is safe.
        """
        started = time.perf_counter()
        rows_in, rows_new = Counter[str](), Counter[str]()
        for batch in batches:
            rows_in[batch.source] += batch.changes.num_rows
            rows_new[batch.source] += self._lake.commit(batch)
        brought = self.catch_up()
        return Committed(
            brought.snapshot, time.perf_counter() - started, rows_in, rows_new, brought.increased, brought.reason
        )


def _this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
