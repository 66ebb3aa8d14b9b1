"""``GET runs/{run_id}``: how far a run is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path

from event_pipeline.api.access import requires
from event_pipeline.api.answers.pipeline import Run
from event_pipeline.api.openapi import KEYED, problems
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services, Shared
from event_pipeline.control import WrongRequestError

router = APIRouter(prefix="/api/pipeline", tags=["pipeline"])


@router.get(
    "/runs/{run_id}",
    dependencies=[requires("read")],
    responses=KEYED | problems("not-found", "dagster-refused", "dagster-away"),
    summary="How far a run or backfill is",
)
def run(
    services: Shared,
    run_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9-]+$", max_length=64, description="`id` that trigger answered.")],
) -> Run:
    """Needs the scope `read`."""
    return run_answer(services, run_id)


def run_answer(services: Services, run_id: str) -> Run:
    """How far the run is. Raises Problem: not-found; ControlError."""
    try:
        with services.control() as control:
            result, is_finished = control.look(run_id)
    except WrongRequestError as error:
        raise Problem("not-found", str(error)) from None
    fields = asdict(result)
    fields["succeeded"] = result.succeeded if is_finished else None
    return Run(
        **{name: fields[name] for name in Run.model_fields if name in fields},
        is_finished=is_finished,
        dagster_url=result.url,
    )
