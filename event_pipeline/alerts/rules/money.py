"""Payments that deserve a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.scene import Scene
from event_pipeline.contracts.core import DIM_EVENTS, FACT_PAYMENT_ENTRIES, FACT_PAYMENTS
from event_pipeline.contracts.currencies import major_units
from event_pipeline.contracts.discrepancy_texts import DISCREPANCY_TEXTS
from event_pipeline.contracts.marts import AGG_PAYMENT_DISCREPANCIES
from event_pipeline.settings.organiser_alert_rules import HighValuePayment, PaymentDiscrepancy, RefundSpike

_LARGE = f"""
SELECT payment_id, event_id, coalesce(title, event_id) AS title, payment_status, amount_minor, currency
FROM {FACT_PAYMENTS.qualified} LEFT JOIN {DIM_EVENTS.qualified} USING (event_id)
WHERE amount_minor >= $amount AND payment_status IN ('pending', 'verified')
    AND occurred_at > $begin AND occurred_at <= $now ORDER BY payment_id
"""
_REFUNDS = f"""
SELECT count(*) FILTER (WHERE occurred_at > $begin) AS now, count(*) FILTER (WHERE occurred_at <= $begin) AS before
FROM {FACT_PAYMENT_ENTRIES.qualified}
WHERE entry_kind = 'refund' AND occurred_at > $usual_begin AND occurred_at <= $now
"""
_DISCREPANCIES = f"""
WITH recent AS (
    SELECT event_id, payment_id, discrepancy FROM {AGG_PAYMENT_DISCREPANCIES.qualified} WHERE occurred_at > $begin
), kinds AS (SELECT event_id, discrepancy, count(*) AS payments FROM recent GROUP BY ALL)
SELECT event_id, coalesce(any_value(title), event_id) AS title,
    (SELECT count(DISTINCT payment_id) FROM recent WHERE recent.event_id = kinds.event_id) AS payments,
    map_from_entries(list((discrepancy, kinds.payments))) AS of_kinds
FROM kinds LEFT JOIN {DIM_EVENTS.qualified} USING (event_id) GROUP BY event_id ORDER BY event_id
"""
_USUAL_OVER = timedelta(days=28)


def high_value_payment(scene: Scene, rule: HighValuePayment) -> Sequence[Condition]:
    """Large payments of late, whether they wait to be checked or stand verified."""
    if not scene.tables.have(FACT_PAYMENTS):
        return []
    begin = scene.now - timedelta(hours=rule.hours)
    return [
        Condition(
            "high_value_payment",
            row["payment_id"],
            f"a payment of {_written(row['amount_minor'], row['currency'])} {row['currency']} for {row['title']} "
            f"is {row['payment_status']}",
            row["amount_minor"],
            {"event_id": row["event_id"]},
            scene.event_link(row["event_id"]),
        )
        for row in scene.rows(_LARGE, amount=rule.amount_minor, begin=begin, now=scene.now)
    ]


def refund_spike(scene: Scene, rule: RefundSpike) -> Sequence[Condition]:
    """More refunds of late than in as many hours of the four weeks before, each by the day it was given back."""
    if not scene.tables.have(FACT_PAYMENT_ENTRIES):
        return []
    window = timedelta(hours=rule.hours)
    begin = scene.now - window
    (row,) = scene.rows(_REFUNDS, begin=begin, usual_begin=begin - _USUAL_OVER, now=scene.now)
    usual = row["before"] * (window / _USUAL_OVER)
    if row["now"] < rule.least or row["now"] < rule.times * usual:
        return []
    summary = f"{row['now']:,} refunds within {rule.hours:g} hours; usual are {usual:,.1f}"
    return [Condition("refund_spike", "refunds", summary, row["now"])]


def _written(amount_minor: int, currency: str) -> str:
    """12,345.67 in rupees, 1,234,567 in yen."""
    return f"{Decimal(major_units(amount_minor, currency)):,}"


def payment_discrepancy(scene: Scene, rule: PaymentDiscrepancy) -> Sequence[Condition]:
    """Events with payments of late that a treasurer should look at."""
    if not (scene.tables.have(AGG_PAYMENT_DISCREPANCIES) and scene.tables.have(DIM_EVENTS)):
        return []
    return [
        Condition(
            "payment_discrepancy",
            row["event_id"],
            f"{row['title']} has payments to check: " + "; ".join(_counted(row["of_kinds"])),
            row["payments"],
            {"event_id": row["event_id"]},
            scene.event_link(row["event_id"]),
        )
        for row in scene.rows(_DISCREPANCIES, begin=scene.now - timedelta(days=rule.days))
        if row["payments"] >= rule.least
    ]


def _counted(of_kinds: Mapping[str, int]) -> list[str]:
    return [f"{of_kinds[kind]:,} {text.summary}" for kind, text in DISCREPANCY_TEXTS.items() if kind in of_kinds]
