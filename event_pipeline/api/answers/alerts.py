"""What is wrong, who was told of it, and who shall not be for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, model_validator

from event_pipeline.alerts import alert as alerts
from event_pipeline.alerts.delivery.outbox import DeliveryState, Notification
from event_pipeline.alerts.silence import Silence
from event_pipeline.api.answers.common import example
from event_pipeline.settings import Severity

AlertState = Literal["open", "pending", "firing", "resolved", "all"]

_ALERT = {
    "fingerprint": "7c1f0d9a5b3e2f48", "rule": "off_pace", "subject": "-NxExampleEvent", "state": "firing",
    "severity": "warning", "owner": "organisers",
    "summary": "Autumn Hackathon has 41 registered 12 days before its start; earlier editions had 96 by then",
    "value": 0.4271, "labels": {"event_id": "-NxExampleEvent"}, "link": "",
    "pending_since": "2026-06-01T08:00:00Z", "firing_since": "2026-06-01T09:00:00Z", "resolved_at": None,
    "told_at": "2026-06-01T09:00:00Z", "is_silenced": False,
}  # fmt: skip
_DELIVERY = {
    "notification_id": "msg_5f0c2c1e5a4e4a7c9f540f6e7b3a8f11", "receiver": "ops", "kind": "firing", "rule": "off_pace",
    "fingerprints": ["7c1f0d9a5b3e2f48"], "state": "sent", "attempts": 1, "error": "",
    "created_at": "2026-06-01T09:00:00Z", "sent_at": "2026-06-01T09:00:01Z", "next_attempt_at": None,
}  # fmt: skip
_SILENCE = {
    "silence_id": "s_3f9a1c22b0", "matchers": {"rule": "off_pace"}, "starts_at": "2026-06-01T09:10:00Z",
    "until": "2026-06-02T09:10:00Z", "who": "ep_h3k9x2aa", "why": "postponed by a week", "is_active": True,
}  # fmt: skip

_LONGEST = timedelta(days=365)
Text = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class AlertItem(BaseModel):
    """A condition over time. Pending ones have not held for long enough to be told."""

    model_config = example(**_ALERT)

    fingerprint: str = Field(description="The same for the same rule and subject.")
    rule: str
    subject: str
    state: Literal["pending", "firing", "resolved"]
    severity: Severity
    owner: str
    summary: str
    value: float | None = Field(description="The figure that was compared with the threshold.")
    labels: dict[str, str]
    link: str = Field(description="Where to look; empty when there is no such page.")
    pending_since: datetime
    firing_since: datetime | None
    resolved_at: datetime | None
    told_at: datetime | None = Field(description="When receivers last heard of it.")
    is_silenced: bool

    @classmethod
    def of(cls, alert: alerts.Alert, silences: list[Silence]) -> Self:
        """The alert, silenced where one of these matches it."""
        plain = {name: getattr(alert, name) for name in cls.model_fields if name not in ("labels", "is_silenced")}
        silenced = any(silence.matches(alert) for silence in silences)
        return cls(**plain, labels=dict(alert.labels), is_silenced=silenced)


class Evaluated(BaseModel):
    """Whether the rules are evaluated at all."""

    at: datetime | None = Field(description="The latest evaluation; null when there never was one.")
    is_silent: bool = Field(description="Nobody evaluates: what is wrong would not be seen.")
    unseen: dict[str, str] = Field(description="Rules that could not look, and why.")


class AlertPage(BaseModel):
    """Alerts, the latest first."""

    model_config = example(
        items=[_ALERT], next_cursor=None, evaluated={"at": "2026-06-01T09:29:50Z", "is_silent": False, "unseen": {}}
    )

    items: list[AlertItem]
    next_cursor: str | None
    evaluated: Evaluated


class Delivery(BaseModel):
    """A notification and how far it came."""

    model_config = example(**_DELIVERY)

    notification_id: str = Field(description="The same at every attempt; a webhook's `webhook-id`.")
    receiver: str
    kind: alerts.Kind
    rule: str
    fingerprints: list[str]
    state: DeliveryState
    attempts: int
    error: str = Field(description="Why the latest attempt failed.")
    created_at: datetime
    sent_at: datetime | None
    next_attempt_at: datetime | None = Field(description="Null when there is none to come.")

    @classmethod
    def of(cls, notification: Notification) -> Self:
        """The notification, without the alerts' texts."""
        plain = {name: getattr(notification, name) for name in cls.model_fields if hasattr(notification, name)}
        if notification.state in ("sent", "given_up"):
            plain["next_attempt_at"] = None
        return cls(**plain, fingerprints=[alert.fingerprint for alert in notification.alerts])


class DeliveryPage(BaseModel):
    """Notifications, the latest first."""

    model_config = example(items=[_DELIVERY], next_cursor=None)

    items: list[Delivery]
    next_cursor: str | None


class AlertHistory(BaseModel):
    """Every time that a rule found something wrong with a subject, the latest first, and who was told."""

    model_config = example(alerts=[_ALERT], deliveries=[_DELIVERY], runbook="docs/alerts.md#off_pace")

    alerts: list[AlertItem]
    deliveries: list[Delivery]
    runbook: str = Field(description="Where it says what to do.")


class SilenceItem(BaseModel):
    """Alerts that match are not told until then."""

    model_config = example(**_SILENCE)

    silence_id: str
    matchers: dict[str, str]
    starts_at: datetime
    until: datetime
    who: str = Field(description="The key's id, or the command line.")
    why: str
    is_active: bool

    @classmethod
    def of(cls, silence: Silence, now: datetime) -> Self:
        """The silence at that instant."""
        return cls(
            silence_id=silence.silence_id,
            matchers=dict(silence.matchers),
            starts_at=silence.starts_at,
            until=silence.ended_at or silence.until,
            who=silence.who,
            why=silence.why,
            is_active=silence.is_active(now),
        )


class Silences(BaseModel):
    """Every silence, the latest first."""

    model_config = example(items=[_SILENCE])

    items: list[SilenceItem]


_ENDS = {
    "oneOf": [
        {"properties": {name: {"type": kind}}, "required": [name]}
        for name, kind in (("hours", "number"), ("until", "string"))
    ]
}


class NewSilence(BaseModel):
    """What shall not be told, and until when."""

    model_config: Any = example(
        also=_ENDS, matchers={"rule": "off_pace"}, hours=24, why="postponed by a week"
    ) | {"extra": "forbid"}  # fmt: skip

    matchers: dict[Name, Pattern] = Field(
        json_schema_extra={"additionalProperties": False},
        min_length=1,
        max_length=10,
        description="Patterns with * and ? by rule, subject, severity, owner, fingerprint or a label; all must match.",
    )
    hours: float | None = Field(default=None, ge=0.01, le=8_760, description="For so long from now.")
    until: AwareDatetime | None = Field(default=None, description="Or until this instant.")
    why: Text = ""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.hours is None) == (self.until is None):
            raise ValueError("give hours or until")
        now = datetime.now(UTC)
        if self.until is not None and not timedelta() < self.until - now <= _LONGEST:
            raise ValueError("until must be in the future, and within a year")
        return self


class ReceiverTest(BaseModel):
    """Which receiver to send a test to."""

    model_config: Any = example(receiver="ops") | {"extra": "forbid"}

    receiver: str = Field(min_length=1, max_length=40, description="Its name in the setting alerts.receivers.")
