"""``POST reset-stats`` and ``GET audit``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Request, Response

from event_pipeline.api import figures
from event_pipeline.api.access import requires
from event_pipeline.api.answers.metrics import AuditItem, AuditPage, Reset
from event_pipeline.api.idempotency import Answer, IdempotencyKey
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import KEYED, problems
from event_pipeline.api.pages import Cursor, Limit, read_cursor, write_cursor
from event_pipeline.api.services import Services, Shared

router = APIRouter(prefix="/api/pipeline", tags=["administration"])


@router.post(
    "/reset-stats",
    response_model=Reset,
    responses=KEYED | problems("in-progress", "outcome-unknown") | problems("invalid", "key-reused"),
    summary="Begin the figures of GET metrics anew",
)
def reset_stats(
    request: Request,
    services: Shared,
    key: Annotated[ApiKey, requires("admin")],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Needs the scope `admin`; audited. No data of events is touched, and Prometheus's counters go on."""
    return services.stored_answers.once(
        request, key.key_id, idempotency_key, None, lambda: _reset(request, services, key)
    )


def _reset(request: Request, services: Services, key: ApiKey) -> Answer:
    services.audit.record(key.key_id, "reset_stats", "metrics", notes_of(request.scope).request_id)
    return Answer(Reset(since=figures.reset(services)))


@router.get("/audit", dependencies=[requires("admin")], responses=KEYED, summary="Who did what")
def audit(services: Shared, limit: Limit = 100, cursor: Cursor = None) -> AuditPage:
    """Needs the scope `admin`. Reads of personal data, switching, triggering, resets and keys, the newest first."""
    (before,) = read_cursor(cursor, "audit", (int,)) if cursor else (None,)
    found = services.audit.entries(limit + 1, before)
    shown = found[:limit]
    more = write_cursor("audit", [shown[-1].audit_id]) if len(found) > limit else None
    return AuditPage(items=[AuditItem(**asdict(entry)) for entry in shown], next_cursor=more)
