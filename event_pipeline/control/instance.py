"""The handle on a running Dagster instance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from event_pipeline.control.automation import Switched, switch
from event_pipeline.control.client import GraphQLClient
from event_pipeline.control.follow import RunProgress, RunResult, follow, look
from event_pipeline.control.overview import Overview, read_overview
from event_pipeline.control.runs import Launched, LaunchRequest, cancel, launch
from event_pipeline.control.workspace import read_location

LOCATION = "event_pipeline"


class DagsterControl:
    """Drives the Dagster webserver at ``url`` for one of its code locations; ``timeout`` seconds bound each request.

    Every method raises a ControlError when it cannot do what it says: ServerAwayError when nothing answers,
    WrongRequestError for names and arguments that do not exist or fit, ControlError with Dagster's reason otherwise.
    """

    def __init__(self, url: str, location: str = LOCATION, timeout: float = 30.0) -> None:
        self._client = GraphQLClient(url, timeout)
        self._location = location

    def __enter__(self) -> DagsterControl:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def launch(
        self,
        job: str | None = None,
        assets: Sequence[str] = (),
        partition: str | None = None,
        partition_range: tuple[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        run_config: Mapping[str, Any] | None = None,
    ) -> Launched:
        """Launch a job, a part of its assets, or assets alone; with a range of partitions as one backfill."""
        request = LaunchRequest(job, assets, partition, partition_range, tags, run_config)
        return launch(self._client, read_location(self._client, self._location), request)

    def follow(
        self,
        run_id: str,
        on_progress: Callable[[RunProgress], None] | None = None,
        timeout_seconds: float | None = None,
    ) -> RunResult:
        """Wait for the end of a run or backfill. Raises FollowTimeoutError when it takes longer than allowed."""
        return follow(self._client, run_id, on_progress, timeout_seconds)

    def look(self, run_id: str) -> tuple[RunResult, bool]:
        """How far a run or backfill is now, and whether it has ended; until then its result says nothing of success."""
        return look(self._client, run_id)

    def cancel(self, run_id: str) -> None:
        """Ask Dagster to stop a run or backfill that has not ended."""
        cancel(self._client, run_id)

    def status(self) -> Overview:
        """The state of the instance and the code location."""
        return read_overview(self._client, self._location)

    def start(self, names: Sequence[str] = ()) -> list[Switched]:
        """Switch on the named sensors and schedules, or all."""
        return switch(self._client, read_location(self._client, self._location), names, on=True)

    def stop(self, names: Sequence[str] = ()) -> list[Switched]:
        """Switch off the named sensors and schedules, or all."""
        return switch(self._client, read_location(self._client, self._location), names, on=False)
