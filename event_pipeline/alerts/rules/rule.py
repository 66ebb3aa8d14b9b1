"""Every rule by its name, with what makes it pointless to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.rules import drift, events, live, machine, money, pace, runs, sources, tables
from event_pipeline.alerts.scene import Scene

Judge = Callable[[Scene, Any], Sequence[Condition]]
"""What is wrong in this scene by these thresholds. Raises CannotLook when that cannot be told now."""

_NOTHING_COMES = frozenset(("dagster_down", "stream_down", "warehouse_down"))
_FIGURES_ARE_OLD = _NOTHING_COMES | {"source_failing", "freshness"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; while an alert of ``inhibited_by`` fires its own are a consequence, and not told."""

    judge: Judge
    inhibited_by: frozenset[str] = frozenset()


RULES: Mapping[str, Rule] = {
    "run_failed": Rule(runs.run_failed, frozenset(("warehouse_down",))),
    "check_failed": Rule(runs.check_failed),
    "source_failing": Rule(sources.source_failing),
    "source_stale": Rule(sources.source_stale, _NOTHING_COMES | {"source_failing"}),
    "source_lagging": Rule(sources.source_lagging, frozenset(("stream_down",))),
    "stream_down": Rule(sources.stream_down),
    "dagster_down": Rule(machine.dagster_down),
    "warehouse_down": Rule(machine.warehouse_down),
    "background_failing": Rule(machine.background_failing),
    "error_rate": Rule(live.error_rate),
    "freshness": Rule(tables.freshness, _NOTHING_COMES),
    "latency": Rule(live.latency, frozenset(("stream_down",))),
    "quarantine_growth": Rule(tables.quarantine_growth),
    "schema_drift": Rule(drift.schema_drift),
    "volume_anomaly": Rule(tables.volume_anomaly, _FIGURES_ARE_OLD),
    "disk": Rule(machine.disk),
    "event_sold_out": Rule(events.event_sold_out),
    "event_nearly_full": Rule(events.event_nearly_full),
    "off_pace": Rule(pace.off_pace, _FIGURES_ARE_OLD),
    "registration_burst": Rule(events.registration_burst),
    "high_value_payment": Rule(money.high_value_payment),
    "refund_spike": Rule(money.refund_spike),
    "payment_discrepancy": Rule(money.payment_discrepancy),
}
"""Named as in the settings."""
