"""``GET events/{event_id}/analytics``: how one event goes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from event_pipeline.api.access import requires
from event_pipeline.api.answers.event import EventAnalytics
from event_pipeline.api.conditional import of_copies
from event_pipeline.api.mirror import Mirrored
from event_pipeline.api.openapi import NOT_MODIFIED, READS, problems
from event_pipeline.api.queries import event as queries
from event_pipeline.api.queries.analytics import quality
from event_pipeline.api.queries.events import known_event
from event_pipeline.api.services import Services, Shared

router = APIRouter(prefix="/api/pipeline", tags=["figures"])

EventId = Annotated[
    str, Path(min_length=1, max_length=200, pattern=r"^[^\x00/]+$", description="`event_id` of an event.")
]
NO_FORECAST = "no model has been trained on past events yet"
_TABLES = (
    "core.dim_events", "core.fact_payments", "marts.agg_event_metrics", "marts.agg_event_revenue",
    "marts.agg_payment_discrepancies", "marts.agg_registration_pace", "marts.agg_arrivals", "marts.agg_email_funnel",
)  # fmt: skip


@router.get(
    "/events/{event_id}/analytics",
    response_model=EventAnalytics,
    dependencies=[requires("read")],
    responses=READS | problems("not-found") | NOT_MODIFIED,
    summary="Pace, arrivals, no-shows, payments and mail of an event",
)
def event_analytics(request: Request, services: Shared, event_id: EventId) -> Response:
    """Needs the scope `read`. Earlier editions are events of the same club and series that started before."""
    return of_copies(request, services, lambda state: event_answer(state, services, event_id))


def event_answer(state: Mirrored, services: Services, event_id: str) -> EventAnalytics:
    """How the event goes. Raises Problem: not-found."""
    copies, currency = state.events, services.settings.organisation.currency
    event, row = known_event(copies, event_id, currency)
    funnel = queries.email_funnel(copies, event_id)
    return EventAnalytics(
        event=event,
        today=services.today,
        as_of=state.committed_at,
        quality=quality(copies.checks, _TABLES),
        pace=queries.pace(copies, row, services.now(), services.today, services.settings.alerts.rules.off_pace),
        arrivals=queries.arrivals(copies, event_id),
        no_shows=queries.no_shows(row, funnel),
        payments=queries.payments(copies, event_id),
        revenue_by_currency=queries.revenue_by_currency(copies, event_id, currency),
        discrepancies=queries.discrepancies(copies, event_id),
        email_funnel=funnel,
        forecast=None,
        forecast_reason=NO_FORECAST,
    )
