"""PagerDuty Events v2: an incident for each alert, opened and resolved under the alert's fingerprint."""

from __future__ import annotations

from typing import Any

import orjson

from event_pipeline.alerts.delivery.http import post
from event_pipeline.alerts.delivery.outbox import Notification
from event_pipeline.alerts.delivery.wording import Wording
from event_pipeline.alerts.store import alert_document

ADDRESS = "https://events.pagerduty.com/v2/enqueue"
_LONGEST_SUMMARY = 1_024


def send(url: str | None, routing_key: str, notification: Notification, wording: Wording) -> None:
    """Open or resolve the incident; opening it again changes nothing. Raises as ``http.post`` does."""
    post(url or ADDRESS, orjson.dumps(event(routing_key, notification, wording)), {})


def event(routing_key: str, notification: Notification, wording: Wording) -> dict[str, Any]:
    """The event as PagerDuty takes it."""
    (alert,) = notification.alerts
    action = "resolve" if notification.kind == "resolved" else "trigger"
    body: dict[str, Any] = {"routing_key": routing_key, "event_action": action, "dedup_key": alert.fingerprint}
    if action == "trigger":
        document = alert_document(alert)
        body["payload"] = {
            "summary": alert.summary[:_LONGEST_SUMMARY],
            "source": f"event-pipeline: {alert.subject}",
            "severity": alert.severity,
            "timestamp": document["firing_since"],
            "component": alert.rule,
            "custom_details": {
                "subject": alert.subject, "value": alert.value, "owner": alert.owner,
                "runbook": wording.runbook(alert.rule), **alert.labels,
            },
        }  # fmt: skip
        if alert.link:
            body["links"] = [{"href": alert.link, "text": "Where to look"}]
    return body
