"""Takes notifications to their receivers, each in order, with retries that grow apart and end."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from event_pipeline.alerts.alert import Alert, fingerprint_of
from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.delivery import apprise_receiver, pagerduty, webhook
from event_pipeline.alerts.delivery.outbox import Notification, Outbox
from event_pipeline.alerts.delivery.wording import Wording
from event_pipeline.errors import PermanentError, SettingsError, TransientError
from event_pipeline.masking import SecretMask, secrets_of
from event_pipeline.settings import Receiver, Settings

FIRST_RETRY_SECONDS = 15.0
LONGEST_RETRY_SECONDS = 1_800.0
CUT_SHORT_AFTER = timedelta(seconds=90)
"""An attempt that has not ended after so long was cut short with its process, and is made again."""

log = structlog.get_logger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Courier:
    """Delivers what is due. One at a time: the evaluator's lock sees to that."""

    def __init__(self, settings: Settings, database: AlertDatabase, now: Callable[[], datetime] = _now) -> None:
        self._settings, self._database, self._now = settings, database, now
        self._outbox = Outbox(database)
        self._wording = Wording(settings)
        self._mask = SecretMask(secrets_of(settings.alerts))

    def deliver(self) -> int:
        """Attempt everything that is due now; how many attempts were made."""
        made = 0
        while due := self._outbox.due(self._now()):
            for notification in due:
                self._attempt(notification)
                made += 1
        return made

    def test(self, receiver: str) -> Notification:
        """Send a test to that receiver at once, whatever waits for it; how it went. It is not repeated.

        Raises SettingsError when there is no such receiver.
        """
        if receiver not in self._settings.alerts.receivers:
            known = ", ".join(sorted(self._settings.alerts.receivers)) or "none; set alerts.receivers"
            raise SettingsError(f"there is no receiver {receiver!r}; there are {known}")
        now = self._now()
        summary = f"a test of the receiver {receiver}; nothing is wrong"
        alert = Alert(
            fingerprint=fingerprint_of("test", receiver), rule="test", subject=receiver, state="firing",
            severity="info", owner="operators", summary=summary, pending_since=now, firing_since=now,
        )  # fmt: skip
        with self._database.transaction():
            notification = self._outbox.add_test(receiver, alert, now, now + CUT_SHORT_AFTER)
        self._attempt(notification)
        if self._settings.alerts.receivers[receiver].kind == "pagerduty":
            # What a test opened must not stay open.
            with self._database.transaction():
                over = replace(alert, state="resolved", told="resolved", told_at=now)
                resolving = self._outbox.add(receiver, "resolved", "test", [over], now)
            self._attempt(self._outbox.one(resolving))
        return self._outbox.one(notification.notification_id)

    def _attempt(self, notification: Notification) -> None:
        receiver = self._settings.alerts.receivers.get(notification.receiver)
        self._outbox.begin(notification, self._now() + CUT_SHORT_AFTER)
        try:
            if receiver is None:
                raise PermanentError("the settings have no such receiver any more")
            self._send(receiver, notification)
        except (PermanentError, TransientError) as error:
            self._failed(notification, error)
        except Exception as error:
            # Whatever a receiver's library raises: one receiver must not keep others from hearing.
            log.exception("alert_receiver_failed", receiver=notification.receiver)
            self._failed(notification, TransientError(type(error).__name__))
        else:
            self._outbox.end(notification, "sent", "", self._now())
            log.info("alert_sent", receiver=notification.receiver, rule=notification.rule, kind=notification.kind)

    def _send(self, receiver: Receiver, notification: Notification) -> None:
        url = receiver.url.get_secret_value() if receiver.url else None
        secret = receiver.secret.get_secret_value() if receiver.secret else None
        if receiver.kind == "pagerduty":
            pagerduty.send(url, secret or "", notification, self._wording)
        elif receiver.kind == "webhook":
            webhook.send(url or "", secret, notification, self._wording)
        else:
            apprise_receiver.send(url or "", notification, self._wording)

    def _failed(self, notification: Notification, error: PermanentError | TransientError) -> None:
        attempts = notification.attempts + 1
        reason = str(self._mask.mask(str(error)))
        most = 1 if notification.kind == "test" else self._settings.alerts.attempts
        is_last = isinstance(error, PermanentError) or attempts >= most
        if is_last:
            self._outbox.end(notification, "given_up", reason, self._now())
        else:
            asked = error.retry_after_seconds or 0.0 if isinstance(error, TransientError) else 0.0
            wait = timedelta(seconds=max(retry_seconds(attempts), min(asked, LONGEST_RETRY_SECONDS)))
            self._outbox.end(notification, "waiting", reason, self._now() + wait)
        log.warning(
            "alert_not_sent", receiver=notification.receiver, rule=notification.rule, reason=reason, attempt=attempts,
            consequence="it is given up" if is_last else "it is tried again",
        )  # fmt: skip


def retry_seconds(attempts: int) -> float:
    """The pause after so many attempts: doubling, with chance in it, so that receivers are not asked all at once."""
    pause = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** (attempts - 1))
    return pause * random.uniform(0.75, 1.25)  # noqa: S311 - nothing is secret about it
