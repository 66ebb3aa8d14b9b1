"""The rules of the section ``alerts``: what each has in common, and its own thresholds."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["info", "warning", "critical"]


def _severity(default: Severity) -> Any:
    return Field(default=default, description="How severe an alert of this rule is.")


def _for(minutes: float) -> Any:
    return Field(
        default=minutes, description="It must hold for so long before anybody is told; pending until then.",
        ge=0, le=10_080,
    )  # fmt: skip


def _repeat(hours: float) -> Any:
    return Field(
        default=hours, description="Told again after so long while it holds; 0 is never.", ge=0, le=8_760
    )  # fmt: skip


def _resolved(default: bool) -> Any:
    return Field(default=default, description="Also tell when it is over.")


class AlertRule(BaseModel):
    """What every rule has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(default=True, description="Switch the rule off, which also ends its alerts.")
    severity: Severity = _severity("warning")
    for_minutes: float = _for(0)
    clear_minutes: float = Field(
        default=5, description="It must be over for so long before it counts as resolved.", ge=0, le=10_080
    )
    repeat_hours: float = _repeat(12)
    tells_resolved: bool = _resolved(True)
    owner: str = Field(default="operators", description="Who looks after it.", min_length=1, max_length=100)
    runbook: str = Field(
        default="", description="Address of what to do; the rule's part of docs/alerts.md when empty.", max_length=500
    )
    receivers: tuple[str, ...] = Field(default=(), description="Names of receivers; all of them when empty.")


class OrganiserRule(AlertRule):
    """A rule about events, told once."""

    severity: Severity = _severity("info")
    repeat_hours: float = _repeat(0)
    owner: str = Field(default="organisers", description="Who looks after it.", min_length=1, max_length=100)


class RunFailed(AlertRule):
    """A job's runs fail."""

    severity: Severity = _severity("critical")
    consecutive: int = Field(default=2, description="So many runs of a job in a row.", ge=1, le=100)
    alone_minutes: float = Field(
        default=60, description="Fewer failures count too when no run has succeeded for so long since.", ge=0, le=10_080
    )


class CheckFailed(AlertRule):
    """A table's check fails."""

    consecutive: int = Field(default=1, description="So many evaluations in a row.", ge=1, le=100)
    warnings: bool = Field(default=False, description="Checks that only warn count too.")


class SourceFailing(AlertRule):
    """A source cannot be read."""

    severity: Severity = _severity("critical")
    for_minutes: float = _for(10)


class SourceStale(AlertRule):
    """Nobody has read a source for too long."""

    hours: float = Field(default=26, description="Not read, nor followed live, for so long.", gt=0, le=8_760)


class SourceLagging(AlertRule):
    """More comes in than is committed."""

    for_minutes: float = _for(5)
    waiting_changes: int = Field(
        default=5_000, description="So many changes wait in the stream worker.", ge=1, le=10_000_000
    )


class StreamDown(AlertRule):
    """The stream worker was killed, hangs, or cannot commit."""

    severity: Severity = _severity("critical")
    for_minutes: float = _for(2)


class DagsterDown(AlertRule):
    """Dagster does not answer, its daemons are not well, or nobody reports its runs and checks."""

    severity: Severity = _severity("critical")
    for_minutes: float = _for(5)
    report_minutes: float = Field(
        default=15, description="Runs and checks must have been reported within so long.", gt=0, le=10_080
    )


class WarehouseDown(AlertRule):
    """The warehouse cannot be read."""

    severity: Severity = _severity("critical")
    for_minutes: float = _for(2)


class BackgroundFailing(AlertRule):
    """A part of the API or the stream worker that works in the background fails, so that something grows old."""

    severity: Severity = _severity("critical")
    for_minutes: float = _for(2)


class ErrorRate(AlertRule):
    """Too many of the changes that come in live are quarantined."""

    minutes: float = Field(default=60, description="Changes of the last so many minutes.", gt=0, le=10_080)
    share: float = Field(default=0.1, description="So large a share of them is quarantined.", gt=0, le=1)
    least_changes: int = Field(default=50, description="Fewer changes say nothing.", ge=1, le=10_000_000)


class Freshness(AlertRule):
    """Changes in the lake wait too long for the tables."""

    minutes: float = Field(default=60, description="The oldest waits for so long.", gt=0, le=10_080)


class Latency(AlertRule):
    """Live changes take too long until they are in the tables."""

    minutes: float = Field(default=30, description="Batches of the last so many minutes.", gt=0, le=10_080)
    p95_seconds: float = Field(default=60, description="Nineteen of twenty are to be faster.", gt=0, le=86_400)
    least_batches: int = Field(default=10, description="Fewer batches say nothing.", ge=1, le=1_000_000)


class QuarantineGrowth(AlertRule):
    """A table's quarantine grows."""

    hours: float = Field(default=24, description="Compared with what it held so long ago.", gt=0, le=720)
    documents: int = Field(default=20, description="So many documents more.", ge=1, le=10_000_000)
    share: float = Field(default=0.1, description="And so large a share more than it held.", ge=0, le=100)


