"""What the marts share: sums that lose no row, rates that know when there are none, and what has started."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import ibis
import ibis.expr.types as ir
from ibis import _
from ibis.common.deferred import Deferred


def count_where(condition: Deferred) -> Deferred:
    """How many rows of a group hold; 0 when none does."""
    return condition.ifelse(1, 0).sum()


def sum_where(condition: Deferred, amount: Deferred) -> Deferred:
    """Sum over the rows of a group that hold; 0 when none does."""
    return condition.ifelse(amount, 0).sum()


def rate(part: Deferred, whole: Deferred) -> Deferred:
    """Part over whole as float64; null where the whole is 0 or unknown."""
    return part.cast("float64") / whole.cast("float64").nullif(0)


def add_up(parts: Sequence[ir.Table], keys: Sequence[str], measures: Sequence[str]) -> ir.Table:
    """One row per key found in any part, with the sum of each measure; a part that lacks a measure adds 0 to it."""
    aligned = [
        part.select(*keys, **{name: _[name].cast("int64") if name in part.columns else _zero() for name in measures})
        for part in parts
    ]
    return ibis.union(*aligned, distinct=False).group_by(*keys).agg(**{name: _[name].sum() for name in measures})


def _zero() -> ir.Scalar:
    return ibis.literal(0, type="int64")


def has_started(as_of: datetime) -> Deferred:
    """Whether an event's start is not after ``as_of`` (with a zone) and it was not cancelled; never null.

    Raises ValueError for an ``as_of`` without a zone, which would mean another instant on another machine.
    """
    if as_of.tzinfo is None:
        raise ValueError(f"as_of needs a time zone: {as_of.isoformat()}; hand in an instant such as datetime.now(UTC)")
    is_due = (_.starts_at <= ibis.literal(as_of, type="timestamp('UTC')")).fill_null(False)
    return is_due & (_.event_status.fill_null("") != "cancelled")
