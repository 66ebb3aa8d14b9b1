"""Every model's increment, and the two stages in which they are applied: a transaction writes to one catalog only."""

from __future__ import annotations

from event_pipeline.increments.core import CORE_INCREMENTS
from event_pipeline.increments.increment import Increment
from event_pipeline.increments.lake import LAKE_INCREMENTS
from event_pipeline.increments.marts import MART_INCREMENTS
from event_pipeline.models.model import Model
from event_pipeline.models.registry import in_order

INCREMENTS: dict[str, Increment] = {**LAKE_INCREMENTS, **CORE_INCREMENTS, **MART_INCREMENTS}
"""By ``layer.table``; every model has one."""


def models_of(catalog: str) -> list[Model]:
    """The models whose tables are in that catalog, each after those it reads."""
    return [model for model in in_order() if model.contract.catalog == catalog]


def inputs_of(catalog: str) -> list[str]:
    """What the stage starts from: inputs of its models that its models do not make."""
    models = models_of(catalog)
    made = {model.name for model in models}
    return sorted({name for model in models for name in model.inputs} - made)


CALM = frozenset(name for name, increment in INCREMENTS.items() if increment.is_calm)
"""Tables that live batches may leave for a calmer moment."""
