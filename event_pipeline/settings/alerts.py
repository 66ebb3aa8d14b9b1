"""The section ``alerts``: who hears of what is wrong, and how the alerts are evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from event_pipeline.settings.alert_rule import Severity
from event_pipeline.settings.alert_rules import AlertRules

_SHORTEST_PART = 6
_WITH_HOST = frozenset(("http", "https", "json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos"))
_PARTS = re.compile(r"[/?&=:@#]+")

ReceiverName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Receiver(BaseModel):
    """Where notifications go."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["apprise", "pagerduty", "webhook"] = Field(
        description="apprise: e-mail, Slack, Teams, Telegram and others by their Apprise address; pagerduty: "
        "Events v2; webhook: JSON signed as Standard Webhooks says."
    )
    url: SecretStr | None = Field(
        default=None, description="Apprise address, or the webhook's; PagerDuty's own address when empty."
    )
    secret: SecretStr | None = Field(
        default=None, description="PagerDuty's integration key, or the webhook's signing secret (whsec_...)."
    )
    least_severity: Severity = Field(default="info", description="What is less severe is not sent here.")

    @property
    def secret_parts(self) -> Iterator[str]:
        """The words of the address that may be tokens; an error may quote one of them alone."""
        scheme, _, rest = (self.url.get_secret_value() if self.url else "").partition("://")
        parts = _PARTS.split(rest)
        # The first word is a server's name in some addresses and a token in others.
        public = {urlsplit(f"http://{rest}").hostname} if scheme.lower() in _WITH_HOST else set()
        yield from (part for part in parts if len(part) >= _SHORTEST_PART and part.lower() not in public)

    @model_validator(mode="after")
    def _is_complete(self) -> Receiver:
        if self.kind != "pagerduty" and self.url is None:
            raise ValueError(f"a receiver of the kind {self.kind} needs url")
        if self.kind == "pagerduty" and self.secret is None:
            raise ValueError("a receiver of the kind pagerduty needs secret, the integration key")
        return self


class Alerts(BaseModel):
    """What is watched by itself, and who hears of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    is_enabled: bool = Field(
        default=True, description="`event-pipeline serve` evaluates alerts, unless another process does."
    )
    evaluate_seconds: float = Field(default=30, description="How often the rules are evaluated.", ge=1, le=3_600)
    group_minutes: float = Field(
        default=5, description="One rule's alerts are told together, at most so often.", ge=0, le=1_440
    )
    attempts: int = Field(default=8, description="A notification is given up after so many attempts.", ge=1, le=50)
    dashboard_url: str = Field(
        default="",
        description="Address of the dashboard, for links in notifications; none are made when empty.",
        pattern=r"^(https?://.+)?$",
    )
    heartbeat_url: SecretStr | None = Field(
        default=None,
        description="Address that is asked regularly while alerts are evaluated and delivered; the service behind it "
        "(a dead man's switch such as healthchecks.io) tells people when that ends.",
    )
    heartbeat_seconds: float = Field(default=60, description="How often it is asked.", ge=1, le=86_400)
    silent_seconds: float = Field(
        default=180, description="Without an evaluation for so long, alerts count as silent.", ge=5, le=86_400
    )
    keep_days: int = Field(
        default=90, description="Resolved alerts and delivered notifications are listed for this long.", ge=1, le=3_650
    )
    receivers: dict[ReceiverName, Receiver] = Field(default_factory=dict, description="Receivers by a name of yours.")
    rules: AlertRules = AlertRules()

    @model_validator(mode="after")
    def _receivers_are_known(self) -> Alerts:
        for name in AlertRules.model_fields:
            unknown = set(getattr(self.rules, name).receivers) - set(self.receivers)
            if unknown:
                known = ", ".join(sorted(self.receivers)) or "none"
                raise ValueError(
                    f"rules.{name}.receivers names {', '.join(sorted(unknown))}; the receivers are {known}"
                )
        return self
