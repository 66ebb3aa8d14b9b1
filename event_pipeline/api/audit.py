"""Who looked at personal data and who changed how the pipeline is run: an append-only table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from event_pipeline.api.database import Database
from event_pipeline.sqlite import from_stamp, stamp

COMMAND_LINE = "command line"
"""Actor of what is done by ``event-pipeline keys``."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action. ``actor`` is a key's id or the command line; ``target`` what it was done to."""

    audit_id: int
    at: datetime
    actor: str
    action: str
    target: str
    request_id: str
    details: dict[str, Any]


class Audit:
    """Writes the table, and reads its newest entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(
        self, actor: str, action: str, target: str, request_id: str = "", details: dict[str, Any] | None = None
    ) -> None:
        """Add an entry; committed on return, so what it permits may be done afterwards."""
        self._database.execute(
            "INSERT INTO audit (at, actor, action, target, request_id, details) VALUES (?, ?, ?, ?, ?, ?)",
            (stamp(datetime.now(UTC)), actor, action, target, request_id, orjson.dumps(details or {}).decode()),
        )

    def entries(self, limit: int, before: int | None = None) -> list[AuditEntry]:
        """The newest entries, or the newest with an id below ``before``."""
        rows = self._database.execute(
            "SELECT * FROM audit WHERE audit_id < ? ORDER BY audit_id DESC LIMIT ?",
            (before if before is not None else 2**62, limit),
        )
        return [
            AuditEntry(
                row["audit_id"],
                from_stamp(row["at"]) or datetime.now(UTC),
                row["actor"],
                row["action"],
                row["target"],
                row["request_id"],
                orjson.loads(row["details"]),
            )
            for row in rows
        ]
