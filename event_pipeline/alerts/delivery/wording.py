"""What people read in a notification."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from event_pipeline.alerts.alert import SEVERITIES, Alert
from event_pipeline.alerts.delivery.outbox import Notification
from event_pipeline.settings import Settings, Severity

_MOST_LISTED = 20
_PAGE = "docs/alerts.md"


class Wording:
    """Title and text, in the organisation's time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._zone = ZoneInfo(settings.organisation.time_zone)

    def title(self, notification: Notification) -> str:
        """A line: 'Critical: the disk fills up', 'Resolved: ...', with how many more there are."""
        first, more = notification.alerts[0], len(notification.alerts) - 1
        lead = {"resolved": "Resolved", "repeat": f"Still {severity_of(notification)}", "test": "Test"}.get(
            notification.kind, severity_of(notification).capitalize()
        )
        return f"{lead}: {first.summary}" + (f" (and {more} more)" if more else "")

    def text(self, notification: Notification) -> str:
        """A paragraph for each alert, then what to do and where to look."""
        say: Callable[[Alert], str] = self._resolved if notification.kind == "resolved" else self._firing
        lines = [say(alert) for alert in notification.alerts[:_MOST_LISTED]]
        if len(notification.alerts) > _MOST_LISTED:
            lines.append(f"... and {len(notification.alerts) - _MOST_LISTED} more")
        lines += ["", f"What to do: {self.runbook(notification.rule)}"]
        if self._settings.alerts.dashboard_url:
            lines.append(f"All alerts: {self._settings.alerts.dashboard_url.rstrip('/')}/alerts")
        lines.append(f"From: {self._settings.organisation.name}, rule {notification.rule}")
        if notification.attempts and notification.state == "sending":
            lines.append("This may have reached you already: the pipeline was stopped while it was sent.")
        return "\n".join(lines)

    def runbook(self, rule: str) -> str:
        """Where it says what to do."""
        known = getattr(self._settings.alerts.rules, rule, None)
        return known.runbook if known is not None and known.runbook else f"{_PAGE}#{rule}"

    def _firing(self, alert: Alert) -> str:
        since = f" (since {self._at(alert.firing_since)})" if alert.firing_since else ""
        return f"- {alert.summary}{since}" + (f"\n  {alert.link}" if alert.link else "")

    def _resolved(self, alert: Alert) -> str:
        span = f" (from {self._at(alert.firing_since)} to {self._at(alert.absent_since)})" if alert.firing_since else ""
        return f"- over: {alert.summary}{span}"

    def _at(self, instant: datetime | None) -> str:
        return f"{instant.astimezone(self._zone):%d %b %H:%M}" if instant else "now"


def severity_of(notification: Notification) -> Severity:
    """The worst of its alerts'."""
    worst = max(SEVERITIES.index(alert.severity) for alert in notification.alerts)
    return SEVERITIES[worst]
