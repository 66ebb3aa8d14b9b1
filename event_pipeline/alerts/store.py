"""Alerts and silences in the alerts' database."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import orjson

from event_pipeline.alerts.alert import Alert
from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.silence import Silence
from event_pipeline.errors import SettingsError
from event_pipeline.sqlite import from_stamp, instant, stamp

_COLUMNS = tuple(field.name for field in fields(Alert))
_INSTANTS = frozenset(("pending_since", "firing_since", "absent_since", "resolved_at", "told_at"))
_FLUSHED = "flushed:"


class AlertStore:
    """Reads and writes what the engine works on, and what people look at."""

    def __init__(self, database: AlertDatabase) -> None:
        self._database = database

    def open_alerts(self) -> dict[str, Alert]:
        """The alerts that the engine goes on with, by fingerprint."""
        rows = self._database.execute("SELECT * FROM alerts WHERE state <> 'resolved' OR told = 'firing'")
        return {row["fingerprint"]: _alert(row) for row in rows}

    def keep(self, before: Mapping[str, Alert], after: Mapping[str, Alert]) -> None:
        """Replace the open alerts by what they have become; a pending one that is gone leaves nothing behind."""
        for fingerprint, alert in before.items():
            now = after.get(fingerprint)
            if now is None or now.pending_since != alert.pending_since:
                self._database.execute(
                    "DELETE FROM alerts WHERE fingerprint = ? AND pending_since = ?",
                    (fingerprint, stamp(alert.pending_since)),
                )
        names, places = ", ".join(_COLUMNS), ", ".join("?" for _ in _COLUMNS)
        for fingerprint, alert in after.items():
            if before.get(fingerprint) != alert:
                self._database.execute(f"INSERT OR REPLACE INTO alerts ({names}) VALUES ({places})", _row(alert))

    def flushed(self) -> dict[str, datetime]:
        """When each rule's alerts were last told."""
        rows = self._database.execute("SELECT name, value FROM notes WHERE name LIKE ?", (f"{_FLUSHED}%",))
        return {row["name"].removeprefix(_FLUSHED): instant(row["value"]) for row in rows}

    def keep_flushed(self, flushed: Mapping[str, datetime]) -> None:
        """Remember when they were."""
        for rule, at in flushed.items():
            self._database.note(_FLUSHED + rule, stamp(at))

    def alerts(
        self, states: Iterable[str], after: tuple[str, str] | None = None, limit: int = 100, fingerprint: str = ""
    ) -> list[Alert]:
        """Alerts in these states, the latest first, beyond the one that began then; of one fingerprint if given."""
        wanted = list(states)
        sql = f"SELECT * FROM alerts WHERE state IN ({', '.join('?' for _ in wanted)})"
        parameters: list[Any] = [*wanted]
        if fingerprint:
            sql += " AND fingerprint = ?"
            parameters.append(fingerprint)
        if after is not None:
            sql += " AND (pending_since < ? OR (pending_since = ? AND fingerprint > ?))"
            parameters += [after[0], after[0], after[1]]
        sql += " ORDER BY pending_since DESC, fingerprint LIMIT ?"
        return [_alert(row) for row in self._database.execute(sql, [*parameters, limit])]

    def silence(self, matchers: Mapping[str, str], until: datetime, who: str, why: str, now: datetime) -> Silence:
        """A new silence from now on. Raises SettingsError when it matches nothing in particular or is over already."""
        if not matchers:
            raise SettingsError("a silence needs a matcher, such as rule=source_*")
        if until <= now:
            raise SettingsError("a silence must end in the future")
        made = Silence(f"s_{secrets.token_hex(5)}", dict(matchers), now, until, who, why)
        self._database.execute(
            "INSERT INTO silences (silence_id, matchers, starts_at, until, who, why) VALUES (?, ?, ?, ?, ?, ?)",
            (made.silence_id, orjson.dumps(made.matchers).decode(), stamp(now), stamp(until), who, why),
        )
        return made

    def end_silence(self, silence_id: str, now: datetime) -> Silence | None:
        """End it at once; one that is over stays as it is. None when there is none with that id."""
        self._database.execute(
            "UPDATE silences SET ended_at = ? WHERE silence_id = ? AND ended_at IS NULL AND until > ?",
            (stamp(now), silence_id, stamp(now)),
        )
        rows = self._database.execute("SELECT * FROM silences WHERE silence_id = ?", (silence_id,))
        return _silence(rows[0]) if rows else None

    def silences(self, active_at: datetime | None = None) -> list[Silence]:
        """Every silence, the latest first; only those that hold at that instant if one is given."""
        rows = self._database.execute("SELECT * FROM silences ORDER BY starts_at DESC, silence_id")
        found = [_silence(row) for row in rows]
        return found if active_at is None else [silence for silence in found if silence.is_active(active_at)]

    def forget(self, now: datetime, days: int) -> None:
        """What was over so long ago."""
        before = stamp(now - timedelta(days=days))
        self._database.execute("DELETE FROM alerts WHERE state = 'resolved' AND resolved_at < ?", (before,))
        self._database.execute("DELETE FROM silences WHERE min(until, coalesce(ended_at, until)) < ?", (before,))
        self._database.execute("DELETE FROM samples WHERE at < ?", (before,))
        self._database.execute(
            "DELETE FROM notifications WHERE state IN ('sent', 'given_up') AND created_at < ?", (before,)
        )


def alert_document(alert: Alert) -> dict[str, Any]:
    """The alert as JSON has it."""
    return {
        name: stamp(value) if isinstance(value := getattr(alert, name), datetime) else value for name in _COLUMNS
    } | {"labels": dict(alert.labels)}


def alert_from(document: Mapping[str, Any]) -> Alert:
    """The alert of a document."""
    fields_of: dict[str, Any] = {
        name: from_stamp(document[name]) if name in _INSTANTS else document[name] for name in _COLUMNS
    }
    return Alert(**fields_of)


def _row(alert: Alert) -> list[Any]:
    document = alert_document(alert)
    document["labels"] = orjson.dumps(document["labels"]).decode()
    return [document[name] for name in _COLUMNS]


def _alert(row: sqlite3.Row) -> Alert:
    return alert_from(dict(row) | {"labels": orjson.loads(row["labels"])})


def _silence(row: sqlite3.Row) -> Silence:
    return Silence(
        row["silence_id"],
        orjson.loads(row["matchers"]),
        instant(row["starts_at"]),
        instant(row["until"]),
        row["who"],
        row["why"],
        from_stamp(row["ended_at"]),
    )
