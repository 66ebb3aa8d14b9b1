"""The order of a run's steps where their inputs leave it open: sources, the lake, the warehouse, expectations.

Dagster's in-process executor takes, of the steps that are ready, the one of highest priority. So every source has been
read before the first table is brought up to date, and a rebuild is done with the lake before it enters the warehouse.
"""

from __future__ import annotations

from enum import IntEnum

from event_pipeline.contracts.contract import Contract

PRIORITY_TAG = "dagster/priority"


class Turn(IntEnum):
    """When a step comes; higher goes first."""

    SOURCES = 3
    LAKE = 2
    WAREHOUSE = 1
    EXPECTATIONS = 0


def turn_of(contract: Contract) -> Turn:
    """When a model's table is made and its contract checked."""
    return Turn.LAKE if contract.catalog == "lake" else Turn.WAREHOUSE


def op_tags(turn: Turn) -> dict[str, str]:
    """Tags of the op that comes then."""
    return {PRIORITY_TAG: str(turn.value)}
