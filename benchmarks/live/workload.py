"""Changes as an evening at the door brings them: registrations, edits and scans of the events that are on."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from event_pipeline.sources.change import Change, ChangeBatch

if TYPE_CHECKING:
    import duckdb

EVENTS = 20
"""Events that changes are about; the newest of the organisation."""

_NEW, _EDIT = 0.6, 0.25
_SOURCE = "export"


@dataclass(frozen=True, slots=True)
class _Known:
    document_id: str
    payload: dict[str, Any]


class Workload:
    """An endless mixture of 60 % new registrations, 25 % edits of registrations and 15 % scans at the door."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, seed: int = 1) -> None:
        rows = connection.execute(
            f"""WITH events AS (
                SELECT event_id FROM lake.staging.registrations GROUP BY 1
                HAVING count(*) BETWEEN 50 AND 500 ORDER BY max(registered_at) DESC, 1 LIMIT {EVENTS})
            SELECT document_id, payload FROM lake.raw.firebase_registrations WHERE document_id IN (
                SELECT registration_id FROM lake.staging.registrations SEMI JOIN events USING (event_id)
                QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY registration_id) <= 50)
            ORDER BY document_id"""
        ).fetchall()
        self._known = [_Known(document_id, json.loads(payload)) for document_id, payload in rows]
        self._random = random.Random(seed)
        self._number = 0
        self._now = datetime.now(UTC)

    def payloads(self) -> list[dict[str, Any]]:
        """Registrations as the app wrote them, to make others of."""
        return [known.payload for known in self._known]

    def batches(self, size: int) -> Iterator[list[ChangeBatch]]:
        """Batches of so many changes, each as the worker takes it: one ChangeBatch a collection."""
        while True:
            registrations, scans = [], []
            for _ in range(size):
                draw = self._random.random()
                if draw < _NEW + _EDIT:
                    registrations.append(self.registration() if draw < _NEW else self.edit())
                else:
                    scans.append(self.scan())
            made = [
                ChangeBatch.of(_SOURCE, "registrations", registrations, {"benchmark": self._number}),
                ChangeBatch.of("inbox", "scans", scans),
            ]
            yield [batch for batch in made if batch.changes.num_rows]

    def registration(self) -> Change:
        """A registration that was not there, by someone new or someone known."""
        known, number = self._random.choice(self._known), self._next()
        payload = dict(known.payload)
        if self._random.random() < 0.5:
            payload["participant_email"] = f"live.{number}@example.org"
        payload |= {"created_at": self._stamp(), "updated_at": self._stamp(), "registration_date": self._stamp()}
        payload |= {"status": "registered", "attendance_status": "not_attended"}
        return self._change(f"-Zlive{number:09d}{self._random.randrange(10**6):06d}", payload)

    def edit(self) -> Change:
        """A registration that an organiser or a payment changed."""
        known = self._random.choice(self._known)
        status = self._random.choice(["verified", "pending", "rejected"])
        return self._change(known.document_id, {**known.payload, "payment_status": status, "updated_at": self._stamp()})

    def scan(self) -> Change:
        """A scan of a registration at the door."""
        known = self._random.choice(self._known)
        scan = {
            "type": "scan",
            "qr_code_data": known.payload.get("qr_code_data"),
            "scanned_at": self._stamp(),
            "scanner_id": f"gate-{self._random.randrange(5)}",
        }
        return Change.upsert("inbox", "scans", f"live-scan-{self._next():09d}", json.dumps(scan), self._now)

    def _change(self, document_id: str, payload: dict[str, Any]) -> Change:
        return Change.upsert(_SOURCE, "registrations", document_id, json.dumps(payload), self._now)

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _stamp(self) -> str:
        self._now = max(self._now + timedelta(microseconds=1), datetime.now(UTC))
        return self._now.isoformat()
