"""``GET events/{event_id}/participants``: who registered, by name. Every read is audited before it is answered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request

from event_pipeline.api.access import requires
from event_pipeline.api.answers.participants import Participants
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import READS, problems
from event_pipeline.api.pages import Cursor, Limit, read_cursor, write_cursor
from event_pipeline.api.problems import Problem
from event_pipeline.api.queries import participants as queries
from event_pipeline.api.routes.event import EventId
from event_pipeline.api.services import Shared

router = APIRouter(prefix="/api/pipeline", tags=["figures"])


@router.get(
    "/events/{event_id}/participants",
    response_model=Participants,
    responses=READS | problems("not-found"),
    summary="Who registered for an event, by name",
)
def participants(
    request: Request,
    services: Shared,
    key: Annotated[ApiKey, requires("pii")],
    event_id: EventId,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Participants:
    """Needs the scope `pii`; who read what is kept in the audit. Nothing of the answer is stored on the way."""
    (after,) = read_cursor(cursor, event_id, (str,)) if cursor else ("",)
    with services.private.session() as session:
        if not queries.event_exists(session, event_id):
            raise Problem("not-found", f"there is no event {event_id!r}; GET /api/pipeline/events lists them")
        found = queries.participants(session, event_id, after, limit + 1)
    shown = found[:limit]
    services.audit.record(
        key.key_id, "read_participants", event_id, notes_of(request.scope).request_id, {"people": len(shown)}
    )
    more = write_cursor(event_id, [shown[-1].registration_id]) if len(found) > limit else None
    return Participants(items=shown, next_cursor=more)
