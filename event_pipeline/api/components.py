"""How each part of the pipeline fares, put together from what each says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from event_pipeline.api.answers.pipeline import Component, ComponentName, State
from event_pipeline.api.mirror import Mirrored
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services
from event_pipeline.stream.heartbeat import Heartbeat, read_heartbeat

if TYPE_CHECKING:
    from event_pipeline.control import Overview

WORST_FIRST: tuple[State, ...] = ("down", "degraded", "ok", "off")
_FAILED = frozenset({"FAILURE", "CANCELED"})


@dataclass(frozen=True)
class Look:
    """One look at everything. What could not be looked at is None, with the reason in its component."""

    now: datetime
    components: list[Component]
    overview: Overview | None
    heartbeat: Heartbeat | None
    warehouse: Mirrored | None

    @property
    def state(self) -> State:
        """The worst of the components that are in use."""
        states: list[State] = [item.state for item in self.components]
        return min(states, key=WORST_FIRST.index)

    @property
    def is_running(self) -> bool:
        """Whether anything would bring new changes in."""
        follows = self.component("stream").state == "ok"
        return follows or (self.overview is not None and any(item.is_running for item in self.overview.automations))

    def component(self, name: ComponentName) -> Component:
        """The component of that name."""
        return next(item for item in self.components if item.name == name)


def look(services: Services) -> Look:
    """The state of everything now."""
    now = services.now()
    overview, away = services.dagster.look()
    heartbeat = read_heartbeat(services.settings)
    try:
        warehouse, unready = services.mirror.current, ""
    except Problem as problem:
        warehouse, unready = None, problem.detail
    found = [
        _ingestion(services, now),
        _processing(overview, warehouse, now, services.settings.validation.freshness_hours),
        _warehouse(services, warehouse, unready),
        _stream(services, heartbeat, now),
        _dagster(overview, away),
        _background(services, heartbeat, now),
    ]
    components = [
        Component(
            name=name, state=state, message=message, last_activity_at=last,
            since=since or services.standings.since(name, state, now),
        )
        for name, state, message, last, since in found
    ]  # fmt: skip
    return Look(now, components, overview, heartbeat, warehouse)


_Found = tuple[ComponentName, State, str, datetime | None, datetime | None]
"""Name, state, message, last activity, and since when where that is known."""


def _warehouse(services: Services, warehouse: Mirrored | None, unready: str) -> _Found:
    if warehouse is None:
        return "warehouse", "down", unready, None, None
    if reason := services.stale_reason:
        return "warehouse", "degraded", reason, warehouse.committed_at, services.mirror.verified_at
    return "warehouse", "ok", "readable", warehouse.committed_at, None


def _background(services: Services, heartbeat: Heartbeat | None, now: datetime) -> _Found:
    """The threads of this process, and of the stream worker while it is heard."""
    known = dict(services.tasks.all())
    if heartbeat is not None and heartbeat.is_fresh(services.settings, now):
        known |= {f"stream worker's {name}": task for name, task in heartbeat.tasks.items()}
    failing = {name: task for name, task in known.items() if task.failing_since is not None}
    last = max((task.succeeded_at for task in known.values() if task.succeeded_at), default=None)
    if not failing:
        return "background", "ok", f"{len(known)} background tasks are well", last, None
    message = "; ".join(f"{name} fails: {task.failure}" for name, task in sorted(failing.items()))
    return (
        "background",
        "degraded",
        message,
        last,
        min(task.failing_since for task in failing.values() if task.failing_since),
    )


def _ingestion(services: Services, now: datetime) -> _Found:
    """By what the sources' last reading said."""
    try:
        rows = services.sources.rows()
    except Problem as problem:
        return "ingestion", "down", problem.detail, None, None
    if not rows:
        return "ingestion", "off", "no source was ever read", None, None
    ill = [row for row in rows if row["state"] != "ok"]
    last = max(row["read_at"] for row in rows)
    if not ill:
        return "ingestion", "ok", f"{len(rows)} sources were read", last, min(row["changed_at"] for row in rows)
    worst = "; ".join(f"{row['source']} is {row['state']}: {row['message']}" for row in ill)
    state: State = "down" if len(ill) == len(rows) else "degraded"
    return "ingestion", state, worst, last, min(row["changed_at"] for row in ill)


def _processing(overview: Overview | None, warehouse: Mirrored | None, now: datetime, hours: int) -> _Found:
    last = warehouse.committed_at if warehouse else None
    if overview is not None and overview.recent_runs:
        newest = next((run for run in overview.recent_runs if run.status in _FAILED | {"SUCCESS"}), None)
        if newest is not None and newest.status in _FAILED:
            message = f"the latest run, of {newest.job}, ended as {newest.status.lower()}"
            return "processing", "degraded", message, last, newest.created_at
    if last is None:
        return "processing", "down", "the tables were never made", None, None
    if now - last > timedelta(hours=hours):
        return "processing", "degraded", f"the tables were not brought up to date for {hours} hours", last, None
    return "processing", "ok", "the tables are up to date", last, None


def _stream(services: Services, heartbeat: Heartbeat | None, now: datetime) -> _Found:
    if heartbeat is None:
        return "stream", "off", "no stream worker runs; sensors look at the sources", None, None
    if not heartbeat.is_fresh(services.settings, now):
        return "stream", "down", "the stream worker was killed or hangs; see its log", heartbeat.at, heartbeat.at
    if heartbeat.phase == "switched_off":
        return "stream", "off", "switched off; POST start switches it on", heartbeat.at, heartbeat.started_at
    if heartbeat.failing_since is not None:
        message = f"the stream worker cannot commit: {heartbeat.failure}"
        return "stream", "degraded", message, heartbeat.at, heartbeat.failing_since
    ill = [f"{beat.name} is {beat.worst.state}" for beat in heartbeat.sources.values() if beat.worst.state != "live"]
    state: State = "degraded" if ill else "ok"
    message = "; ".join(ill) or f"{heartbeat.phase}: {len(heartbeat.sources)} sources"
    return "stream", state, message, heartbeat.at, None if ill else heartbeat.started_at


def _dagster(overview: Overview | None, away: str) -> _Found:
    if overview is None:
        return "dagster", "down", away, None, None
    last = overview.recent_runs[0].created_at if overview.recent_runs else None
    if overview.location_error:
        return "dagster", "down", overview.location_error, last, None
    ill = [daemon.name for daemon in overview.daemons if daemon.is_required and not daemon.is_healthy]
    if ill:
        return "dagster", "degraded", f"not healthy: {', '.join(ill)}", last, None
    on = sum(item.is_running for item in overview.automations)
    return "dagster", "ok", f"{on} of {len(overview.automations)} sensors and schedules are on", last, None
