"""Objectives of what comes in live: how much of it is refused, and how soon it is in the tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.scene import Row, Scene
from event_pipeline.contracts.stream import BATCHES
from event_pipeline.settings.operator_alert_rules import ErrorRate, Latency

_FIGURES = f"""
SELECT source, sum(rows_in)::BIGINT AS changes, sum(rows_quarantined)::BIGINT AS quarantined,
    count(DISTINCT batch_id) AS batches, quantile_cont(lag_seconds, 0.95) AS p95
FROM {BATCHES.qualified} WHERE committed_at > $since AND committed_at <= $now GROUP BY source ORDER BY source
"""


def error_rate(scene: Scene, rule: ErrorRate) -> Sequence[Condition]:
    """Sources of whose live changes too many went to quarantine."""
    return [
        Condition(
            "error_rate",
            row["source"],
            f"{row['quarantined']:,} of {row['changes']:,} changes from {row['source']} were quarantined "
            f"in {rule.minutes:g} minutes",
            round(row["quarantined"] / row["changes"], 4),
            {"source": row["source"]},
        )
        for row in _batches(scene, rule.minutes)
        if row["changes"] >= rule.least_changes and row["quarantined"] >= rule.share * row["changes"]
    ]


def latency(scene: Scene, rule: Latency) -> Sequence[Condition]:
    """Sources whose changes are in the tables too late."""
    return [
        Condition(
            "latency",
            row["source"],
            f"one in twenty batches from {row['source']} takes {row['p95']:.0f} s or longer to be in the tables; "
            f"the objective is {rule.p95_seconds:g} s",
            round(row["p95"], 1),
            {"source": row["source"]},
        )
        for row in _batches(scene, rule.minutes)
        if row["batches"] >= rule.least_batches and row["p95"] > rule.p95_seconds
    ]


def _batches(scene: Scene, minutes: float) -> list[Row]:
    if not scene.tables.have(BATCHES):
        return []
    return scene.rows(_FIGURES, now=scene.now, since=scene.now - timedelta(minutes=minutes))
