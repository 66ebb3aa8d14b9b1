"""``/livez``, ``/readyz`` and ``GET health``."""

from __future__ import annotations

from fastapi import APIRouter, Response

from event_pipeline.api.access import requires
from event_pipeline.api.answers.pipeline import Alive, Health, Ready
from event_pipeline.api.components import look
from event_pipeline.api.openapi import KEYED, problems
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Shared

router = APIRouter(tags=["pipeline"])


@router.get("/livez", summary="The process answers")
async def livez() -> Alive:
    """Needs no key and looks at nothing else."""
    return Alive(alive=True)


@router.get(
    "/readyz",
    dependencies=[requires("read")],
    responses=KEYED | problems("warehouse-not-ready", "warehouse-stale"),
    summary="Requests can be answered",
)
def readyz(services: Shared) -> Ready:
    """Needs the scope `read`. 503 while the warehouse cannot be read, and once answers could not be brought up to date
    for `api.stale_seconds`; what is in memory is answered all the same, with its `as_of`."""
    state = services.mirror.current
    if reason := services.stale_reason:
        raise Problem("warehouse-stale", f"{reason}; answers are as of {state.committed_at:%Y-%m-%d %H:%M:%S} UTC")
    return Ready(ready=True, snapshot=state.snapshot, as_of=state.committed_at, verified_at=services.mirror.verified_at)


@router.get(
    "/api/pipeline/health",
    dependencies=[requires("read")],
    responses=KEYED | {503: {"model": Health, "description": "A component is down."}},
    summary="The state of every component",
)
def health(services: Shared, response: Response) -> Health:
    """Needs the scope `read`. The status is 503 when a component that is in use is down."""
    seen = look(services)
    if seen.state == "down":
        response.status_code = 503
    return Health(state="ok" if seen.state == "off" else seen.state, components=seen.components)
