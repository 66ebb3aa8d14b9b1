"""``/``: what needs attention, today, the trend, and what comes next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from event_pipeline.api.answers.analytics import Analytics, Figures, Granularity, Period, Totals, TrendPoint
from event_pipeline.api.answers.events import Event
from event_pipeline.api.catalog_session import Session
from event_pipeline.api.dashboard.attention import Concern, concerns
from event_pipeline.api.dashboard.charts import Chart, Series, Unit
from event_pipeline.api.dashboard.dashboard import Dashboard, Fragments
from event_pipeline.api.dashboard.formats import Formats
from event_pipeline.api.dashboard.page import Page, shows
from event_pipeline.api.queries.analytics import trend
from event_pipeline.api.queries.events import Filters, next_events
from event_pipeline.api.queries.span import Span
from event_pipeline.api.routes.analytics import analytics_answer
from event_pipeline.api.services import Services

router = APIRouter(include_in_schema=False)

Metric = Literal["registrations", "check-ins", "revenue"]
TrendPeriod = Literal["week", "month", "year", "all"]
METRICS: tuple[Metric, ...] = get_args(Metric)
PERIODS: dict[TrendPeriod, str] = {"week": "7 days", "month": "30 days", "year": "A year", "all": "All time"}

_BEFORE: dict[Period, str] = {"week": "7 days before", "month": "30 days before", "year": "The year before"}
_COMING = 8
_MOST = 500
_LOOK_BACK = timedelta(days=1)
"""Events that began earlier are not looked at, even where they have not ended."""

_LASTS = timedelta(hours=6)
"""How long an event without an end is taken to last."""


@dataclass(frozen=True)
class Card:
    """One of today's figures, with the people in it where that is another number, yesterday's, and of whole weeks."""

    name: str
    value: str
    yesterday: str
    week: str
    people: str = ""


@dataclass(frozen=True)
class Overview:
    """What the page shows; ``now_on`` are events that have begun and not ended.

    ``refused`` counts records that are in quarantine only, ``refused_events`` the events among them.
    """

    concerns: list[Concern]
    cards: list[Card]
    chart: Chart
    now_on: list[Event]
    coming: list[Event]
    is_new: bool
    refused: int
    refused_events: int
    as_of: datetime


class _Choice(BaseModel):
    """What the trend is of."""

    period: TrendPeriod = "month"
    metric: Metric = "registrations"


@router.get("/")
def overview(
    page: Annotated[Page, shows("read")], period: TrendPeriod = "month", metric: Metric = "registrations"
) -> Response:
    """The page; ``period`` and ``metric`` are the trend's."""
    found = overview_figures(page.dashboard, period, metric)
    return page.show("overview.html", found=found, period=period, metric=metric, periods=PERIODS, metrics=METRICS)


def fragments(dashboard: Dashboard, about: str) -> Fragments:
    """What changes on the page; ``about`` is its period and metric, as in month/revenue."""
    chosen = _Choice.model_validate(dict(zip(("period", "metric"), about.split("/"), strict=False)))
    found = overview_figures(dashboard, chosen.period, chosen.metric)
    return {
        "live-attention": dashboard.html("overview_parts.html#attention", concerns=found.concerns),
        "live-today": dashboard.html("overview_parts.html#today", cards=found.cards),
        "trend-data": dashboard.html("charts.html#data", chart=found.chart),
        "live-coming": dashboard.html("overview_parts.html#coming", found=found, now=dashboard.services.now()),
    }


def overview_figures(dashboard: Dashboard, period: TrendPeriod, metric: Metric) -> Overview:
    """Everything on the page, of one look at the warehouse. Raises Problem."""
    services = dashboard.services
    with dashboard.warehouse() as (session, state):
        today = analytics_answer(session, state, services, "today", "day", 1)
        week = analytics_answer(session, state, services, "week", "day", 1)
        granularity = _granularity(period)
        chosen = week if period == "week" else analytics_answer(session, state, services, period, granularity, 1)
        before = _before(session, chosen, granularity)
        now_on, coming = _now_and_next(session, services)
    rejected = dashboard.quarantine.get().rejected
    return Overview(
        concerns=concerns(dashboard, today.quality),
        cards=_cards(today, week, dashboard.formats),
        chart=_chart(chosen, before, metric, dashboard.formats),
        now_on=now_on,
        coming=coming,
        is_new=chosen.first_day is None and not now_on and not coming,
        refused=sum(rejected.values()),
        refused_events=rejected.get("events", 0),
        as_of=state.committed_at,
    )


def _granularity(period: Period) -> Granularity:
    return "week" if period in ("year", "all") else "day"


