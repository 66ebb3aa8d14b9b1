"""Whom an event expects, from the warehouse: kept for each event at whose door people are scanned, and read anew."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from event_pipeline.api.problems import Problem
from event_pipeline.api.queries.names import NAMES
from event_pipeline.api.reader import Reader
from event_pipeline.contracts.door_scans import DAYS_AROUND

_MOST_EVENTS = 100
_LEAST_SHARE = 10
"""A list is read again after so many times as long as it took, so that a long one costs little."""

_LIST = """
WITH registered AS (
    SELECT registration_id, source_event_id, team_size, is_cancelled, registrant_key AS person,
        coalesce(payment_status = 'verified', false) AS is_paid
    FROM warehouse.core.fact_registrations WHERE source_event_id = $event_id
), arrived AS (
    SELECT person, min(occurred_at) AS arrived_at
    FROM warehouse.core.fact_attendance a JOIN registered USING (registration_id)
    WHERE a.source_event_id = $event_id AND is_counted GROUP BY 1
)
SELECT r.registration_id, r.source_event_id AS event_id, r.person, r.team_size, r.is_cancelled,
    coalesce(e.is_paid, false) AND NOT bool_or(r.is_paid AND NOT r.is_cancelled)
        OVER (PARTITION BY r.person) AS is_unpaid,
    a.person IS NOT NULL AS is_in, a.arrived_at, u.undone_at,
    e.start_date - $days_around::INTEGER AS first_day,
    greatest(e.start_date, timezone($zone, e.ends_at)::DATE) + $days_around::INTEGER AS last_day
FROM registered r
    LEFT JOIN arrived a USING (person)
    LEFT JOIN lake.staging.attendance_reversals u USING (registration_id)
    LEFT JOIN warehouse.core.dim_events e ON e.event_id = r.source_event_id
"""
_EVENTS_OF = """
SELECT DISTINCT source_event_id FROM warehouse.core.fact_registrations
WHERE list_contains($registrations, registration_id)
"""
_NAMES = f"""
WITH wanted AS (SELECT unnest($registrations::VARCHAR[]) AS registration_id), {NAMES}
SELECT registration_id, participant_name FROM names WHERE participant_name IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Expected:
    """A registration. ``person`` is the registrant whom a check-in belongs to; ``is_in`` when the tables say they have
    come, at ``arrived_at`` where that is known; ``undone_at`` is when attendance was last taken back. The event's codes
    are good from ``first_day`` to ``last_day``, None for one without a start."""

    registration_id: str
    event_id: str
    person: str
    team_size: int
    is_cancelled: bool
    is_unpaid: bool
    is_in: bool
    arrived_at: datetime | None
    undone_at: datetime | None
    first_day: date | None = None
    last_day: date | None = None

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and last day on which the code is good."""
        return (self.first_day, self.last_day) if self.first_day and self.last_day else None


@dataclass
class _List:
    expected: Mapping[str, Expected] | None = None
    began: float = 0.0
    stale_from: float = 0.0
    reading: threading.Lock = field(default_factory=threading.Lock)


class DoorLists:
    """Lists by event; ``reader`` reads lake and warehouse, ``time_zone`` is the organisation's, ``clock`` gives seconds
    that only go forward."""

    def __init__(
        self, reader: Reader, refresh_seconds: float, time_zone: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader, self._refresh_seconds, self._time_zone, self._clock = reader, refresh_seconds, time_zone, clock
        self._lock = threading.Lock()
        self._lists: OrderedDict[str, _List] = OrderedDict()

    def expected(self, wanted: Mapping[str, str | None]) -> dict[str, Expected]:
        """Those registrations that exist, by their ids; ``wanted`` gives the event that a code names for each.

        Whoever is on no list is looked for in the warehouse itself before they are called unknown. Raises Problem.
        """
        found = self._on_lists(wanted)
        missing = [registration_id for registration_id in wanted if registration_id not in found]
        if missing:
            with self._reader.session() as session:
                rows = session.rows(_EVENTS_OF, {"registrations": missing})
            for row in rows:
                listed = self._list(row["source_event_id"], is_new=True)
                found |= {name: listed[name] for name in missing if name in listed}
        return found

    def names(self, registration_ids: Iterable[str]) -> dict[str, str]:
        """Names by registration, of those that have one. Raises Problem."""
        with self._reader.session() as session:
            rows = session.rows(_NAMES, {"registrations": sorted(set(registration_ids))})
        return {row["registration_id"]: row["participant_name"] for row in rows}

    def _on_lists(self, wanted: Mapping[str, str | None]) -> dict[str, Expected]:
        with self._lock:
            known = {event_id for event_id in wanted.values() if event_id in self._lists}
        lists = {event_id: self._list(event_id) for event_id in known if event_id is not None}
        return {
            registration_id: lists[event_id][registration_id]
            for registration_id, event_id in wanted.items()
            if event_id in lists and registration_id in lists[event_id]
        }

    def _list(self, event_id: str, *, is_new: bool = False) -> Mapping[str, Expected]:
        """The event's list, read anew when it is old; one reads while others go on with the old one."""
        with self._lock:
            listed = self._lists.setdefault(event_id, _List())
            self._lists.move_to_end(event_id)
            while len(self._lists) > _MOST_EVENTS:
                self._lists.popitem(last=False)
        asked_at = self._clock()
        if not is_new and listed.expected is not None and asked_at < listed.stale_from:
            return listed.expected
        if not listed.reading.acquire(blocking=is_new or listed.expected is None):
            return listed.expected or {}
        try:
            # Whoever waited for another's reading that began after their question needs none of their own.
            if listed.expected is None or listed.began < asked_at:
                began = self._clock()
                listed.expected = self._read(event_id)
                took = self._clock() - began
                listed.began, listed.stale_from = began, began + max(self._refresh_seconds, _LEAST_SHARE * took)
        except Problem:
            # At the door an old list is better than none.
            if listed.expected is None or is_new:
                raise
        finally:
            listed.reading.release()
        return listed.expected

    def _read(self, event_id: str) -> Mapping[str, Expected]:
        values = {"event_id": event_id, "zone": self._time_zone, "days_around": DAYS_AROUND}
        with self._reader.session() as session:
            return {row["registration_id"]: Expected(**row) for row in session.rows(_LIST, values)}
