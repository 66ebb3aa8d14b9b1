"""Notifications on their way: written with the alerts they are of, kept as the log of what was delivered."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson

from event_pipeline.alerts.alert import Alert, Kind, Notice, is_severe_enough
from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.store import alert_document, alert_from
from event_pipeline.settings import AlertRule, Receiver
from event_pipeline.sqlite import from_stamp, instant, stamp

DeliveryState = Literal["waiting", "sending", "sent", "given_up"]


@dataclass(frozen=True, slots=True)
class Notification:
    """What one receiver is to hear. ``notification_id`` is the same however often it is attempted.

    ``sending`` is one whose attempt has not ended, or never will because the process was killed in it.
    """

    sequence: int
    notification_id: str
    receiver: str
    kind: Kind
    rule: str
    alerts: tuple[Alert, ...]
    created_at: datetime
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime
    error: str
    sent_at: datetime | None


class Outbox:
    """The notifications in the alerts' database."""

    def __init__(self, database: AlertDatabase) -> None:
        self._database = database

    def put(
        self,
        notices: Iterable[Notice],
        rules: Mapping[str, AlertRule],
        receivers: Mapping[str, Receiver],
        now: datetime,
    ) -> None:
        """A notification for each receiver of each notice; for an incident tool one for each alert."""
        for notice in notices:
            rule = rules.get(notice.rule)
            for name in rule.receivers if rule and rule.receivers else receivers:
                receiver = receivers.get(name)
                if receiver is None:
                    continue
                heard = [a for a in notice.alerts if is_severe_enough(a.severity, receiver.least_severity)]
                for together in [[a] for a in heard] if receiver.kind == "pagerduty" else [heard]:
                    if together:
                        self.add(name, notice.kind, notice.rule, together, now)

    def add(self, receiver: str, kind: Kind, rule: str, alerts: Sequence[Alert], now: datetime) -> str:
        """One notification, unless it is there; its id."""
        said = [[a.fingerprint, stamp(a.pending_since), stamp(a.told_at or now)] for a in alerts]
        key = hashlib.sha256(orjson.dumps([receiver, kind, rule, said])).hexdigest()[:32]
        notification_id = f"msg_{key}"
        self._database.execute(
            "INSERT OR IGNORE INTO notifications (notification_id, receiver, kind, rule, alerts, created_at, state, "
            "attempts, next_attempt_at, error) VALUES (?, ?, ?, ?, ?, ?, 'waiting', 0, ?, '')",
            (notification_id, receiver, kind, rule, orjson.dumps([alert_document(a) for a in alerts]).decode(),
             stamp(now), stamp(now)),
        )  # fmt: skip
        return notification_id

    def add_test(self, receiver: str, alert: Alert, now: datetime, until: datetime) -> Notification:
        """A test that whoever asks for it attempts at once, and nobody else before ``until``."""
        notification_id = self.add(receiver, "test", alert.rule, [alert], now)
        self._database.execute(
            "UPDATE notifications SET state = 'sending', next_attempt_at = ? WHERE notification_id = ?",
            (stamp(until), notification_id),
        )
        return self.one(notification_id)

    def one(self, notification_id: str) -> Notification:
        """The notification of that id, which is there."""
        rows = self._database.execute("SELECT * FROM notifications WHERE notification_id = ?", (notification_id,))
        return _notification(rows[0])

    def due(self, now: datetime) -> list[Notification]:
        """The first that waits for each receiver, if its time has come: a receiver hears things in their order."""
        rows = self._database.execute(
            "SELECT * FROM notifications WHERE sequence IN (SELECT min(sequence) FROM notifications "
            "WHERE state IN ('waiting', 'sending') GROUP BY receiver) AND next_attempt_at <= ? ORDER BY sequence",
            (stamp(now),),
        )
        return [_notification(row) for row in rows]

    def begin(self, notification: Notification, retry_at: datetime) -> None:
        """An attempt begins; should the process end in it, the next is made then."""
        self._database.execute(
            "UPDATE notifications SET state = 'sending', attempts = attempts + 1, next_attempt_at = ? "
            "WHERE notification_id = ?",
            (stamp(retry_at), notification.notification_id),
        )

    def end(self, notification: Notification, state: DeliveryState, error: str, at: datetime) -> None:
        """The attempt ended at that instant; one that is to be repeated is so at it."""
        self._database.execute(
            "UPDATE notifications SET state = ?, error = ?, next_attempt_at = ?, sent_at = ? WHERE notification_id = ?",
            (state, error, stamp(at), stamp(at) if state == "sent" else None, notification.notification_id),
        )

    def log(self, before: int | None = None, limit: int = 100, fingerprint: str = "") -> list[Notification]:
        """Notifications, the latest first, before that sequence; of an alert if its fingerprint is given."""
        rows = self._database.execute(
            "SELECT * FROM notifications WHERE (?1 IS NULL OR sequence < ?1) AND (?3 = '' OR alerts LIKE ?4) "
            "ORDER BY sequence DESC LIMIT ?2",
            (before, limit, fingerprint, f'%"fingerprint":"{fingerprint}"%'),
        )
        return [_notification(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many there are by state."""
        rows = self._database.execute("SELECT state, count(*) AS number FROM notifications GROUP BY state")
        return {row["state"]: row["number"] for row in rows}

    def is_stuck(self, since: datetime) -> bool:
        """Whether one was given up since then, or one that was made before still waits; tests do not matter."""
        rows = self._database.execute(
            "SELECT 1 FROM notifications WHERE rule <> 'test' AND ((state = 'given_up' AND next_attempt_at >= ?1) "
            "OR (state IN ('waiting', 'sending') AND created_at < ?1)) LIMIT 1",
            (stamp(since),),
        )
        return bool(rows)


def _notification(row: sqlite3.Row) -> Notification:
    return Notification(
        sequence=row["sequence"],
        notification_id=row["notification_id"],
        receiver=row["receiver"],
        kind=row["kind"],
        rule=row["rule"],
        alerts=tuple(alert_from(document) for document in orjson.loads(row["alerts"])),
        created_at=instant(row["created_at"]),
        state=row["state"],
        attempts=row["attempts"],
        next_attempt_at=instant(row["next_attempt_at"]),
        error=row["error"],
        sent_at=from_stamp(row["sent_at"]),
    )
