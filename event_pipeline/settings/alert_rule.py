"""What every alert rule has in common."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["info", "warning", "critical"]


def of_severity(default: Severity) -> Any:
    """The setting ``severity`` with this default."""
    return Field(default=default, description="How severe an alert of this rule is.")


def holds_for(minutes: float) -> Any:
    """The setting ``for_minutes`` with this default."""
    return Field(
        default=minutes, description="It must hold for so long before anybody is told; pending until then.",
        ge=0, le=10_080,
    )  # fmt: skip


def repeats_after(hours: float) -> Any:
    """The setting ``repeat_hours`` with this default."""
    return Field(
        default=hours, description="Told again after so long while it holds; 0 is never.", ge=0, le=8_760
    )  # fmt: skip


def tells_when_over(default: bool) -> Any:
    """The setting ``tells_resolved`` with this default."""
    return Field(default=default, description="Also tell when it is over.")


class AlertRule(BaseModel):
    """What every rule has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(default=True, description="Switch the rule off, which also ends its alerts.")
    severity: Severity = of_severity("warning")
    for_minutes: float = holds_for(0)
    clear_minutes: float = Field(
        default=5, description="It must be over for so long before it counts as resolved.", ge=0, le=10_080
    )
    repeat_hours: float = repeats_after(12)
    tells_resolved: bool = tells_when_over(True)
    owner: str = Field(default="operators", description="Who looks after it.", min_length=1, max_length=100)
    runbook: str = Field(
        default="", description="Address of what to do; the rule's part of docs/alerts.md when empty.", max_length=500
    )
    receivers: tuple[str, ...] = Field(default=(), description="Names of receivers; all of them when empty.")


class OrganiserRule(AlertRule):
    """A rule about events, told once."""

    severity: Severity = of_severity("info")
    repeat_hours: float = repeats_after(0)
    owner: str = Field(default="organisers", description="Who looks after it.", min_length=1, max_length=100)
