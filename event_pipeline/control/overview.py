"""One look at a running Dagster: its daemons, what it has loaded, what is switched on, what ran last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from event_pipeline.control import queries
from event_pipeline.control.client import GraphQLClient, refuse
from event_pipeline.control.workspace import Automation, read_location
from event_pipeline.errors import ControlError

RECENT_RUNS = 10


@dataclass(frozen=True)
class Daemon:
    """One of Dagster's daemons; ``error`` is the latest it reported."""

    name: str
    is_required: bool
    is_healthy: bool
    error: str | None


@dataclass(frozen=True)
class RecentRun:
    """A run and how it went; the duration is in seconds, None until it ended."""

    run_id: str
    job: str
    status: str
    created_at: datetime
    duration_seconds: float | None


@dataclass(frozen=True)
class Overview:
    """The state of a running Dagster. ``location_error`` says why the code location is missing or did not load."""

    address: str
    version: str
    daemons: tuple[Daemon, ...]
    location: str
    location_error: str | None
    jobs: tuple[str, ...]
    asset_count: int
    automations: tuple[Automation, ...]
    recent_runs: tuple[RecentRun, ...]

    @property
    def is_well(self) -> bool:
        """Whether the location is loaded and every required daemon healthy."""
        return self.location_error is None and all(d.is_healthy for d in self.daemons if d.is_required)


def read_overview(client: GraphQLClient, location_name: str) -> Overview:
    """The state now; a location that failed to load is part of it. Raises ServerAwayError when nothing answers."""
    data = client.execute(queries.OVERVIEW, runs=RECENT_RUNS)
    if data["runsOrError"]["__typename"] != "Runs":
        raise refuse(data["runsOrError"], "list runs")
    runs = tuple(_recent_run(item) for item in data["runsOrError"]["results"])
    daemons = read_daemons(client)
    try:
        location = read_location(client, location_name)
    except ControlError as error:
        return Overview(client.address, data["version"], daemons, location_name, str(error), (), 0, (), runs)
    return Overview(
        client.address,
        data["version"],
        daemons,
        location_name,
        None,
        location.jobs,
        len(location.assets),
        location.automations,
        runs,
    )


def read_daemons(client: GraphQLClient) -> tuple[Daemon, ...]:
    """Every daemon and its health; one that never sent a heartbeat is not healthy."""
    statuses = client.execute(queries.DAEMONS)["instance"]["daemonHealth"]["allDaemonStatuses"]
    return tuple(
        Daemon(
            item["daemonType"],
            item["required"],
            bool(item["healthy"]),
            item["lastHeartbeatErrors"][0]["message"].strip() if item["lastHeartbeatErrors"] else None,
        )
        for item in statuses
    )


def _recent_run(item: dict) -> RecentRun:
    started, ended = item["startTime"], item["endTime"]
    return RecentRun(
        run_id=item["runId"],
        job=item["jobName"],
        status=item["status"],
        created_at=datetime.fromtimestamp(item["creationTime"], UTC),
        duration_seconds=round(ended - started, 3) if started is not None and ended is not None else None,
    )
