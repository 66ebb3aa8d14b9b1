"""``/quality``: how well the tables keep their promises, what is in quarantine, and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from event_pipeline.api.answers.common import Quality
from event_pipeline.api.dashboard.charts import Chart, Series
from event_pipeline.api.dashboard.dashboard import Dashboard
from event_pipeline.api.dashboard.page import Page, shows
from event_pipeline.api.dashboard.samples import sampled_rows
from event_pipeline.api.queries.analytics import quality as quality_answer
from event_pipeline.api.queries.quality import Broken, TableScore, broken_promises, scores_by_day, table_scores
from event_pipeline.contracts.ops import DATA_QUALITY, DIMENSIONS

router = APIRouter(include_in_schema=False)

_DAYS = 60


@dataclass(frozen=True)
class QualityPage:
    """What the page shows, of all tables or of one."""

    quality: Quality
    tables: list[TableScore]
    broken: list[Broken]
    chart: Chart


@router.get("/quality")
def quality(page: Annotated[Page, shows("read")], table: Annotated[str, Query(max_length=100)] = "") -> Response:
    """The page; ``table`` shows one table, named layer.table, with rows that break its promises."""
    found = quality_page(page.dashboard, table)
    known = [item.table_name for item in found.tables]
    chosen = table if table in known else ""
    quarantine = page.dashboard.quarantine.get()
    wanted = [name for name in quarantine.rejected if not chosen or chosen == f"staging.{name}"]
    return page.show(
        "quality.html",
        found=found,
        table=chosen,
        dimensions=DIMENSIONS,
        samples=sampled_rows(page.services, chosen, {(item.expectation, item.column) for item in found.broken}),
        refused=[item for item in quarantine.rules if not chosen or chosen == f"staging.{item.table_name}"],
        rejected=sum(quarantine.rejected[name] for name in wanted),
    )


def quality_page(dashboard: Dashboard, table: str) -> QualityPage:
    """Everything on the page but rows of the lake, of one look at the warehouse. Raises Problem."""
    services = dashboard.services
    now = services.now()
    offset = dashboard.formats.local(now).utcoffset() or timedelta()
    with dashboard.warehouse() as (session, state):
        tables = table_scores(session)
        chosen = table if any(item.table_name == table for item in tables) else ""
        days = {}
        if DATA_QUALITY.name in state.present:
            after = services.today - timedelta(days=_DAYS)
            days = scores_by_day(session, after, offset // timedelta(microseconds=1), chosen)
        answer = quality_answer(state.events.checks, [chosen] if chosen else [])
        broken = broken_promises(session, chosen)
    labels = [dashboard.formats.short_day(day) for day in days]
    series = [
        Series(dimension.capitalize(), [scores.get(dimension) for scores in days.values()])
        for dimension in DIMENSIONS
        if any(dimension in scores for scores in days.values())
    ]
    summary = _summary(len(days), answer, dashboard)
    chart = Chart("scores", "Share of promises kept, by dimension", "Day", labels, series, "share", summary)
    return QualityPage(answer, tables, broken, chart)


def _summary(days: int, answer: Quality, dashboard: Dashboard) -> str:
    formats = dashboard.formats
    if answer.score is None:
        return "Nothing was checked yet."
    kept = formats.share(answer.score, 1)
    return f"{kept} of the promises were kept by the latest check; {formats.counted(days, 'day')} with checks."
