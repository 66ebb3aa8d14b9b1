"""Silences: alerts that match are not told until then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from event_pipeline.alerts.alert import Alert

MATCHED = ("rule", "subject", "severity", "owner", "fingerprint")
"""What of an alert a silence may name, beside its labels."""


@dataclass(frozen=True, slots=True)
class Silence:
    """``matchers`` are patterns (``*`` and ``?``) by name, all of which must match; ``who`` made it, and why."""

    silence_id: str
    matchers: Mapping[str, str]
    starts_at: datetime
    until: datetime
    who: str
    why: str
    ended_at: datetime | None = None

    def is_active(self, now: datetime) -> bool:
        """Whether it holds at that instant."""
        return self.starts_at <= now < self.until and self.ended_at is None

    def matches(self, alert: Alert) -> bool:
        """Whether it is about this alert."""
        return bool(self.matchers) and all(
            fnmatchcase(_value(alert, name), pattern) for name, pattern in self.matchers.items()
        )


def _value(alert: Alert, name: str) -> str:
    return str(getattr(alert, name)) if name in MATCHED else alert.labels.get(name, "")
