"""Parts of the analytics answers as tables, with the figures that those answers give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date

from pydantic import BaseModel

from event_pipeline.alerts.pace import days_left
from event_pipeline.api.answers.analytics import DayRevenue, TopEvent, Totals, TrendPoint
from event_pipeline.api.answers.event import (
    Arrival,
    CurrencyRevenue,
    EmailFunnel,
    PacePoint,
    PaymentDiscrepancy,
    PaymentState,
)
from event_pipeline.api.answers.events import Event
from event_pipeline.api.answers.exports import AnalyticsChoice, EventPart, OrganisationPart
from event_pipeline.api.catalog_session import Session
from event_pipeline.api.event_copies import EventCopies
from event_pipeline.api.exports.flat import flat_table
from event_pipeline.api.exports.source import Source
from event_pipeline.api.problems import Problem
from event_pipeline.api.queries import analytics, event
from event_pipeline.api.queries.events import Filters, event_page, known_event
from event_pipeline.api.queries.span import Span, span_of
from event_pipeline.api.services import Services

_ALL_EVENTS = 10_000_000
Rows = tuple[type[BaseModel], list[BaseModel]]


class PeriodTotals(Totals):
    """Totals with the days that they are of; partial where the last is not over."""

    first_day: date | None
    last_day: date
    is_partial: bool


@contextmanager
def analytics_source(services: Services, choice: AnalyticsChoice) -> Iterator[Source]:
    """The part as it is answered now. Raises Problem: not-found for an event, invalid without a needed one."""
    services.mirror.refresh()
    with services.reader.session() as session:
        state = services.mirror.state_in(session)
        model, items = _of_event(state.events, services, choice) or _of_organisation(session, services, choice)
    table = flat_table(model, items)
    yield Source(table.schema, table.to_batches(), table.num_rows, state.snapshot, stop=lambda: None)


def _of_organisation(session: Session, services: Services, choice: AnalyticsChoice) -> Rows:
    currency = services.settings.organisation.currency
    span = span_of(choice.period, services.today)
    parts: Mapping[OrganisationPart, Callable[[], Rows]] = {
        "trend": lambda: (
            TrendPoint,
            [
                *analytics.trend(
                    session,
                    span.first or analytics.first_day(session),
                    span.last,
                    choice.granularity,
                    span.first,
                    services.today,
                )
            ],
        ),
        "totals": lambda: (
            PeriodTotals,
            [_totals(session, s, services.today, currency) for s in (span, span.before) if s is not None],
        ),
        "revenue": lambda: (DayRevenue, [*analytics.revenue_by_day(session, span)]),
        "top_events": lambda: (TopEvent, [*analytics.top_events(session, span, currency, choice.top)]),
        "events": lambda: (
            Event,
            [found for _, found in event_page(session, Filters(), None, _ALL_EVENTS, currency)],
        ),
    }
    return parts[choice.part]()  # pyright: ignore[reportArgumentType]


def _totals(session: Session, span: Span, today: date, currency: str) -> PeriodTotals:
    totals = analytics.totals(session, span, currency)
    is_partial = span.last >= today
    return PeriodTotals(first_day=span.first, last_day=span.last, is_partial=is_partial, **dict(totals))


def _of_event(copies: EventCopies, services: Services, choice: AnalyticsChoice) -> Rows | None:
    """The part of one event; None for parts of the organisation."""
    row = copies.event(choice.event_id) if choice.event_id else None
    left = days_left(row["start_date"], services.today) if row and row["start_date"] else None
    parts: Mapping[EventPart, Callable[[str], Rows]] = {
        "pace": lambda event_id: (PacePoint, [*event.pace_points(copies, event_id, left)]),
        "arrivals": lambda event_id: (Arrival, [*event.arrivals(copies, event_id)]),
        "payments": lambda event_id: (PaymentState, [*event.payments(copies, event_id)]),
        "revenue_by_currency": lambda event_id: (
            CurrencyRevenue,
            [*event.revenue_by_currency(copies, event_id, services.settings.organisation.currency)],
        ),
        "discrepancies": lambda event_id: (PaymentDiscrepancy, [*event.discrepancies(copies, event_id)]),
        "email_funnel": lambda event_id: (EmailFunnel, [event.email_funnel(copies, event_id)]),
    }
    part = parts.get(choice.part)  # pyright: ignore[reportArgumentType, reportCallIssue]
    if part is None:
        return None
    if choice.event_id is None:
        raise Problem("invalid", f"event_id: {choice.part} is of one event; name it")
    known_event(copies, choice.event_id, services.settings.organisation.currency)
    return part(choice.event_id)
