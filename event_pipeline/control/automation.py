"""Switching sensors and schedules on and off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from event_pipeline.control import queries
from event_pipeline.control.client import GraphQLClient, refuse
from event_pipeline.control.errors import WrongRequestError
from event_pipeline.control.workspace import Automation, Location, unknown


@dataclass(frozen=True)
class Switched:
    """The state of a sensor, a schedule or the stream worker after switching; ``changed`` is False where it had that
    state before."""

    name: str
    kind: Literal["sensor", "schedule", "worker"]
    is_running: bool
    changed: bool


def switch(client: GraphQLClient, location: Location, names: Sequence[str], *, on: bool) -> list[Switched]:
    """Switch the named sensors and schedules, all when none is named. An unknown name stops before any is switched."""
    known = {item.name: item for item in location.automations}
    for name in names:
        if name not in known:
            raise WrongRequestError(unknown("sensor or schedule", name, known))
    wanted = [known[name] for name in dict.fromkeys(names)] if names else list(location.automations)
    return [_switch_one(client, location, item, on=on) for item in wanted]


def _switch_one(client: GraphQLClient, location: Location, item: Automation, *, on: bool) -> Switched:
    if item.is_running == on:
        return Switched(item.name, item.kind, on, changed=False)
    if item.kind == "sensor":
        outcome, accepted = _switch_sensor(client, location, item, on=on)
    else:
        outcome, accepted = _switch_schedule(client, location, item, on=on)
    if outcome["__typename"] != accepted:
        raise refuse(outcome, f"{'start' if on else 'stop'} {item.kind} {item.name}")
    return Switched(item.name, item.kind, on, changed=True)


def _switch_sensor(client: GraphQLClient, location: Location, item: Automation, *, on: bool) -> tuple[dict, str]:
    if on:
        selector = {**location.selector, "sensorName": item.name}
        return client.execute(queries.START_SENSOR, selector=selector)["startSensor"], "Sensor"
    return client.execute(queries.STOP_SENSOR, id=item.state_id)["stopSensor"], "StopSensorMutationResult"


def _switch_schedule(client: GraphQLClient, location: Location, item: Automation, *, on: bool) -> tuple[dict, str]:
    if on:
        selector = {**location.selector, "scheduleName": item.name}
        return client.execute(queries.START_SCHEDULE, selector=selector)["startSchedule"], "ScheduleStateResult"
    return client.execute(queries.STOP_SCHEDULE, id=item.state_id)["stopRunningSchedule"], "ScheduleStateResult"
