"""Alert rules about events and their money, for organisers: their own thresholds."""

from __future__ import annotations

from pydantic import Field

from event_pipeline.settings.alert_rule import OrganiserRule, Severity, holds_for, of_severity, tells_when_over


class EventSoldOut(OrganiserRule):
    """An upcoming event has no place left."""


class EventNearlyFull(OrganiserRule):
    """An upcoming event has few places left."""

    share: float = Field(default=0.9, description="So large a share of its places is taken.", gt=0, lt=1)


class OffPace(OrganiserRule):
    """An upcoming event fills more slowly than it should."""

    severity: Severity = of_severity("warning")
    for_minutes: float = holds_for(60)
    share: float = Field(default=0.6, description="Below so many times what is usual.", gt=0, le=1)
    least: int = Field(default=10, description="Where fewer would be usual, it says nothing.", ge=1, le=1_000_000)
    days: int = Field(default=30, description="Looked at so many days before the start, and later.", ge=1, le=365)
    past_events: int = Field(
        default=5,
        description="Without earlier editions, at least so many past events tell what is usual.", ge=1, le=1_000,
    )  # fmt: skip


class RegistrationBurst(OrganiserRule):
    """Registrations for one event come in unusually fast."""

    severity: Severity = of_severity("warning")
    tells_resolved: bool = tells_when_over(False)
    minutes: float = Field(default=15, description="Within so many minutes.", ge=1, le=1_440)
    least: int = Field(default=40, description="At least so many.", ge=1, le=1_000_000)
    times: float = Field(default=8, description="And so many times the event's own usual.", ge=1, le=10_000)


class HighValuePayment(OrganiserRule):
    """A payment is unusually large."""

    tells_resolved: bool = tells_when_over(False)
    amount_minor: int = Field(
        default=2_500_000, description="At least so much, in minor units (paise, cents).", ge=1, le=10**15
    )
    hours: float = Field(default=24, description="Payments of the last so many hours.", gt=0, le=720)


class RefundSpike(OrganiserRule):
    """More is refunded than usual."""

    severity: Severity = of_severity("warning")
    hours: float = Field(default=24, description="Refunds of the last so many hours.", gt=0, le=720)
    least: int = Field(default=5, description="At least so many.", ge=1, le=1_000_000)
    times: float = Field(default=3, description="And so many times the usual of four weeks.", ge=1, le=10_000)


class PaymentDiscrepancy(OrganiserRule):
    """Payments of an event on which app and provider disagree, or that should not be there."""

    severity: Severity = of_severity("warning")
    days: int = Field(default=60, description="Payments of the last so many days.", ge=1, le=3_650)
    least: int = Field(default=1, description="At least so many payments of an event.", ge=1, le=1_000_000)
