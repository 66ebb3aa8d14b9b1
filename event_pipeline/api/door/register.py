"""Who was let in by this data folder's API: written before the answer, so that no two phones admit one person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from event_pipeline.api.database import Database
from event_pipeline.sqlite import from_stamp, stamp

ANSWERS_KEPT = timedelta(days=7)
ARRIVALS_KEPT = timedelta(days=60)
"""Long before that the tables have the arrival."""

_PURGED_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a person was first scanned for an event; ``is_unpaid`` while nobody was told to let them in."""

    since: datetime
    is_unpaid: bool


class Register:
    """Arrivals by event and person, and what each scan was answered, in the API's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._purged_at: datetime | None = None

    @contextmanager
    def decisions(self, now: datetime) -> Iterator[None]:
        """A while in which nobody else decides, kept as a whole or not at all."""
        with self._database.transaction():
            if self._purged_at is None or now - self._purged_at >= _PURGED_EVERY:
                self._purged_at = now
                for table, kept in (("door_answers", ANSWERS_KEPT), ("door_arrivals", ARRIVALS_KEPT)):
                    self._database.execute(f"DELETE FROM {table} WHERE at < ?", (stamp(now - kept),))
            yield

    def answered(self, digests: Sequence[bytes]) -> dict[bytes, tuple[str, datetime | None]]:
        """What scans were answered before: the word, and since when they are in."""
        found = {}
        for digest in digests:
            for row in self._database.execute("SELECT * FROM door_answers WHERE digest = ?", (digest,)):
                found[digest] = row["answer"], from_stamp(row["since"])
        return found

    def keep_answer(self, digest: bytes, answer: str, since: datetime | None, now: datetime) -> None:
        """Remember what a scan is answered, should it be sent again."""
        self._database.execute(
            "INSERT INTO door_answers (digest, at, answer, since) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (digest, stamp(now), answer, stamp(since) if since else None),
        )

    def arrival(self, event_id: str, person: str) -> Arrival | None:
        """The person's arrival at the event, as far as it was scanned here."""
        rows = self._database.execute(
            "SELECT since, is_unpaid FROM door_arrivals WHERE event_id = ? AND person = ?", (event_id, person)
        )
        since = from_stamp(rows[0]["since"]) if rows else None
        return Arrival(since, bool(rows[0]["is_unpaid"])) if since else None

    def keep_arrival(self, event_id: str, person: str, arrival: Arrival, now: datetime) -> None:
        """Remember an arrival in place of what was known of it."""
        self._database.execute(
            "INSERT OR REPLACE INTO door_arrivals (event_id, person, at, since, is_unpaid) VALUES (?, ?, ?, ?, ?)",
            (event_id, person, stamp(now), stamp(arrival.since), arrival.is_unpaid),
        )
