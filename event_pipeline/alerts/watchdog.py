"""A dead man's switch: an address that is asked while alerts are evaluated and delivered, and is missed otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import structlog

from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.delivery.outbox import Outbox
from event_pipeline.alerts.evaluator import last_evaluation
from event_pipeline.settings import Settings
from event_pipeline.sqlite import from_stamp, stamp

_SECONDS = 10.0
_STUCK = timedelta(minutes=30)
"""A notification that was given up within, or waits for longer than this, means that people do not hear."""

_ASKED_AT = "heartbeat_at"
_ANSWERED = "heartbeat_answered"

log = structlog.get_logger(__name__)


class Watchdog:
    """Asks the address of ``alerts.heartbeat_url``."""

    def __init__(self, settings: Settings, database: AlertDatabase) -> None:
        self._settings, self._database = settings, database

    def beat(self, now: datetime) -> bool:
        """Ask it if it is time and all is well; whether it was asked.

        It is not asked while rules are not evaluated or notifications do not arrive: that it is missed is then the only
        way in which people hear.
        """
        url = self._settings.alerts.heartbeat_url
        asked_at = from_stamp(self._database.noted(_ASKED_AT))
        every = timedelta(seconds=self._settings.alerts.heartbeat_seconds)
        if url is None or (asked_at is not None and timedelta() <= now - asked_at < every):
            return False
        reason = self._is_ill(now)
        self._database.note(_ASKED_AT, stamp(now))
        if reason:
            log.warning("heartbeat_withheld", reason=reason)
            return False
        try:
            answer = httpx.get(url.get_secret_value(), timeout=_SECONDS, follow_redirects=True)
            said = str(answer.status_code)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = type(error).__name__
        if said != self._database.noted(_ANSWERED):
            log.info("heartbeat", answered=said)
            self._database.note(_ANSWERED, said)
        return True

    def _is_ill(self, now: datetime) -> str:
        if last_evaluation(self._database).is_silent(self._settings, now):
            return "the rules are not evaluated"
        if Outbox(self._database).is_stuck(now - _STUCK):
            return "notifications do not reach their receivers"
        return ""
