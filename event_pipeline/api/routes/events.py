"""``GET events``: the events with their figures."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from event_pipeline.api.access import requires
from event_pipeline.api.answers.events import Events, EventStatus
from event_pipeline.api.catalog_session import Session
from event_pipeline.api.conditional import conditional
from event_pipeline.api.mirror import Mirrored
from event_pipeline.api.openapi import NOT_MODIFIED, READS
from event_pipeline.api.pages import Cursor, Limit, read_cursor, write_cursor
from event_pipeline.api.queries.events import Filters, event_page
from event_pipeline.api.services import Services, Shared

router = APIRouter(prefix="/api/pipeline", tags=["figures"])

_Word = Query(min_length=1, max_length=200, pattern=r"^[^\x00]+$")


@router.get(
    "/events",
    response_model=Events,
    dependencies=[requires("read")],
    responses=READS | NOT_MODIFIED,
    summary="Events with their figures, the latest start first",
)
def events(
    request: Request,
    services: Shared,
    status: EventStatus | None = None,
    club_id: Annotated[str | None, _Word] = None,
    series: Annotated[str | None, _Word] = None,
    starts_from: Annotated[datetime | None, Query(description="Start at this instant or later.")] = None,
    starts_before: Annotated[datetime | None, Query(description="Start before this instant.")] = None,
    q: Annotated[str | None, _Word] = None,
    archived: Annotated[bool | None, Query(description="Only those put away by their club, or only others.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Needs the scope `read`. `q` is looked for in titles; an instant without a zone is taken as UTC."""
    filters = Filters(status, club_id, series, starts_from, starts_before, q, archived)
    return conditional(
        request, services, lambda session, state: events_answer(session, state, services, filters, limit, cursor)
    )


def events_answer(
    session: Session, state: Mirrored, services: Services, filters: Filters, limit: int, cursor: str | None
) -> Events:
    """A page of events, of one look at the warehouse. Raises Problem: invalid."""
    after = read_cursor(cursor, filters, (int, str)) if cursor else None
    currency = services.settings.organisation.currency
    found = event_page(session, filters, (after[0], after[1]) if after else None, limit + 1, currency)
    shown = found[:limit]
    more = write_cursor(filters, [shown[-1][0], shown[-1][1].event_id]) if len(found) > limit else None
    return Events(items=[event for _, event in shown], next_cursor=more, as_of=state.committed_at)
