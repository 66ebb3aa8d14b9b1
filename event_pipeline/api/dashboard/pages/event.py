"""``/events/{event_id}``: how one event goes, live while it is on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from event_pipeline.api.answers.event import EventAnalytics
from event_pipeline.api.answers.participants import Participants
from event_pipeline.api.answers.payments import Payments
from event_pipeline.api.dashboard.charts import Chart, Series
from event_pipeline.api.dashboard.dashboard import Dashboard, Fragments
from event_pipeline.api.dashboard.formats import Formats
from event_pipeline.api.dashboard.pace_chart import pace_chart, pace_words
from event_pipeline.api.dashboard.page import Page, shows
from event_pipeline.api.dashboard.refused import refused_registrations
from event_pipeline.api.pages import Cursor
from event_pipeline.api.queries.scans import Scan, arrivals_a_minute, latest_scans
from event_pipeline.api.routes.event import EventId, event_answer
from event_pipeline.api.routes.participants import participants as participants_answer
from event_pipeline.api.routes.payments import ToCheck
from event_pipeline.api.routes.payments import payments as payments_answer
from event_pipeline.contracts.discrepancy_texts import DISCREPANCY_TEXTS

router = APIRouter(include_in_schema=False)

_SCANS = 8
_LASTS = timedelta(hours=6)
_PEOPLE = 50
PAYMENT_BADGES = {"verified": "ok", "pending": "warn", "refunded": "", "failed": "bad", "rejected": "bad"}
_BUCKET = timedelta(minutes=5)
_LONGEST_ARRIVALS = timedelta(hours=18)
_EARLY = timedelta(hours=3)
"""Doors open so long before the start: check-in is followed from then on."""


@dataclass(frozen=True)
class EventPage:
    """What the page shows; ``rate`` is arrivals a minute, None unless people may be arriving.

    ``refused`` counts registrations in quarantine where the event has no others.
    """

    answer: EventAnalytics
    pace: Chart
    arrivals: Chart
    scans: list[Scan]
    rate: float | None
    pace_words: str
    refused: int


@router.get("/events/{event_id}")
def event(page: Annotated[Page, shows("read")], event_id: EventId) -> Response:
    """The page."""
    return page.show("event.html", found=event_page(page.dashboard, event_id))


@router.get("/events/{event_id}/participants")
def participants(page: Annotated[Page, shows("read", "pii")], event_id: EventId, cursor: Cursor = None) -> Response:
    """Who registered, by name; every look is audited as the API's own."""
    key = page.session.key
    people: Participants = participants_answer(page.request, page.services, key, event_id, _PEOPLE, cursor)
    answer = event_answer(page.services.mirror.current, page.services, event_id)
    refused = 0 if people.items else refused_registrations(page.services, event_id)
    return page.show("participants.html", event=answer.event, people=people, is_first=cursor is None, refused=refused)


@router.get("/events/{event_id}/payments")
def payments(
    page: Annotated[Page, shows("read", "pii")], event_id: EventId, to_check: ToCheck = False, cursor: Cursor = None
) -> Response:
    """The event's payments by name; every look is audited as the API's own."""
    key = page.session.key
    found: Payments = payments_answer(page.request, page.services, key, event_id, to_check, _PEOPLE, cursor)
    answer = event_answer(page.services.mirror.current, page.services, event_id)
    return page.show(
        "payments.html",
        event=answer.event,
        payments=found,
        to_check=to_check,
        is_first=cursor is None,
        texts=DISCREPANCY_TEXTS,
        badges=PAYMENT_BADGES,
    )


def fragments(dashboard: Dashboard, about: str) -> Fragments:
    """What changes on the page of that event."""
    found = event_page(dashboard, about)
    return {
        "live-event": dashboard.html("event_parts.html#cards", found=found),
        "live-count": dashboard.html("event_parts.html#count", found=found),
        "live-door": dashboard.html("event_parts.html#door", found=found),
        "arrivals-data": dashboard.html("charts.html#data", chart=found.arrivals),
        "pace-data": dashboard.html("charts.html#data", chart=found.pace),
        "live-money": dashboard.html("event_parts.html#money", answer=found.answer),
        "live-mail": dashboard.html("event_parts.html#mail", funnel=found.answer.email_funnel),
    }


def event_page(dashboard: Dashboard, event_id: str) -> EventPage:
    """Everything on the page, of one look at the warehouse. Raises Problem: not-found."""
    services = dashboard.services
    now = services.now()
    with dashboard.warehouse() as (session, state):
        answer = event_answer(state, services, event_id)
        starts = answer.event.starts_at
        ends = answer.event.ends_at or (starts + _LASTS if starts else None)
        may_arrive = starts is not None and ends is not None and starts - _EARLY <= now <= ends
        scans = latest_scans(session, event_id, _SCANS)
        rate = arrivals_a_minute(session, event_id, now) if may_arrive else None
    refused = 0 if answer.pace.points or answer.event.registrations else refused_registrations(services, event_id)
    pace = pace_chart(answer, dashboard.formats, refused)
    return EventPage(answer, pace, _arrivals(answer, dashboard), scans, rate, pace_words(answer.pace), refused)


def _arrivals(answer: EventAnalytics, dashboard: Dashboard) -> Chart:
    formats, found = dashboard.formats, answer.arrivals
    by_bucket = {arrival.bucket_at: arrival.check_ins for arrival in found}
    buckets = _without_gaps(list(by_bucket))
    is_one_day = len({formats.local(bucket).date() for bucket in buckets}) < 2
    labels = [formats.clock(bucket) if is_one_day else formats.weekday(bucket) for bucket in buckets]
    most = max(found, key=lambda arrival: arrival.check_ins, default=None)
    summary = (
        f"{_came(answer, found[-1].cumulative_check_ins, formats)} checked in. "
        f"Busiest 5 minutes: {formats.weekday(most.bucket_at)} ({formats.number(most.check_ins)})."
        if most
        else "Nobody has checked in yet."
    )
    now = dashboard.services.now()
    partial = [place for place, bucket in enumerate(buckets) if bucket <= now < bucket + _BUCKET]
    series = [Series("Arrivals", [by_bucket.get(bucket, 0) for bucket in buckets], "bar", partial=partial)]
    return Chart("arrivals", "Arrivals per 5 minutes", "From", labels, series, summary=summary)


def _came(answer: EventAnalytics, check_ins: int, formats: Formats) -> str:
    """Registrations that were checked in, and their people where teams make them more."""
    registrations, funnel = formats.counted(check_ins, "registration"), answer.email_funnel
    if funnel.attended != check_ins or funnel.attended_people == check_ins:
        return registrations
    return f"{registrations} ({formats.counted(funnel.attended_people, 'person', 'people')})"


def _without_gaps(buckets: list[datetime]) -> list[datetime]:
    """Every five minutes from the first to the last, unless they are of many days."""
    if not buckets or buckets[-1] - buckets[0] > _LONGEST_ARRIVALS:
        return buckets
    steps = (buckets[-1] - buckets[0]) // _BUCKET
    return [buckets[0] + step * _BUCKET for step in range(steps + 1)]
