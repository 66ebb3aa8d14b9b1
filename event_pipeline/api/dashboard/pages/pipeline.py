"""``/pipeline``: how each part fares, what comes in, and running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from event_pipeline.api.answers.metrics import Metrics
from event_pipeline.api.answers.pipeline import Status, Trigger
from event_pipeline.api.components import Look
from event_pipeline.api.dashboard.charts import Chart, Series
from event_pipeline.api.dashboard.dashboard import Dashboard, Fragments
from event_pipeline.api.dashboard.page import Page, acts, shows
from event_pipeline.api.problems import Problem
from event_pipeline.api.queries.batches import Batch, latest_batches, new_by_minute
from event_pipeline.api.routes.metrics import metrics_answer
from event_pipeline.api.routes.operate import launched, switched
from event_pipeline.api.routes.status import status_answer
from event_pipeline.api.sessions import Notice
from event_pipeline.contracts.stream import BATCHES
from event_pipeline.errors import ControlError

router = APIRouter(include_in_schema=False)

HERE = "/pipeline"
NAMES = {
    "ingestion": "Reading the sources",
    "processing": "Making the tables",
    "warehouse": "Warehouse",
    "stream": "Live updates",
    "dagster": "Dagster",
    "background": "Background work",
}
STATES = {"ok": "Well", "degraded": "In trouble", "down": "Down", "off": "Off"}
_HOUR_SECONDS = 3_600
_MINUTES = 60
_BATCHES = 12


@dataclass(frozen=True)
class PipelinePage:
    """What the page shows; without a warehouse there are no batches."""

    status: Status
    metrics: Metrics
    seen: Look
    batches: list[Batch]
    chart: Chart


@router.get(HERE)
def pipeline(page: Annotated[Page, shows("read")]) -> Response:
    """The page."""
    dagster_url = page.services.settings.dagster_url.rstrip("/")
    return page.show(
        "pipeline.html", found=pipeline_page(page.dashboard), names=NAMES, states=STATES, dagster_url=dagster_url
    )


@router.post("/pipeline/start")
def start(page: Annotated[Page, acts("operate")], name: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Switch a sensor or schedule on, or all."""
    return _done(page, lambda: _switched(page, name, on=True))


@router.post("/pipeline/stop")
def stop(page: Annotated[Page, acts("operate")], name: Annotated[str, Form(max_length=200)] = "") -> Response:
    """Switch a sensor or schedule off, or all."""
    return _done(page, lambda: _switched(page, name, on=False))


@router.post("/pipeline/run")
def run(page: Annotated[Page, acts("operate")], job: Annotated[str, Form(min_length=1, max_length=200)]) -> Response:
    """Run a job now; the page follows it."""
    return _done(page, lambda: _launched(page, job))


def fragments(dashboard: Dashboard, _about: str) -> Fragments:
    """What changes on the page for everyone; switches are of whoever may operate and come with the page."""
    found = pipeline_page(dashboard)
    dagster_url = dashboard.services.settings.dagster_url.rstrip("/")
    now = dashboard.services.now()
    return {
        "live-figures": dashboard.html("pipeline_parts.html#figures", found=found, now=now),
        "live-parts": dashboard.html(
            "pipeline_parts.html#components", status=found.status, names=NAMES, states=STATES, now=now
        ),
        "changes-data": dashboard.html("charts.html#data", chart=found.chart),
        "live-batches": dashboard.html("pipeline_parts.html#batches", batches=found.batches),
        "live-runs": dashboard.html("pipeline_parts.html#runs", overview=found.seen.overview, dagster_url=dagster_url),
    }


def pipeline_page(dashboard: Dashboard) -> PipelinePage:
    """Everything on the page, whatever is down."""
    services = dashboard.services
    seen, now = dashboard.look.get(), services.now()
    batches: list[Batch] = []
    minutes = [(now - timedelta(minutes=_MINUTES - 1 - place), 0) for place in range(_MINUTES)]
    try:
        with dashboard.warehouse() as (session, state):
            if BATCHES.name in state.present:
                batches = latest_batches(session, now - timedelta(days=1), _BATCHES)
                minutes = new_by_minute(session, now, _MINUTES)
    except Problem:
        # That the warehouse cannot be read is one of the states that this page shows.
        batches = []
    formats = dashboard.formats
    total = sum(count for _, count in minutes)
    chart = Chart(
        "changes", "New changes a minute, over the last hour", "Minute",
        [formats.clock(minute) for minute, _ in minutes],
        [Series("New changes", [count for _, count in minutes], "bar")],
        summary=f"{formats.counted(total, 'new change')} came in live within the last hour.", height="short",
    )  # fmt: skip
    return PipelinePage(status_answer(services, seen), metrics_answer(services, _HOUR_SECONDS), seen, batches, chart)


def _switched(page: Page, name: str, *, on: bool) -> Notice:
    answer = switched(page.request, page.services, page.session.key, [name] if name else [], on=on)
    changed = [item.name for item in answer.items if item.changed]
    how = "on" if on else "off"
    return Notice(f"Switched {how}: {', '.join(changed)}." if changed else f"Everything was {how} already.")


def _launched(page: Page, job: str) -> Notice:
    answer = launched(page.request, page.services, page.session.key, Trigger(job=job))
    return Notice(f"Dagster has taken on {job}.", follow=answer.id)


def _done(page: Page, act: Callable[[], Notice]) -> Response:
    """Do it and say on the page what came of it, also when Dagster refuses or is away."""
    try:
        notice = act()
    except ControlError as error:
        notice = Notice(str(error), is_error=True)
    page.dashboard.look.forget()
    return page.go(HERE, notice)
