"""Alert rules about the pipeline itself, for who runs it: their own thresholds."""

from __future__ import annotations

from pydantic import Field

from event_pipeline.settings.alert_rule import AlertRule, Severity, holds_for, of_severity


class RunFailed(AlertRule):
    """A job's runs fail."""

    severity: Severity = of_severity("critical")
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

    severity: Severity = of_severity("critical")
    for_minutes: float = holds_for(10)


class SourceStale(AlertRule):
    """Nobody has read a source for too long."""

    hours: float = Field(default=26, description="Not read, nor followed live, for so long.", gt=0, le=8_760)


class SourceLagging(AlertRule):
    """More comes in than is committed."""

    for_minutes: float = holds_for(5)
    waiting_changes: int = Field(
        default=5_000, description="So many changes wait in the stream worker.", ge=1, le=10_000_000
    )


class StreamDown(AlertRule):
    """The stream worker was killed, hangs, or cannot commit."""

    severity: Severity = of_severity("critical")
    for_minutes: float = holds_for(2)


class DagsterDown(AlertRule):
    """Dagster does not answer, its daemons are not well, or nobody reports its runs and checks."""

    severity: Severity = of_severity("critical")
    for_minutes: float = holds_for(5)
    report_minutes: float = Field(
        default=15, description="Runs and checks must have been reported within so long.", gt=0, le=10_080
    )


class WarehouseDown(AlertRule):
    """The warehouse cannot be read."""

    severity: Severity = of_severity("critical")
    for_minutes: float = holds_for(2)


class BackgroundFailing(AlertRule):
    """A part of the API or the stream worker that works in the background fails, so that something grows old."""

    severity: Severity = of_severity("critical")
    for_minutes: float = holds_for(2)


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

    severity: Severity = of_severity("critical")
    free_share: float = Field(default=0.05, description="So small a share of it is free.", ge=0, le=1)
    free_gigabytes: float = Field(default=2, description="Or so few gigabytes are.", ge=0, le=100_000)
