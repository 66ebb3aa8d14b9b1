"""What a running Dagster has loaded: the jobs, assets, sensors and schedules of one code location, found by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from event_pipeline.control import queries
from event_pipeline.control.client import GraphQLClient, explain
from event_pipeline.control.errors import WrongRequestError
from event_pipeline.errors import ControlError, TransientError
from event_pipeline.sources.retry import with_retries

ASSET_JOB = "__ASSET_JOB"
"""The hidden job in which Dagster runs a selection of assets that belongs to no named job."""

_LISTED = 30


@dataclass(frozen=True)
class Asset:
    """One asset of the graph, as far as selecting and launching need to know it."""

    key: str
    group: str
    kinds: tuple[str, ...]
    owners: tuple[str, ...]
    tags: dict[str, str]
    depends_on: tuple[str, ...]
    jobs: tuple[str, ...]
    is_partitioned: bool
    can_run: bool


@dataclass(frozen=True)
class Automation:
    """A sensor or a schedule and whether it is switched on; ``when`` is a cron text or an interval."""

    name: str
    kind: Literal["sensor", "schedule"]
    is_running: bool
    when: str
    state_id: str


@dataclass(frozen=True)
class Location:
    """A loaded code location."""

    name: str
    repository: str
    jobs: tuple[str, ...]
    assets: tuple[Asset, ...]
    automations: tuple[Automation, ...]
    partition_sets: dict[str, str]

    @property
    def selector(self) -> dict[str, str]:
        """How GraphQL inputs name the repository."""
        return {"repositoryLocationName": self.name, "repositoryName": self.repository}

    def require_job(self, name: str) -> str:
        """The name, when such a job exists; WrongRequestError listing the jobs otherwise."""
        if name not in self.jobs:
            raise WrongRequestError(unknown("job", name, self.jobs))
        return name


def read_location(client: GraphQLClient, name: str) -> Location:
    """The code location as it is now, waiting out a reload. Raises ControlError with its error when it did not load."""

    def read() -> dict[str, Any]:
        data = client.execute(queries.LOCATION, name=name)
        entry = data["workspaceLocationEntryOrError"]
        if entry is None:
            known = [item["name"] for item in data["locationStatusesOrError"].get("entries", ())]
            raise WrongRequestError(unknown("code location", name, known))
        if entry.get("loadStatus") == "LOADING" and entry.get("locationOrLoadError") is None:
            raise TransientError(f"code location {name!r} is still loading; try again in a minute")
        return entry

    try:
        entry = with_retries(read)
    except TransientError as error:
        raise ControlError(str(error)) from None
    loaded = entry if entry["__typename"] == "PythonError" else entry["locationOrLoadError"]
    if loaded["__typename"] == "PythonError":
        raise ControlError(
            f"code location {name!r} failed to load: {explain(loaded)}; mend it, then reload it in the Dagster UI"
        )
    return _location(name, loaded["repositories"][0])


def unknown(kind: str, name: str, known: Collection[str]) -> str:
    """'there is no job x; did you mean y? there are: ...'."""
    if not known:
        return f"there is no {kind} {name!r}: this Dagster has none"
    close = _closest(name, known)
    hint = f"; did you mean {close}?" if close else ";"
    return f"there is no {kind} {name!r}{hint} there are: {listed(known)}"


def listed(names: Collection[str]) -> str:
    """The names for a message, not endless."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(sorted(names)[:_LISTED]) + more


def _closest(name: str, known: Iterable[str]) -> str | None:
    names = list(known)
    # 'registrations' stands for 'staging/registrations' sooner than for a name that merely looks alike.
    by_last_part = [candidate for candidate in names if candidate.rsplit("/", 1)[-1] == name.rsplit("/", 1)[-1]]
    return next(iter(by_last_part or get_close_matches(name, names, n=1, cutoff=0.5)), None)


def _location(name: str, repository: dict[str, Any]) -> Location:
    return Location(
        name=name,
        repository=repository["name"],
        jobs=tuple(job["name"] for job in repository["jobs"] if not job["name"].startswith("__")),
        assets=tuple(_asset(node) for node in repository["assetNodes"]),
        automations=(
            *(_sensor(item) for item in repository["sensors"]),
            *(_schedule(item) for item in repository["schedules"]),
        ),
        partition_sets={item["pipelineName"]: item["name"] for item in repository["partitionSets"]},
    )


def _asset(node: dict[str, Any]) -> Asset:
    owners = (owner.get("email") or f"team:{owner['team']}" for owner in node["owners"])
    return Asset(
        key="/".join(node["assetKey"]["path"]),
        group=node["groupName"],
        kinds=tuple(node["kinds"]),
        owners=tuple(owners),
        tags={tag["key"]: tag["value"] for tag in node["tags"] if not tag["key"].startswith("dagster/")},
        depends_on=tuple("/".join(key["path"]) for key in node["dependencyKeys"]),
        jobs=tuple(node["jobNames"]),
        is_partitioned=node["isPartitioned"],
        can_run=node["isMaterializable"] or node["isObservable"],
    )


def _sensor(item: dict[str, Any]) -> Automation:
    state = item["sensorState"]
    return Automation(
        item["name"], "sensor", state["status"] == "RUNNING", f"every {item['minIntervalSeconds']} s", state["id"]
    )


def _schedule(item: dict[str, Any]) -> Automation:
    state = item["scheduleState"]
    when = " ".join(part for part in (item["cronSchedule"], item["executionTimezone"]) if part)
    return Automation(item["name"], "schedule", state["status"] == "RUNNING", when, state["id"])
