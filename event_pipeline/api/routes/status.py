"""``GET status``: whether the pipeline runs, part by part, and how far behind it is."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter

from event_pipeline.api.access import requires
from event_pipeline.api.answers.common import Money
from event_pipeline.api.answers.pipeline import Lag, PipelineTotals, Status
from event_pipeline.api.components import Look, look
from event_pipeline.api.openapi import KEYED
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services, Shared

router = APIRouter(prefix="/api/pipeline", tags=["pipeline"])

_TOTALS = """
SELECT (SELECT count(*) FROM mirror.dim_events WHERE event_id <> 'unknown') AS events,
    coalesce(sum(registrations), 0)::BIGINT AS registrations, coalesce(sum(check_ins), 0)::BIGINT AS check_ins,
    coalesce(sum(revenue_minor), 0)::BIGINT AS revenue_minor
FROM mirror.agg_daily_metrics
"""
_OTHER_REVENUE = """
SELECT currency, sum(revenue_minor)::BIGINT AS amount_minor FROM mirror.other_revenue
GROUP BY currency HAVING amount_minor <> 0 ORDER BY currency
"""


@router.get("/status", dependencies=[requires("read")], responses=KEYED, summary="Whether the pipeline runs")
def status(services: Shared) -> Status:
    """Needs the scope `read`. Answers whatever is down; Dagster is looked at every few seconds at most."""
    return status_answer(services, look(services))


def status_answer(services: Services, seen: Look) -> Status:
    """Whether the pipeline runs, of one look at everything."""
    processed = seen.warehouse.committed_at if seen.warehouse else None
    return Status(
        running=seen.is_running,
        since=_running_since(seen),
        state="ok" if seen.state == "off" else seen.state,
        at=seen.now,
        last_processed_at=processed,
        components=seen.components,
        totals=_totals(services),
        lag=Lag(
            warehouse_seconds=round((seen.now - processed).total_seconds(), 3) if processed else None,
            stream_seconds=seen.heartbeat.lag_seconds if seen.heartbeat else None,
            waiting_changes=seen.heartbeat.waiting_changes if seen.heartbeat else 0,
        ),
    )


def _running_since(seen: Look) -> datetime | None:
    if not seen.is_running:
        return None
    by = [seen.component(name) for name in ("stream", "dagster")]
    return min(item.since for item in by if item.state in ("ok", "degraded"))


def _totals(services: Services) -> PipelineTotals | None:
    """Of all time; they change with the copies only, and status is asked all the time."""
    try:
        state = services.mirror.current
        kept = services.cache.get(key := f"totals {state.snapshot} {state.committed_at}")
        if kept is not None:
            return PipelineTotals.model_validate_json(kept)
        with services.reader.session() as session:
            row = session.row(_TOTALS)
            others = [Money(**money) for money in session.rows(_OTHER_REVENUE)]
    except Problem:
        return None
    if row is None:
        return None
    revenue = Money(amount_minor=row.pop("revenue_minor"), currency=services.settings.organisation.currency)
    totals = PipelineTotals(**row, revenue=revenue, other_revenue=others)
    services.cache.put(key, totals.model_dump_json().encode())
    return totals
