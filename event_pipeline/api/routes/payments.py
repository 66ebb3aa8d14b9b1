"""``GET events/{event_id}/payments``: an event's payments by name. Every read is audited before it is answered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from event_pipeline.api.access import requires
from event_pipeline.api.answers.payments import Payments
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import READS, problems
from event_pipeline.api.pages import Cursor, Limit, read_cursor, write_cursor
from event_pipeline.api.problems import Problem
from event_pipeline.api.queries import payments as queries
from event_pipeline.api.queries.participants import event_exists
from event_pipeline.api.routes.event import EventId
from event_pipeline.api.services import Shared

router = APIRouter(prefix="/api/pipeline", tags=["figures"])

ToCheck = Annotated[bool, Query(description="Only payments that a treasurer should look at.")]


@router.get(
    "/events/{event_id}/payments",
    response_model=Payments,
    responses=READS | problems("not-found"),
    summary="An event's payments, by name",
)
def payments(
    request: Request,
    services: Shared,
    key: Annotated[ApiKey, requires("pii")],
    event_id: EventId,
    to_check: ToCheck = False,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Payments:
    """Needs the scope `pii`; who read what is kept in the audit. Their revenue adds up to that of the event."""
    (after,) = read_cursor(cursor, (event_id, to_check), (str,)) if cursor else ("",)
    with services.private.session() as session:
        if not event_exists(session, event_id):
            raise Problem("not-found", f"there is no event {event_id!r}; GET /api/pipeline/events lists them")
        found = queries.payments(session, event_id, to_check, after, limit + 1)
    shown = found[:limit]
    services.audit.record(
        key.key_id, "read_payments", event_id, notes_of(request.scope).request_id, {"payments": len(shown)}
    )
    more = write_cursor((event_id, to_check), [shown[-1].payment_id]) if len(found) > limit else None
    return Payments(items=shown, next_cursor=more)
