"""Dagster's own ticks and run submission over the code location, in this process, under a clock that tests move."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.remote_representation.external import RemoteRepository, RemoteSensor
from dagster._core.scheduler.instigation import InstigatorTick, ScheduleInstigatorData, TickStatus
from dagster._core.test_utils import create_test_daemon_workspace_context, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.sensor import _process_tick_generator
from dagster._scheduler.scheduler import launch_scheduled_runs_for_schedule_iterator
from sqlalchemy import event
from sqlalchemy.engine import Engine

from event_pipeline_tests.definitions import location

_EXECUTES = {"module": "dagster._core.launcher.sync_in_memory_run_launcher", "class": "SyncInMemoryRunLauncher"}
_ACCEPTS = {"module": "dagster._core.test_utils", "class": "MockedRunLauncher"}
_STARTS_AT_ONCE = {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}


class Daemon:
    """Ticks sensors and schedules. Runs they ask for are executed at once, or only accepted (``executes=False``)."""

    def __init__(self, instance: dg.DagsterInstance, context: WorkspaceProcessContext) -> None:
        self.instance = instance
        self._context = context
        self.clock = datetime.now(UTC)

    def wait(self, **span: float) -> None:
        """Moves the clock on."""
        self.clock += timedelta(**span)

    def tick(self, name: str) -> InstigatorTick:
        """One tick of ``{name}_sensor``, two minutes after the last, as the daemon makes it."""
        self.wait(minutes=2)
        return self._tick(self._sensor(name))

    def tick_again_at_once(self, name: str) -> InstigatorTick:
        """The same tick once more, as after a daemon that died before it had kept its cursor."""
        remote = self._sensor(name)
        state = self.instance.get_instigator_state(remote.get_remote_origin_id(), remote.selector_id)
        assert state is not None
        self.instance.delete_instigator_state(state.instigator_origin_id, state.selector_id)
        self.wait(seconds=1)  # ticks are listed by when they began
        return self._tick(remote)

    def come_due(self, name: str) -> InstigatorTick:
        """The tick of that schedule, a day later, at its time."""
        remote = self._repository().get_schedule(name)
        started = ScheduleInstigatorData(remote.cron_schedule, start_timestamp=self.clock.timestamp())
        state = remote.get_current_instigator_state(None).with_data(started)
        self.wait(days=1)
        with self._at_the_clock():
            if self.instance.get_instigator_state(state.instigator_origin_id, state.selector_id) is None:
                self.instance.add_instigator_state(state)
            retention = self.instance.get_tick_retention_settings(InstigatorType.SCHEDULE)
            log = logging.getLogger("daemon")
            list(
                launch_scheduled_runs_for_schedule_iterator(
                    self._context, log, remote, state, self.clock, 1, 0, retention, None, None, None
                )
            )
            (tick,) = self.instance.get_ticks(remote.get_remote_origin_id(), remote.selector_id, limit=1)
        assert tick.status != TickStatus.FAILURE, tick.error
        return tick

    def runs(self, **filters: object) -> list[dg.DagsterRun]:
        """Runs, newest first."""
        return list(self.instance.get_runs(dg.RunsFilter(**filters)))  # pyright: ignore[reportArgumentType]

    def errors(self, run_id: str) -> list[str]:
        """What went wrong in a run."""
        levels = (logging.ERROR, logging.CRITICAL)
        return [entry.user_message for entry in self.instance.all_logs(run_id) if entry.level in levels] + [
            str(entry.dagster_event.event_specific_data)
            for entry in self.instance.all_logs(run_id)
            if entry.dagster_event and entry.dagster_event.is_failure
        ]

    def end(self, run_id: str, *, failed: bool = False) -> None:
        """Ends a run that was only accepted."""
        with self._at_the_clock():
            run = self.instance.get_run_by_id(run_id)
            assert run is not None
            ending = dg.DagsterEventType.RUN_FAILURE if failed else dg.DagsterEventType.RUN_SUCCESS
            self.instance.report_dagster_event(dg.DagsterEvent(ending.value, run.job_name), run_id)

    def _sensor(self, name: str) -> RemoteSensor:
        return self._repository().get_sensor(f"{name}_sensor")

    def _repository(self) -> RemoteRepository:
        (code_location,) = self._context.create_request_context().code_locations
        (repository,) = code_location.get_repositories().values()
        return repository

    def _tick(self, remote: RemoteSensor) -> InstigatorTick:
        origin, selector = remote.get_remote_origin_id(), remote.selector_id
        with self._at_the_clock():
            state = self.instance.get_instigator_state(origin, selector) or remote.get_current_instigator_state(None)
            if self.instance.get_instigator_state(origin, selector) is None:
                self.instance.add_instigator_state(state)
            assert state.instigator_type == InstigatorType.SENSOR
            retention = self.instance.get_tick_retention_settings(InstigatorType.SENSOR)
            log = logging.getLogger("daemon")
            list(_process_tick_generator(self._context, log, remote, state, None, retention, None))
            (tick,) = self.instance.get_ticks(origin, selector, limit=1)
        assert tick.status != TickStatus.FAILURE, tick.error
        return tick

    @contextmanager
    def _at_the_clock(self) -> Iterator[None]:
        ours = [f"event_pipeline.definitions.{module}.now" for module in ("sensors", "sensor_state")]
        with freeze_time(self.clock), patch(ours[0], lambda: self.clock), patch(ours[1], lambda: self.clock):
            yield


@contextmanager
def _history_need_not_survive_a_power_cut() -> Iterator[None]:
    """Dagster's own SQLite files do not wait for the disk: a run commits a thousand times."""

    def hurry(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", hurry)
    try:
        yield
    finally:
        event.remove(Engine, "connect", hurry)


def _forget_loaded_jobs() -> None:
    """Dagster keeps the job that a process loaded last; the next daemon's would run under the settings of that one."""
    ReconstructableJob.get_definition.cache_clear()
    ReconstructableJob.get_repository_definition.cache_clear()


@contextmanager
def running_daemon(home: Path, *, executes: bool) -> Iterator[Daemon]:
    """A daemon over a Dagster instance in the folder ``home``, for the settings in the environment."""
    home.mkdir(parents=True)
    _forget_loaded_jobs()
    overrides = {
        "run_launcher": _EXECUTES if executes else _ACCEPTS,
        "run_coordinator": _STARTS_AT_ONCE,
        "telemetry": {"enabled": False},
    }
    origin = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(module_name=location.__name__, attribute="defs"), location_name="event_pipeline"
    )
    with (
        _history_need_not_survive_a_power_cut(),
        dg.DagsterInstance.local_temp(str(home), overrides=overrides) as instance,
        create_test_daemon_workspace_context(InProcessWorkspaceLoadTarget(origin), instance) as context,
    ):
        yield Daemon(instance, context)