class SchemaDrift(AlertRule):
    """Documents have fields never seen before, or lack fields they always had."""

    days: int = Field(default=3, description="A new field counts as known after so long.", ge=1, le=365)
    least_documents: int = Field(default=3, description="A new field counts when so many documents have it.", ge=1)
    window_documents: int = Field(
        default=50, description="A missing field is looked for in so many of the latest documents.", ge=5, le=1_000
    )
    usual_share: float = Field(
        default=0.95, description="A field that so large a share of documents had is always there.", gt=0.5, le=1
    )
    missing_share: float = Field(
        default=0.5, description="It is missing when at most so large a share still has it.", ge=0, lt=1
    )


class VolumeAnomaly(AlertRule):
    """A day had far fewer or far more registrations than such days had."""

    weeks: int = Field(default=8, description="Compared with the same weekday of so many weeks.", ge=3, le=104)
    least: int = Field(default=20, description="Days that usually have fewer say nothing.", ge=1, le=10_000_000)
    low: float = Field(default=0.2, description="Below so many times the usual.", ge=0, le=1)
    high: float = Field(default=5, description="Above so many times the usual.", ge=1, le=1_000)


class Disk(AlertRule):
    """The data folder's disk fills up."""

    severity: Severity = _severity("critical")
    free_share: float = Field(default=0.05, description="So small a share of it is free.", ge=0, le=1)
    free_gigabytes: float = Field(default=2, description="Or so few gigabytes are.", ge=0, le=100_000)


class EventSoldOut(OrganiserRule):
    """An upcoming event has no place left."""


class EventNearlyFull(OrganiserRule):
    """An upcoming event has few places left."""

    share: float = Field(default=0.9, description="So large a share of its places is taken.", gt=0, lt=1)


class OffPace(OrganiserRule):
    """An upcoming event fills more slowly than it should."""

    severity: Severity = _severity("warning")
    for_minutes: float = _for(60)
    share: float = Field(default=0.6, description="Below so many times what is usual.", gt=0, le=1)
    least: int = Field(default=10, description="Where fewer would be usual, it says nothing.", ge=1, le=1_000_000)
    days: int = Field(default=30, description="Looked at so many days before the start, and later.", ge=1, le=365)
    past_events: int = Field(
        default=5,
        description="Without earlier editions, at least so many past events tell what is usual.", ge=1, le=1_000,
    )  # fmt: skip


class RegistrationBurst(OrganiserRule):
    """Registrations for one event come in unusually fast."""

    severity: Severity = _severity("warning")
    tells_resolved: bool = _resolved(False)
    minutes: float = Field(default=15, description="Within so many minutes.", ge=1, le=1_440)
    least: int = Field(default=40, description="At least so many.", ge=1, le=1_000_000)
    times: float = Field(default=8, description="And so many times the event's own usual.", ge=1, le=10_000)


class HighValuePayment(OrganiserRule):
    """A payment is unusually large."""

    tells_resolved: bool = _resolved(False)
    amount_minor: int = Field(
        default=2_500_000, description="At least so much, in minor units (paise, cents).", ge=1, le=10**15
    )
    hours: float = Field(default=24, description="Payments of the last so many hours.", gt=0, le=720)


class RefundSpike(OrganiserRule):
    """More is refunded than usual."""

    severity: Severity = _severity("warning")
    hours: float = Field(default=24, description="Refunds of the last so many hours.", gt=0, le=720)
    least: int = Field(default=5, description="At least so many.", ge=1, le=1_000_000)
    times: float = Field(default=3, description="And so many times the usual of four weeks.", ge=1, le=10_000)


class PaymentDiscrepancy(OrganiserRule):
    """Payments of an event on which app and provider disagree, or that should not be there."""

    severity: Severity = _severity("warning")
    days: int = Field(default=60, description="Payments of the last so many days.", ge=1, le=3_650)
    least: int = Field(default=1, description="At least so many payments of an event.", ge=1, le=1_000_000)


class AlertRules(BaseModel):
    """What is watched."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run_failed: RunFailed = RunFailed()
    check_failed: CheckFailed = CheckFailed()
    source_failing: SourceFailing = SourceFailing()
    source_stale: SourceStale = SourceStale()
    source_lagging: SourceLagging = SourceLagging()
    stream_down: StreamDown = StreamDown()
    dagster_down: DagsterDown = DagsterDown()
    warehouse_down: WarehouseDown = WarehouseDown()
    background_failing: BackgroundFailing = BackgroundFailing()
    error_rate: ErrorRate = ErrorRate()
    freshness: Freshness = Freshness()
    latency: Latency = Latency()
    quarantine_growth: QuarantineGrowth = QuarantineGrowth()
    schema_drift: SchemaDrift = SchemaDrift()
    volume_anomaly: VolumeAnomaly = VolumeAnomaly()
    disk: Disk = Disk()
    event_sold_out: EventSoldOut = EventSoldOut()
    event_nearly_full: EventNearlyFull = EventNearlyFull()
    off_pace: OffPace = OffPace()
    registration_burst: RegistrationBurst = RegistrationBurst()
    high_value_payment: HighValuePayment = HighValuePayment()
    refund_spike: RefundSpike = RefundSpike()
    payment_discrepancy: PaymentDiscrepancy = PaymentDiscrepancy()
