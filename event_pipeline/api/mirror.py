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
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from event_pipeline.api.event_copies import OF_MIRROR, PARTS, EventCopies, Grouped
from event_pipeline.api.problems import Problem
from event_pipeline.api.reader import Reader, Row, Session
from event_pipeline.contracts.contract import DUCKDB_TYPES, Contract
from event_pipeline.contracts.core import DIM_CATEGORIES, DIM_CLUBS, DIM_EVENTS
from event_pipeline.contracts.marts import AGG_DAILY_METRICS, AGG_EMAIL_FUNNEL, AGG_EVENT_METRICS, AGG_EVENT_REVENUE
from event_pipeline.contracts.ops import DATA_QUALITY
from event_pipeline.contracts.progress import WAREHOUSE_PROGRESS

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")

_EVERYTHING = "SELECT * FROM {source}"
_LATEST_CHECKS = "SELECT * FROM {source} QUALIFY checked_at = max(checked_at) OVER (PARTITION BY table_name)"
_EVENT_TOTALS = """
SELECT event_id, sum(registrations)::BIGINT AS registrations, sum(participants)::BIGINT AS participants,
    sum(check_ins)::BIGINT AS check_ins, sum(revenue_minor)::BIGINT AS revenue_minor
FROM {source} GROUP BY event_id
"""

COPIES: Mapping[str, tuple[Contract, str]] = {
    **{
        contract.table: (contract, _EVERYTHING)
        for contract in (
            DIM_EVENTS,
            DIM_CLUBS,
            DIM_CATEGORIES,
            AGG_DAILY_METRICS,
            AGG_EVENT_METRICS,
            AGG_EVENT_REVENUE,
            AGG_EMAIL_FUNNEL,
            WAREHOUSE_PROGRESS,
        )
    },
    DATA_QUALITY.table: (DATA_QUALITY, _LATEST_CHECKS),
    "event_totals": (AGG_EVENT_METRICS, _EVENT_TOTALS),
}
"""By its name in ``mirror``, what each copy is made from and how."""

_NO_START = -(2**62)
"""Place of events without a start: after all others."""

_OTHER_REVENUE = """
SELECT event_id, date, currency, revenue_minor FROM mirror.agg_event_revenue
WHERE currency IS DISTINCT FROM (SELECT any_value(currency) FROM mirror.agg_event_metrics)
"""
_OTHER_REVENUE_OF_EVENTS = """
SELECT event_id, list({'amount_minor': amount_minor, 'currency': currency} ORDER BY currency) AS other_revenue FROM (
    SELECT event_id, currency, sum(revenue_minor)::BIGINT AS amount_minor FROM mirror.other_revenue
    GROUP BY ALL HAVING amount_minor <> 0
) GROUP BY event_id
"""
_EVENTS = f"""
SELECT events.*, club_name, category_name, totals.* EXCLUDE (event_id), other_revenue, attended_people,
    coalesce(epoch_us(starts_at), {_NO_START}) AS place,
    starts_at <= (SELECT coalesce(max(as_of), (SELECT committed_at FROM mirror.state)) FROM mirror.warehouse_progress)
        AND coalesce(event_status, '') <> 'cancelled' AS has_started
FROM mirror.dim_events AS events LEFT JOIN mirror.event_totals AS totals USING (event_id)
    LEFT JOIN ({_OTHER_REVENUE_OF_EVENTS}) AS others USING (event_id)
    LEFT JOIN (SELECT event_id, attended_people FROM mirror.agg_email_funnel) USING (event_id)
    LEFT JOIN mirror.dim_clubs USING (club_id) LEFT JOIN mirror.dim_categories USING (category_id)
"""
JOINED: Mapping[str, str] = {"other_revenue": _OTHER_REVENUE, "events": _EVENTS}
"""By its name in ``mirror``, what is made of the copies: joining again for each request costs more than looking up."""

