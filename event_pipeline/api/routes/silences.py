"""``alerts/silences``: what shall not be told for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from event_pipeline.alerts.store import AlertStore
from event_pipeline.api.access import requires
from event_pipeline.api.answers.alerts import NewSilence, SilenceItem, Silences
from event_pipeline.api.idempotency import Answer, IdempotencyKey
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import KEYED, problems
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services, Shared
from event_pipeline.errors import SettingsError

router = APIRouter(prefix="/api/pipeline/alerts", tags=["alerts"])

Operator = Annotated[ApiKey, requires("operate")]


@router.get("/silences", dependencies=[requires("read")], responses=KEYED, summary="What is not told for a while")
def silences(services: Shared) -> Silences:
    """Needs the scope `read`. Those that are over are listed for `alerts.keep_days`."""
    now = datetime.now(UTC)
    return Silences(items=[SilenceItem.of(item, now) for item in AlertStore(services.alerts).silences()])


@router.post(
    "/silences",
    response_model=SilenceItem,
    status_code=201,
    responses=KEYED | problems("in-progress", "outcome-unknown") | problems("invalid", "key-reused"),
    summary="Tell nobody of certain alerts for a while",
)
def add_silence(
    request: Request, services: Shared, key: Operator, wanted: NewSilence, idempotency_key: IdempotencyKey = None
) -> Response:
    """Needs the scope `operate`; audited. That an alert is over is still told, if its firing was."""
    return services.stored_answers.once(
        request, key.key_id, idempotency_key, wanted, lambda: _add(request, services, key, wanted)
    )


def _add(request: Request, services: Services, key: ApiKey, wanted: NewSilence) -> Answer:
    now = datetime.now(UTC)
    until = wanted.until or now + timedelta(hours=wanted.hours or 0)
    try:
        made = AlertStore(services.alerts).silence(wanted.matchers, until, key.key_id, wanted.why, now)
    except SettingsError as error:
        # It was in the future when it was asked for.
        raise Problem("invalid", f"body.until: {error}") from None
    services.audit.record(
        key.key_id, "silence", made.silence_id, notes_of(request.scope).request_id, {"matchers": dict(made.matchers)}
    )
    return Answer(SilenceItem.of(made, now), 201)


@router.delete("/silences/{silence_id}", responses=KEYED | problems("not-found"), summary="End a silence at once")
def end_silence(
    request: Request,
    services: Shared,
    key: Operator,
    silence_id: Annotated[str, Path(pattern=r"^s_[0-9a-f]{10}$", description="As GET silences answers it.")],
) -> SilenceItem:
    """Needs the scope `operate`; audited. One that is over stays as it is."""
    now = datetime.now(UTC)
    ended = AlertStore(services.alerts).end_silence(silence_id, now)
    if ended is None:
        raise Problem("not-found", f"there is no silence {silence_id}; GET /api/pipeline/alerts/silences lists them")
    services.audit.record(key.key_id, "end_silence", silence_id, notes_of(request.scope).request_id)
    return SilenceItem.of(ended, now)
