"""The tables that people look at most, copied into memory whenever the warehouse has changed.

A look into a DuckLake table costs 10 to 20 ms before its first row and waits for whoever is committing; a request that
needs five of them is answered from here in a few. Copies are made in the background, of one snapshot, and change hands
together; what is asked about one event at a time is in ``event_copies``. Long tables (facts, batches) are not copied.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from event_pipeline.api.catalog_session import Session
from event_pipeline.api.event_copies import EventCopies
from event_pipeline.api.mirror_copies import (
    COPIES,
    JOINED,
    changed_since,
    committed_at_of,
    empty_table,
    event_parts,
    latest_checks,
    present_tables,
)
from event_pipeline.api.problems import Problem
from event_pipeline.api.reader import Reader

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")


_LEAST_SHARE = 10
"""A copy is followed by a pause of so many times its own length, so that a busy warehouse costs little."""
_LONGEST_PAUSE_SECONDS = 10.0
"""And no longer: where copying is slow because the machine is busy, figures must not grow old besides."""
_KEPT = 4
"""States that are known, so that a look which began before the latest finds its own."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What the copies are of: the snapshot, when it was committed, and which tables the warehouse had."""

    snapshot: int
    committed_at: datetime
    present: frozenset[str]
    events: EventCopies = field(repr=False, compare=False)
    _made: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What ``make`` gives, worked out once for this state: different questions have parts in common."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


class Mirror:
    """Keeps the copies. ``current`` may be read by any thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._verified: tuple[float, datetime] | None = None
        self._failed = False
        self._changed = threading.Condition()
        self._refreshing = threading.Lock()
        self._current: Mirrored | None = None
        self._latest: deque[Mirrored] = deque(maxlen=_KEPT)
        self._opening = -1

    @property
    def current(self) -> Mirrored:
        """What the copies are of, made now when there are none. Raises Problem."""
        if self._current is None or self._opening != self._reader.opening:
            return self.refresh()
        return self._current

    @property
    def verified_at(self) -> datetime | None:
        """When it was last made sure that nothing newer was committed; None when never."""
        return self._verified[1] if self._verified else None

    @property
    def unverified_seconds(self) -> float:
        """For how long nobody could make sure that answers are of the newest state; infinite when never."""
        return time.monotonic() - self._verified[0] if self._verified else math.inf

    def state_in(self, session: Session) -> Mirrored:
        """What the copies that this session sees are of: they may be exchanged for newer ones at any time."""
        (seen,) = session.rows("SELECT snapshot, epoch_us(committed_at) AS at FROM mirror.state")
        for state in reversed(self._latest):
            if (state.snapshot, _instant(state.committed_at)) == (seen["snapshot"], seen["at"]):
                return state
        raise Problem("busy", "the figures changed several times meanwhile; try again", {"Retry-After": "1"})

    def refresh(self) -> Mirrored:
        """Copy what has changed since the last time. Raises Problem when the warehouse cannot be read.

        What was copied before stays then, and is answered as of its own instant.
        """
        with self._refreshing:
            began, at = time.monotonic(), datetime.now(UTC)
            # After a failure everything is made anew: a catalog that was restored may have other tables by old names.
            is_anew, self._failed = self._failed, True
            if is_anew:
                self._reader.change_anew(lambda cursor: self._copy(cursor, None))
                self._opening = self._reader.opening
            else:
                self._reader.change(lambda cursor: self._copy(cursor, self._known))
            if self._current is None:
                raise Problem("warehouse-not-ready", "the warehouse has no state yet; try again in a second")
            self._verified, self._failed = (began, at), False
            return self._current

    def wait_beyond(self, snapshot: int, timeout_seconds: float) -> bool:
        """Wait until the copies are of a later snapshot; whether they are."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._current is not None and self._current.snapshot > snapshot, timeout_seconds
            )

    def turn(self, pause_seconds: float) -> float:
        """Refresh, and the seconds until it is to be done again; for a background task. Raises Problem and any error
        of DuckDB's."""
        began = time.monotonic()
        self.refresh()
        return max(pause_seconds, min(_LEAST_SHARE * (time.monotonic() - began), _LONGEST_PAUSE_SECONDS))

    @property
    def _known(self) -> Mirrored | None:
        """The state that the connection's memory holds."""
        return self._current if self._opening == self._reader.opening else None

    def _copy(self, cursor: duckdb.DuckDBPyConnection, known: Mirrored | None) -> None:
        """Every table that changed since the known state, in one transaction."""
        cursor.execute("BEGIN TRANSACTION")
        ((snapshot,),) = cursor.execute("SELECT id FROM warehouse.current_snapshot()").fetchall()
        if known is not None and known.snapshot == snapshot:
            cursor.execute("ROLLBACK")
            return
        present = present_tables(cursor)
        changed = changed_since(cursor, self._reader.metadata, known.snapshot) if known is not None else None
        for name, (contract, content) in COPIES.items():
            if changed is None or contract.name in changed:
                source = contract.qualified if contract.name in present else empty_table(contract)
                cursor.execute(f"CREATE OR REPLACE TABLE mirror.{name} AS {content.format(source=source)}")
        committed_at = committed_at_of(cursor, self._reader.metadata, snapshot)
        cursor.execute(
            "CREATE OR REPLACE TABLE mirror.state AS SELECT $1::BIGINT AS snapshot, $2::TIMESTAMPTZ AS committed_at",
            [snapshot, committed_at],
        )
        for name, content in JOINED.items():
            cursor.execute(f"CREATE OR REPLACE TABLE mirror.{name} AS {content}")
        kept = known.events.parts if known is not None and changed is not None else {}
        events = EventCopies(event_parts(cursor, present, changed or frozenset(), kept), latest_checks(cursor))
        state = Mirrored(snapshot, committed_at, present, events)
        # Before anybody can see it.
        self._latest.append(state)
        cursor.execute("COMMIT")
        with self._changed:
            self._current, self._opening = state, self._reader.opening
            self._changed.notify_all()


def _instant(at: datetime) -> int:
    """Microseconds since 1970."""
    return round(at.timestamp() * 1_000_000)
