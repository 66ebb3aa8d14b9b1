"""Exports made in the background, as the API's database keeps them."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal, cast

import orjson
import psutil

from event_pipeline.api.database import Database
from event_pipeline.exports.formats import FormatName
from event_pipeline.sqlite import from_stamp, stamp

State = Literal["waiting", "running", "done", "failed", "expired"]

CUT_SHORT = "the API was stopped before the file was whole; ask for it again with POST /api/pipeline/exports"
_REMEMBERED = timedelta(days=7)
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Export:
    """One export. ``request`` is what was asked for; ``rows_total`` is known once reading began, for tables."""

    export_id: str
    key_id: str
    request: Mapping[str, Any]
    label: str
    format: FormatName
    state: State
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    rows: int
    rows_total: int | None
    bytes: int
    snapshot: int | None
    problem: str


class ExportStore:
    """The table ``exports``. What another living process makes is left to it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key_id: str, request: Mapping[str, Any], label: str, name: FormatName) -> Export:
        """A new one that waits."""
        export_id = "ex_" + "".join(secrets.choice(_ALPHABET) for _ in range(16))
        (row,) = self._database.execute(
            "INSERT INTO exports (export_id, key_id, request, label, format, state, owner, created_at) "
            "VALUES (?, ?, ?, ?, ?, 'waiting', ?, ?) RETURNING *",
            (
                export_id,
                key_id,
                orjson.dumps(request).decode(),
                label,
                name,
                _this_process(),
                stamp(datetime.now(UTC)),
            ),
        )
        return _export(row)

    def get(self, export_id: str, key_id: str) -> Export | None:
        """The export, when it is that key's."""
        rows = self._database.execute("SELECT * FROM exports WHERE export_id = ? AND key_id = ?", (export_id, key_id))
        return _export(rows[0]) if rows else None

    def page(self, key_id: str, limit: int, before: tuple[str, str] | None) -> list[Export]:
        """The key's exports, the newest first, from the one after that time and id."""
        at, export_id = before or ("~", "~")
        rows = self._database.execute(
            "SELECT * FROM exports WHERE key_id = ? AND (created_at, export_id) < (?, ?) "
            "ORDER BY created_at DESC, export_id DESC LIMIT ?",
            (key_id, at, export_id, limit),
        )
        return [_export(row) for row in rows]

    def begin(self, export_id: str) -> Export | None:
        """Note that it is being made; None when it was deleted meanwhile."""
        row = self._set(export_id, state="running", started_at=stamp(datetime.now(UTC)))
        return _export(row) if row else None

    def progress(self, export_id: str, rows: int, rows_total: int | None, snapshot: int | None, size: int) -> None:
        """Note how far it is; ``size`` in bytes."""
        self._set(export_id, rows=rows, rows_total=rows_total, snapshot=snapshot, bytes=size)

    def finish(self, export_id: str, rows: int, size: int, expires_at: datetime) -> bool:
        """Note that the file is whole; False when it was deleted meanwhile."""
        finished = {"finished_at": stamp(datetime.now(UTC)), "expires_at": stamp(expires_at)}
        return self._set(export_id, state="done", rows=rows, bytes=size, **finished) is not None

    def fail(self, export_id: str, problem: str) -> None:
        """Note that there will be no file, and why."""
        self._set(export_id, state="failed", finished_at=stamp(datetime.now(UTC)), problem=problem)

    def delete(self, export_id: str) -> None:
        """Forget it."""
        self._database.execute("DELETE FROM exports WHERE export_id = ?", (export_id,))

    def expire(self, now: datetime) -> list[str]:
        """Mark those whose time has come and forget old ones; the ids of those that have no file any more."""
        gone = self._database.execute(
            "UPDATE exports SET state = 'expired' WHERE state = 'done' AND expires_at <= ? RETURNING export_id",
            (stamp(now),),
        )
        self._database.execute(
            "DELETE FROM exports WHERE state IN ('failed', 'expired') AND finished_at <= ?", (stamp(now - _REMEMBERED),)
        )
        return [row["export_id"] for row in gone]

    def fail_abandoned(self) -> list[str]:
        """Fail what processes that have ended left unfinished; its ids."""
        rows = self._database.execute("SELECT export_id, owner FROM exports WHERE state IN ('waiting', 'running')")
        left = [row["export_id"] for row in rows if not _is_running(row["owner"])]
        for export_id in left:
            self.fail(export_id, CUT_SHORT)
        return left

    def with_files(self) -> list[str]:
        """Ids of those that have a file or are getting one."""
        rows = self._database.execute("SELECT export_id FROM exports WHERE state IN ('waiting', 'running', 'done')")
        return [row["export_id"] for row in rows]

    def _set(self, export_id: str, **values: Any) -> sqlite3.Row | None:
        """The row after these changes; None when there is none."""
        names = ", ".join(f"{name} = ?" for name in values)
        rows = self._database.execute(
            f"UPDATE exports SET {names} WHERE export_id = ? RETURNING *", (*values.values(), export_id)
        )
        return rows[0] if rows else None


def _export(row: sqlite3.Row) -> Export:
    return Export(
        export_id=row["export_id"],
        key_id=row["key_id"],
        request=orjson.loads(row["request"]),
        label=row["label"],
        format=cast("FormatName", row["format"]),
        state=cast("State", row["state"]),
        created_at=from_stamp(row["created_at"]) or datetime.now(UTC),
        started_at=from_stamp(row["started_at"]),
        finished_at=from_stamp(row["finished_at"]),
        expires_at=from_stamp(row["expires_at"]),
        rows=row["rows"],
        rows_total=row["rows_total"],
        bytes=row["bytes"],
        snapshot=row["snapshot"],
        problem=row["problem"],
    )


@cache
def _this_process() -> str:
    """Its id and when it began: ids are used again."""
    return f"{os.getpid()}@{psutil.Process().create_time():.2f}"


def _is_running(owner: str) -> bool:
    process_id, _, began = owner.partition("@")
    try:
        return f"{psutil.Process(int(process_id)).create_time():.2f}" == began
    except psutil.NoSuchProcess:
        return False
