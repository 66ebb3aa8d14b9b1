"""An alert and what it is made from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from event_pipeline.settings import Severity

State = Literal["pending", "firing", "resolved"]
Kind = Literal["firing", "repeat", "resolved", "test"]
"""Why somebody is told."""

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""The least severe first."""

_FINGERPRINT_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule found to be so at this moment.

    ``subject`` says of what (a job, a source, an event's id), the same for as long as it lasts; ``summary`` is a
    sentence for people; ``value`` is the figure that was compared with the threshold.
    """

    rule: str
    subject: str
    summary: str
    value: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    link: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for the same rule and subject, whenever and wherever it is found."""
        return fingerprint_of(self.rule, self.subject)


@dataclass(frozen=True, slots=True)
class Alert:
    """A condition over time; one that came back after it was resolved is another.

    ``told`` is what receivers last heard of it. ``absent_since`` is set while a firing one has not been found.
    """

    fingerprint: str
    rule: str
    subject: str
    state: State
    severity: Severity
    owner: str
    summary: str
    pending_since: datetime
    value: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    firing_since: datetime | None = None
    absent_since: datetime | None = None
    resolved_at: datetime | None = None
    told: Literal["firing", "resolved"] | None = None
    told_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether the engine still has something to do with it."""
        return self.state != "resolved" or self.told == "firing"


@dataclass(frozen=True, slots=True)
class Notice:
    """Alerts of one rule that are told together."""

    rule: str
    kind: Kind
    alerts: tuple[Alert, ...]


def fingerprint_of(rule: str, subject: str) -> str:
    """Sixteen hexadecimal digits."""
    return hashlib.sha256(f"{rule}\0{subject}".encode()).hexdigest()[:_FINGERPRINT_LENGTH]


def is_severe_enough(severity: Severity, least: Severity) -> bool:
    """Whether it is at least that severe."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)
