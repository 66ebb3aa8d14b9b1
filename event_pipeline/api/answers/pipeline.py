"""How the pipeline fares and what it was told to do."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from event_pipeline.api.answers.common import Money, example

State = Literal["ok", "degraded", "down", "off"]
ComponentName = Literal["ingestion", "processing", "warehouse", "stream", "dagster", "background"]

_COMPONENT = {
    "name": "stream", "state": "ok", "since": "2026-06-01T08:00:00Z", "message": "following 1 source",
    "last_activity_at": "2026-06-01T09:29:58Z",
}  # fmt: skip


class Component(BaseModel):
    """A part of the pipeline. ``off`` is switched off on purpose, or not in use."""

    name: ComponentName
    state: State
    since: datetime = Field(description="Since when it is in this state, as far as is known.")
    message: str
    last_activity_at: datetime | None


class Lag(BaseModel):
    """How far the warehouse is behind the sources."""

    warehouse_seconds: float | None = Field(description="Since the tables were last brought up to date.")
    stream_seconds: float | None = Field(description="The last live batch, from seen to committed.")
    waiting_changes: int = Field(description="Changes the stream worker holds uncommitted.")


class PipelineTotals(BaseModel):
    """Everything ever."""

    events: int
    registrations: int
    check_ins: int
    revenue: Money
    other_revenue: list[Money] = Field(description="In other currencies, each by itself; never added to revenue.")


class Status(BaseModel):
    """Whether the pipeline runs, part by part."""

    model_config = example(
        running=True, since="2026-06-01T08:00:00Z", state="ok", at="2026-06-01T09:30:02Z",
        last_processed_at="2026-06-01T09:30:00Z", components=[_COMPONENT],
        totals={
            "events": 120, "registrations": 18250, "check_ins": 12904,
            "revenue": {"amount_minor": 91250000, "currency": "INR"}, "other_revenue": [],
        },
        lag={"warehouse_seconds": 2.1, "stream_seconds": 0.4, "waiting_changes": 0},
    )  # fmt: skip

    running: bool = Field(description="Whether anything would bring new changes in: sensors, schedules or the worker.")
    since: datetime | None = Field(description="Since when it is running, as far as is known.")
    state: Literal["ok", "degraded", "down"]
    at: datetime
    last_processed_at: datetime | None = Field(description="When the tables were last brought up to date.")
    components: list[Component]
    totals: PipelineTotals | None = Field(description="Null while the warehouse cannot be read.")
    lag: Lag


class Health(BaseModel):
    """The worst state of any component, and each."""

    model_config = example(state="ok", components=[_COMPONENT])

    state: Literal["ok", "degraded", "down"]
    components: list[Component]


class Ready(BaseModel):
    """Whether requests can be answered."""

    model_config = example(ready=True, snapshot=4711, as_of="2026-06-01T09:30:00Z", verified_at="2026-06-01T09:30:04Z")

    ready: bool
    snapshot: int = Field(description="State of the warehouse that answers are of.")
    as_of: datetime
    verified_at: datetime | None = Field(description="When it was last made sure that nothing newer was committed.")


class Alive(BaseModel):
    """The process answers."""

    model_config = example(alive=True)

    alive: bool


class Names(BaseModel):
    """Which sensors and schedules to switch; `stream_worker` names the stream worker."""

    model_config = example(names=["sync_sheets_schedule"]) | {"extra": "forbid"}

    names: list[str] = Field(default=[], max_length=100, description="All when empty.")


class SwitchedItem(BaseModel):
    """The state of a sensor, a schedule or the stream worker after switching."""

    name: str
    kind: Literal["sensor", "schedule", "worker"]
    is_running: bool = Field(description="Whether it is switched on.")
    changed: bool = Field(description="False where it had that state before.")


class Switching(BaseModel):
    """What was switched."""

    model_config = example(
        items=[{"name": "sync_sheets_schedule", "kind": "schedule", "is_running": True, "changed": True}]
    )

    items: list[SwitchedItem]


class PartitionRange(BaseModel):
    """First and last partition, both included."""

    first: str = Field(min_length=1, max_length=100)
    last: str = Field(min_length=1, max_length=100)


_WHAT = {"anyOf": [
    {"properties": {"job": {"type": "string"}}, "required": ["job"]},
    {"properties": {"assets": {"minItems": 1}}, "required": ["assets"]},
]}  # fmt: skip
_BOTH = {"properties": {"partition": {"type": "string"}, "partitions": {"type": "object"}}}
_WHICH = {"not": {**_BOTH, "required": list(_BOTH["properties"])}}


class Trigger(BaseModel):
    """What to run: a job, assets, or a part of a job's assets."""

    model_config = example(job="refresh", also={"allOf": [_WHAT, _WHICH]}) | {"extra": "forbid"}

    job: str | None = Field(default=None, min_length=1, max_length=200)
    assets: list[str] = Field(
        default=[], max_length=100, description="Keys such as marts/agg_daily_metrics, or selections: group:marts."
    )
    partition: str | None = Field(default=None, min_length=1, max_length=100)
    partitions: PartitionRange | None = Field(default=None, description="A range, run as one backfill.")

    @model_validator(mode="after")
    def _names_something(self) -> Trigger:
        if self.job is None and not self.assets:
            raise ValueError("name a job or assets to run")
        if self.partition is not None and self.partitions is not None:
            raise ValueError("give one partition or a range of partitions, not both")
        return self


class Triggered(BaseModel):
    """What Dagster accepted. ``id`` is what GET runs/{id} takes."""

    model_config = example(
        id="5f0c2c1e-5a4e-4a7c-9f54-0f6e7b3a8f11", kind="run",
        dagster_url="http://127.0.0.1:3000/runs/5f0c2c1e-5a4e-4a7c-9f54-0f6e7b3a8f11",
    )  # fmt: skip

    id: str
    kind: Literal["run", "backfill"]
    dagster_url: str


class Run(BaseModel):
    """How far a run or backfill is, or how it ended."""

    model_config = example(
        id="5f0c2c1e-5a4e-4a7c-9f54-0f6e7b3a8f11", status="SUCCESS", is_finished=True, succeeded=True, failure=None,
        duration_seconds=12.4, steps_done=24, steps_total=24, materialized=["marts/agg_daily_metrics"],
        checks_failed=[], run_ids=["5f0c2c1e-5a4e-4a7c-9f54-0f6e7b3a8f11"],
        dagster_url="http://127.0.0.1:3000/runs/5f0c2c1e-5a4e-4a7c-9f54-0f6e7b3a8f11",
    )  # fmt: skip

    id: str
    status: str = Field(description="As Dagster says it: QUEUED, STARTED, SUCCESS, FAILURE, CANCELED, ...")
    is_finished: bool
    succeeded: bool | None = Field(description="Null until it is finished.")
    failure: str | None
    duration_seconds: float = Field(description="Until now while it runs.")
    steps_done: int
    steps_total: int | None
    materialized: list[str]
    checks_failed: list[str]
    run_ids: list[str] = Field(description="The runs of a backfill, or the one run.")
    dagster_url: str
