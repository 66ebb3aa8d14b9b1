"""What is asked about one event at a time, held so that its rows are found by its id without a query.

A query costs half a millisecond before its first row, and an event's page has eight parts. These copies are Arrow
tables in which an event's rows lie together; they are of the same snapshot as the copies in ``mirror``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, Any

from event_pipeline.alerts.pace import OTHERS_OVER, Others
from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.core import FACT_PAYMENTS
from event_pipeline.contracts.marts import (
    AGG_ARRIVALS,
    AGG_EVENT_REVENUE,
    AGG_PAYMENT_DISCREPANCIES,
    AGG_REGISTRATION_PACE,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from event_pipeline.api.catalog_session import Row

_PACE = """
SELECT event_id, days_before_start, registrations, cancellations, cumulative_registrations, cumulative_participants,
    round(fill_rate, 4) AS fill_rate
FROM {source} ORDER BY event_id, days_before_start DESC
"""
_ARRIVALS = """
SELECT event_id, bucket_at, minutes_from_start, check_ins, cumulative_check_ins FROM {source}
ORDER BY event_id, bucket_at
"""
_PAYMENTS = """
SELECT event_id, payment_status, currency, count(*) AS payments, coalesce(sum(amount_minor), 0)::BIGINT AS amount,
    sum(refunded_minor)::BIGINT AS refunded, sum(revenue_minor)::BIGINT AS revenue
FROM {source} GROUP BY ALL ORDER BY event_id, payment_status, currency
"""
_REVENUE = """
SELECT event_id, currency, sum(paid_minor)::BIGINT AS paid, sum(refunded_minor)::BIGINT AS refunded,
    sum(revenue_minor)::BIGINT AS revenue
FROM {source} GROUP BY ALL ORDER BY event_id, currency
"""
_DISCREPANCIES = """
SELECT event_id, discrepancy, count(*) AS payments FROM {source} GROUP BY ALL ORDER BY event_id, discrepancy
"""
PARTS: Mapping[str, tuple[Contract, str]] = {
    "pace": (AGG_REGISTRATION_PACE, _PACE),
    "arrivals": (AGG_ARRIVALS, _ARRIVALS),
    "payments": (FACT_PAYMENTS, _PAYMENTS),
    "revenue": (AGG_EVENT_REVENUE, _REVENUE),
    "discrepancies": (AGG_PAYMENT_DISCREPANCIES, _DISCREPANCIES),
}
"""By name, the warehouse's table that each part is made from and how; the first column is the event's id."""

OF_MIRROR: Mapping[str, str] = {
    "events": "SELECT * FROM mirror.events ORDER BY event_id",
    "funnels": "SELECT * FROM mirror.agg_email_funnel ORDER BY event_id",
    "editions": "SELECT club_id || chr(31) || edition_series AS series, event_id, title, starts_at, capacity, "
    "coalesce(event_status, '') = 'cancelled' AS is_cancelled FROM mirror.dim_events "
    "WHERE edition_series <> '' AND starts_at IS NOT NULL ORDER BY series, starts_at DESC, event_id",
}
"""By name, the parts that are made of the copies in ``mirror``."""


class Grouped:
    """The rows of an Arrow table by the value of its first column, in the table's order."""

    def __init__(self, table: pa.Table) -> None:
        """The table is in the order of its first column, which holds texts."""
        import pyarrow.compute as pc

        runs = pc.call_function("run_end_encode", [table.column(0).combine_chunks()])
        ends = runs.run_ends.to_pylist()
        self._places = dict(zip(runs.values.to_pylist(), zip([0, *ends], ends, strict=False), strict=True))
        self._table = table.combine_chunks()

    @property
    def table(self) -> pa.Table:
        """All rows."""
        return self._table

    def rows(self, key: str) -> list[Row]:
        """The rows of that key; none where there are none."""
        first, beyond = self._places.get(key, (0, 0))
        found = self._table.slice(first, beyond - first)
        columns = [column.to_pylist() for column in found.columns]
        return [dict(zip(found.column_names, values, strict=True)) for values in zip(*columns, strict=True)]

    def row(self, key: str) -> Row | None:
        """The first row of that key."""
        return next(iter(self.rows(key)), None)


@dataclass(frozen=True, slots=True)
class EventCopies:
    """The parts of events' pages by name: those of ``PARTS`` and ``OF_MIRROR``."""

    parts: Mapping[str, Grouped]
    checks: list[dict[str, Any]]
    """The latest checks of every table."""
    _fills: dict[Any, Others | None] = field(default_factory=dict, repr=False, compare=False)

    def event(self, event_id: str) -> Row | None:
        """The event's row of ``mirror.events``."""
        return self.parts["events"].row(event_id)

    def rows(self, part: str, event_id: str) -> list[Row]:
        """The event's rows of that part."""
        return self.parts[part].rows(event_id)

    def editions(self, event: Row) -> list[Row]:
        """Events of the same club and series, the latest first; none of an event without a series or a start."""
        if not event["edition_series"] or event["starts_at"] is None:
            return []
        return self.parts["editions"].rows(f"{event['club_id']}\x1f{event['edition_series']}")

    def usual_fill(self, days_left: int, now: datetime) -> Others | None:
        """Median share of places that past events had taken so many days before their start; None without any."""
        key = (days_left, now.replace(minute=0, second=0, microsecond=0))
        if key not in self._fills:
            self._fills[key] = self._usual_fill(days_left, now)
        return self._fills[key]

    def _usual_fill(self, days_left: int, now: datetime) -> Others | None:
        import pyarrow.compute as pc

        pace = self.parts["pace"].table
        then = pace.filter(pc.call_function("greater", [pace["days_before_start"], days_left]))
        # Rows of an event lie together, the earliest day first: the last that is kept of each stands.
        taken = dict(zip(then["event_id"].to_pylist(), then["cumulative_participants"].to_pylist(), strict=True))
        known = set(pace["event_id"].unique().to_pylist())
        events = self.parts["events"].table.select(["event_id", "starts_at", "capacity", "event_status"]).to_pylist()
        fills = [
            taken.get(event["event_id"], 0) / event["capacity"]
            for event in events
            if event["capacity"] and event["starts_at"] is not None and event["event_status"] != "cancelled"
            and now - OTHERS_OVER <= event["starts_at"] < now and event["event_id"] in known
        ]  # fmt: skip
        return Others(median(fills), len(fills)) if fills else None