_MAKES_OTHER_TABLES = ("created_", "dropped_", "altered_")
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
        present = _present(cursor)
        changed = _changed_since(cursor, self._reader.metadata, known.snapshot) if known is not None else None
        for name, (contract, content) in COPIES.items():
            if changed is None or contract.name in changed:
                source = contract.qualified if contract.name in present else _nothing(contract)
                cursor.execute(f"CREATE OR REPLACE TABLE mirror.{name} AS {content.format(source=source)}")
        committed_at = _committed_at(cursor, self._reader.metadata, snapshot)
        cursor.execute(
            "CREATE OR REPLACE TABLE mirror.state AS SELECT $1::BIGINT AS snapshot, $2::TIMESTAMPTZ AS committed_at",
            [snapshot, committed_at],
        )
        for name, content in JOINED.items():
            cursor.execute(f"CREATE OR REPLACE TABLE mirror.{name} AS {content}")
        kept = known.events.parts if known is not None and changed is not None else {}
        events = EventCopies(_parts(cursor, present, changed or frozenset(), kept), _checks(cursor))
        state = Mirrored(snapshot, committed_at, present, events)
        # Before anybody can see it.
        self._latest.append(state)
        cursor.execute("COMMIT")
        with self._changed:
            self._current, self._opening = state, self._reader.opening
            self._changed.notify_all()


def _parts(
    cursor: duckdb.DuckDBPyConnection, present: frozenset[str], changed: frozenset[str], kept: Mapping[str, Grouped]
) -> dict[str, Grouped]:
    """Parts of events' pages; those that are kept and whose table has not changed as they are."""
    found = {}
    for name, (contract, content) in PARTS.items():
        if name in kept and contract.name not in changed:
            found[name] = kept[name]
            continue
        source = contract.qualified if contract.name in present else _nothing(contract)
        found[name] = Grouped(cursor.execute(content.format(source=source)).to_arrow_table())
    return found | {name: Grouped(cursor.execute(sql).to_arrow_table()) for name, sql in OF_MIRROR.items()}


def _checks(cursor: duckdb.DuckDBPyConnection) -> list[Row]:
    return (
        cursor.execute("SELECT table_name, score, checked_at, failed FROM mirror.data_quality")
        .to_arrow_table()
        .to_pylist()
    )


def _present(cursor: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The tables of the warehouse as layer.table."""
    rows = cursor.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'warehouse'"
    ).fetchall()
    return frozenset(name for (name,) in rows)


def _changed_since(cursor: duckdb.DuckDBPyConnection, metadata: str, snapshot: int) -> frozenset[str] | None:
    """Tables that later snapshots wrote to; None when one made or dropped tables, so that all may be others."""
    said = cursor.execute(
        f"SELECT changes_made FROM {metadata}.ducklake_snapshot_changes WHERE snapshot_id > ?", [snapshot]
    ).fetchall()
    changes = [part.partition(":") for (text,) in said for part in (text or "").split(",") if part]
    if any(action.startswith(_MAKES_OTHER_TABLES) for action, _, _ in changes):
        return None
    targets = {target for _, _, target in changes}
    names = cursor.execute(
        f"SELECT t.table_id, s.schema_name || '.' || t.table_name FROM {metadata}.ducklake_table t "
        f"JOIN {metadata}.ducklake_schema s USING (schema_id) WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL"
    ).fetchall()
    return frozenset(name for table_id, name in names if str(table_id) in targets)


def _nothing(contract: Contract) -> str:
    """A table that is not there yet is read as an empty one, so that nobody need ask."""
    columns = ", ".join(f'NULL::{DUCKDB_TYPES[column.type]} AS "{column.name}"' for column in contract.columns)
    return f"(SELECT {columns} WHERE false)"


def _instant(at: datetime) -> int:
    """Microseconds since 1970."""
    return round(at.timestamp() * 1_000_000)


def _committed_at(cursor: duckdb.DuckDBPyConnection, metadata: str, snapshot: int) -> datetime:
    """When the tables were last brought up to date; when the snapshot was made, where nothing says so."""
    rows = cursor.execute(
        "SELECT epoch_us(coalesce((SELECT max(committed_at) FROM mirror.warehouse_progress), "
        f"(SELECT snapshot_time::TIMESTAMPTZ FROM {metadata}.ducklake_snapshot WHERE snapshot_id = ?)))",
        [snapshot],
    ).fetchall()
    return datetime.fromtimestamp((rows[0][0] or 0) / 1_000_000, UTC)
