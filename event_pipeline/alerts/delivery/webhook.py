"""A generic webhook: JSON, signed as Standard Webhooks says, its id the same at every attempt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from event_pipeline.alerts.delivery.http import post
from event_pipeline.alerts.delivery.outbox import Notification
from event_pipeline.alerts.delivery.wording import Wording
from event_pipeline.alerts.store import alert_document
from event_pipeline.errors import PermanentError
from event_pipeline.sqlite import stamp


def send(url: str, secret: str | None, notification: Notification, wording: Wording) -> None:
    """Tell it. Raises as ``http.post`` does, and PermanentError for a secret that is not base64."""
    data = orjson.dumps(body(notification, wording))
    at = datetime.now(UTC)
    headers = {"webhook-id": notification.notification_id, "webhook-timestamp": str(int(at.timestamp()))}
    if secret:
        headers["webhook-signature"] = _signature(secret, notification.notification_id, at, data)
    post(url, data, headers)


def body(notification: Notification, wording: Wording) -> dict[str, Any]:
    """What it is sent: type, timestamp, and the alerts as the API answers them."""
    return {
        "type": f"alert.{notification.kind}",
        "timestamp": stamp(notification.created_at),
        "data": {
            "rule": notification.rule,
            "title": wording.title(notification),
            "runbook": wording.runbook(notification.rule),
            "alerts": [alert_document(alert) for alert in notification.alerts],
        },
    }


def _signature(secret: str, notification_id: str, at: datetime, data: bytes) -> str:
    from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

    try:
        return Webhook(secret).sign(notification_id, at, data.decode())
    except (ValueError, EmptyWebhookSecretError):
        raise PermanentError("the receiver's secret is not base64 text such as whsec_...; make one anew") from None
