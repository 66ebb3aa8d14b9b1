"""``GET analytics``: the organisation's figures within a period, and how they compare with the one before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from event_pipeline.api.access import requires
from event_pipeline.api.answers.analytics import (
    Analytics,
    Change,
    Comparison,
    Figures,
    Granularity,
    Period,
    Totals,
    TrendPoint,
    WholeDays,
)
from event_pipeline.api.catalog_session import Session
from event_pipeline.api.conditional import conditional
from event_pipeline.api.mirror import Mirrored
from event_pipeline.api.openapi import NOT_MODIFIED, READS
from event_pipeline.api.queries import analytics as queries
from event_pipeline.api.queries.span import Span, span_of
from event_pipeline.api.services import Services, Shared

router = APIRouter(prefix="/api/pipeline", tags=["figures"])

_NO_CHANGE = Change(registrations=None, participants=None, check_ins=None, revenue=None)


@router.get(
    "/analytics",
    response_model=Analytics,
    dependencies=[requires("read")],
    responses=READS | NOT_MODIFIED,
    summary="Trends, attendance, revenue, engagement and top events of a period",
)
def analytics(
    request: Request,
    services: Shared,
    period: Annotated[
        Period,
        Query(description="Days up to today, the organisation's: week is the last 7, month 30, year 365."),
    ] = "month",
    granularity: Annotated[
        Granularity, Query(description="A point of the trend a day, or a week from Monday.")
    ] = "day",
    top: Annotated[int, Query(ge=1, le=100, description="How many events to list.")] = 10,
) -> Response:
    """Needs the scope `read`. The period ends with today, which is not over and marked as partial in the trend; changes
    are of whole days. The period `all` holds what has no known day too."""
    return conditional(
        request, services, lambda session, state: analytics_answer(session, state, services, period, granularity, top)
    )


def analytics_answer(
    session: Session, state: Mirrored, services: Services, period: Period, granularity: Granularity, top: int
) -> Analytics:
    """The figures of that period, of one look at the warehouse."""
    organisation = services.settings.organisation
    span = span_of(period, services.today)

    def totals_of(days: Span) -> Totals:
        return state.once(("totals", days), lambda: queries.totals(session, days, organisation.currency))

    def trend() -> tuple[date | None, list[TrendPoint]]:
        first = span.first or queries.first_day(session)
        return first, queries.trend(session, first, span.last, granularity, span.first, services.today)

    def figures_of(days: Span) -> Figures:
        return state.once(("figures", days), lambda: queries.figures(session, days, organisation.currency))

    first, points = state.once(("trend", span, granularity), trend)
    return Analytics(
        period=period,
        granularity=granularity,
        first_day=first,
        last_day=span.last,
        time_zone=organisation.time_zone,
        as_of=state.committed_at,
        quality=queries.quality(state.events.checks),
        totals=totals_of(span),
        trend=points,
        top_events=queries.top_events(session, span, organisation.currency, top),
        comparison=_comparison(span, totals_of, figures_of),
    )


def _comparison(
    span: Span, totals_of: Callable[[Span], Totals], figures_of: Callable[[Span], Figures]
) -> Comparison | None:
    before = span.before
    if before is None or before.first is None:
        return None
    whole = span.whole
    compared = WholeDays(now=figures_of(whole), before=figures_of(whole.before)) if whole and whole.before else None
    return Comparison(
        first_day=before.first,
        last_day=before.last,
        totals=totals_of(before),
        whole_days=compared,
        change=_changes(compared.now, compared.before) if compared else _NO_CHANGE,
    )


def _changes(now: Figures, before: Figures) -> Change:
    return Change(
        registrations=_change(now.registrations, before.registrations),
        participants=_change(now.participants, before.participants),
        check_ins=_change(now.check_ins, before.check_ins),
        revenue=_change(now.revenue.amount_minor, before.revenue.amount_minor),
    )


def _change(now: int, before: int) -> float | None:
    return round((now - before) / before, 4) if before > 0 else None
