"""The rules of the section ``alerts``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from event_pipeline.settings.operator_alert_rules import (
    BackgroundFailing,
    CheckFailed,
    DagsterDown,
    Disk,
    ErrorRate,
    Freshness,
    Latency,
    QuarantineGrowth,
    RunFailed,
    SchemaDrift,
    SourceFailing,
    SourceLagging,
    SourceStale,
    StreamDown,
    VolumeAnomaly,
    WarehouseDown,
)
from event_pipeline.settings.organiser_alert_rules import (
    EventNearlyFull,
    EventSoldOut,
    HighValuePayment,
    OffPace,
    PaymentDiscrepancy,
    RefundSpike,
    RegistrationBurst,
)


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
