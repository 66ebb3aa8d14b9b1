"""The marts: aggregates of the star schema that add up to its facts. Which function makes which, of what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from event_pipeline.contracts.marts import MARTS
from event_pipeline.models.marts.activity import agg_daily_metrics, agg_event_metrics
from event_pipeline.models.marts.audience import agg_cohorts, agg_email_funnel
from event_pipeline.models.marts.clubs import agg_club_metrics
from event_pipeline.models.marts.course import agg_arrivals, agg_registration_pace
from event_pipeline.models.marts.money import agg_event_revenue, agg_payment_discrepancies
from event_pipeline.models.model import Model, Parameter

if TYPE_CHECKING:
    import ibis.expr.types as ir


def _mart(function: Callable[..., ir.Table], *parameters: Parameter) -> Model:
    """Functions are named after their table, and take the tables its contract names as sources."""
    contract = MARTS[function.__name__]
    return Model(contract, function, contract.sources, parameters)


MART_MODELS = {
    model.contract.table: model
    for model in (
        _mart(agg_event_metrics, "locale"),
        _mart(agg_daily_metrics, "locale", "as_of"),
        _mart(agg_club_metrics, "locale", "as_of"),
        _mart(agg_registration_pace, "as_of"),
        _mart(agg_arrivals),
        _mart(agg_email_funnel),
        _mart(agg_cohorts),
        _mart(agg_event_revenue),
        _mart(agg_payment_discrepancies, "locale"),
    )
}
"""Mart model by table, in an order in which each can be made."""