def _before(session: Session, chosen: Analytics, granularity: Granularity) -> list[TrendPoint]:
    """The trend of the days that the answer is compared with."""
    if chosen.comparison is None:
        return []
    span = Span(chosen.comparison.first_day, chosen.comparison.last_day)
    return trend(session, span.first, span.last, granularity, span.first, chosen.last_day)


def _now_and_next(session: Session, services: Services) -> tuple[list[Event], list[Event]]:
    """Events that have begun and not ended, and the next ones; the soonest first, however many come after them."""
    now, currency = services.now(), services.settings.organisation.currency
    begun = next_events(
        session,
        Filters(starts_from=now - _LOOK_BACK, starts_before=now, archived=False, cancelled=False),
        _MOST,
        currency,
    )
    coming = next_events(session, Filters(starts_from=now, archived=False, cancelled=False), _COMING, currency)
    now_on = [event for event in begun if event.starts_at and now <= (event.ends_at or event.starts_at + _LASTS)]
    return now_on, coming


def _cards(today: Analytics, week: Analytics, formats: Formats) -> list[Card]:
    def money(figures: Totals | Figures) -> str:
        return formats.revenue(figures.revenue, figures.other_revenue)

    written: dict[str, tuple[Callable[[Totals | Figures], str], Callable[[Totals | Figures], int], str]] = {
        "Registrations": (lambda of: formats.number(of.registrations), lambda of: of.registrations, "fewer"),
        "Check-ins": (lambda of: formats.number(of.check_ins), lambda of: of.check_ins, "fewer"),
        "Revenue": (money, lambda of: of.revenue.amount_minor, "less"),
    }
    whole = week.comparison.whole_days if week.comparison else None
    cards = []
    for name, (text, number, less) in written.items():
        difference = number(whole.now) - number(whole.before) if whole else 0
        size = formats.minor(abs(difference)) if name == "Revenue" else formats.number(abs(difference))
        than = f"{size} {'more' if difference > 0 else less} than" if difference else "as many as"
        cards.append(
            Card(
                name=name,
                value=text(today.totals),
                yesterday=text(today.comparison.totals) if today.comparison else "–",
                week=f"{text(whole.now)} in 7 days up to yesterday, {than} the 7 days before" if whole else "",
                people=_people(today.totals, formats) if name == "Registrations" else "",
            )
        )
    return cards


def _people(totals: Totals, formats: Formats) -> str:
    """People registered, where teams make that another number."""
    is_same = totals.participants == totals.registrations
    return "" if is_same else formats.counted(totals.participants, "person", "people")


def _chart(chosen: Analytics, before: list[TrendPoint], metric: Metric, formats: Formats) -> Chart:
    fields: dict[Metric, tuple[str, str, Unit]] = {
        "registrations": ("registrations", "Registrations", "count"),
        "check-ins": ("check_ins", "Check-ins", "count"),
        "revenue": ("revenue_minor", "Revenue", "money"),
    }
    field, name, unit = fields[metric]
    values: list[Any] = [getattr(point, field) for point in chosen.trend]
    partial = [place for place, point in enumerate(chosen.trend) if point.is_partial]
    series = [Series(name, values, "area", partial=partial)]
    if before:
        earlier = [getattr(point, field) for point in before][: len(values)]
        earlier += [None] * (len(values) - len(earlier))
        series.append(Series(_BEFORE[chosen.period], earlier, is_reference=True))
    each = "week" if chosen.granularity == "week" else "day"
    written = formats.day if each == "week" else formats.short_day
    labels = [written(point.date) for point in chosen.trend]
    if chosen.trend and chosen.trend[-1].is_partial:
        labels[-1] += " (so far)"
    summary = _summary(name, each, chosen.trend, values, unit, formats)
    if metric == "revenue" and chosen.totals.other_revenue:
        others = " + ".join(formats.money(money) for money in chosen.totals.other_revenue)
        summary += f" In other currencies, not drawn here: {others}."
    return Chart(
        "trend", f"{name} a {each}", "Week from" if each == "week" else "Day", labels, series, unit,
        summary=summary, height="tall",
    )  # fmt: skip


def _summary(name: str, each: str, points: list[TrendPoint], values: list[int], unit: Unit, formats: Formats) -> str:
    if not any(values):
        return f"No {name.lower()} in this time."
    written = formats.minor if unit == "money" else formats.number
    most = max(range(len(values)), key=lambda place: values[place])
    first = points[most].date
    if each == "day":
        return f"{written(sum(values))} in total. Busiest day: {formats.short_day(first)}, {written(values[most])}."
    days = f"{formats.short_day(first)} to {formats.day(first + timedelta(days=6))}"
    return f"{written(sum(values))} in total. Best week: {days}, {written(values[most])}."
