"""``POST start``, ``stop`` and ``trigger``: running the pipeline, through Dagster."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Request, Response

from event_pipeline.api.access import requires
from event_pipeline.api.answers.pipeline import Names, SwitchedItem, Switching, Trigger, Triggered
from event_pipeline.api.idempotency import Answer, IdempotencyKey
from event_pipeline.api.keys import ApiKey
from event_pipeline.api.observe import notes_of
from event_pipeline.api.openapi import KEYED, problems
from event_pipeline.api.services import Services, Shared
from event_pipeline.control.worker_switch import switch_pipeline

router = APIRouter(prefix="/api/pipeline", tags=["pipeline"])

_RESPONSES = (
    KEYED
    | problems("in-progress", "outcome-unknown", "dagster-refused", "dagster-away")
    | problems("invalid", "key-reused")
)
Operator = Annotated[ApiKey, requires("operate")]


@router.post(
    "/start",
    response_model=Switching,
    responses=_RESPONSES,
    summary="Switch sensors, schedules and the stream worker on",
)
def start(
    request: Request,
    services: Shared,
    key: Operator,
    names: Names | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Needs the scope `operate`. The stream worker, a process of its own, sees it within a second."""
    return services.stored_answers.once(
        request, key.key_id, idempotency_key, names, lambda: _switch(request, services, key, names, on=True)
    )


@router.post(
    "/stop",
    response_model=Switching,
    responses=_RESPONSES,
    summary="Switch sensors, schedules and the stream worker off",
)
def stop(
    request: Request,
    services: Shared,
    key: Operator,
    names: Names | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Needs the scope `operate`. Runs that are under way go on; the stream worker commits what it holds."""
    return services.stored_answers.once(
        request, key.key_id, idempotency_key, names, lambda: _switch(request, services, key, names, on=False)
    )


def _switch(request: Request, services: Services, key: ApiKey, names: Names | None, *, on: bool) -> Answer:
    return Answer(switched(request, services, key, names.names if names else [], on=on))


def switched(request: Request, services: Services, key: ApiKey, wanted: list[str], *, on: bool) -> Switching:
    """Switch these, and the stream worker with them when none is named; audited. Raises ControlError."""
    items = switch_pipeline(services.control, services.settings, wanted, on=on)
    services.dagster.forget()
    _record(request, services, key, "start" if on else "stop", ", ".join(wanted) or "all")
    return Switching(items=[SwitchedItem(**asdict(item)) for item in items])


@router.post(
    "/trigger", response_model=Triggered, status_code=202, responses=_RESPONSES, summary="Run a job or chosen assets"
)
def trigger(
    request: Request, services: Shared, key: Operator, wanted: Trigger, idempotency_key: IdempotencyKey = None
) -> Response:
    """Needs the scope `operate`. Answers as soon as Dagster has accepted; `Location` says where to follow it."""
    return services.stored_answers.once(
        request, key.key_id, idempotency_key, wanted, lambda: _launch(request, services, key, wanted)
    )


def _launch(request: Request, services: Services, key: ApiKey, wanted: Trigger) -> Answer:
    body = launched(request, services, key, wanted)
    return Answer(body, 202, {"Location": f"/api/pipeline/runs/{body.id}"})


def launched(request: Request, services: Services, key: ApiKey, wanted: Trigger) -> Triggered:
    """Have Dagster run it; audited. Raises ControlError."""
    span = (wanted.partitions.first, wanted.partitions.last) if wanted.partitions else None
    with services.control() as control:
        accepted = control.launch(wanted.job, wanted.assets, wanted.partition, span)
    services.dagster.forget()
    _record(request, services, key, "trigger", wanted.job or ", ".join(wanted.assets), {"id": accepted.id})
    return Triggered(id=accepted.id, kind="run" if accepted.run_id else "backfill", dagster_url=accepted.url)


def _record(
    request: Request, services: Services, key: ApiKey, action: str, target: str, details: dict[str, str] | None = None
) -> None:
    services.audit.record(key.key_id, action, target, notes_of(request.scope).request_id, details)
