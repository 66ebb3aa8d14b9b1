"""Launching and cancelling: one run of a job or of chosen assets, or a backfill over a range of partitions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from event_pipeline.control import queries
from event_pipeline.control.client import GraphQLClient, refuse
from event_pipeline.control.errors import WrongRequestError
from event_pipeline.control.selection import select_assets
from event_pipeline.control.workspace import ASSET_JOB, Asset, Location

PARTITION_TAG = "dagster/partition"
_BACKFILL_ID = re.compile(r"[a-z]{8}")


@dataclass(frozen=True)
class Launched:
    """What Dagster accepted: exactly one of the ids is set. ``url`` is its page in the Dagster UI."""

    run_id: str | None
    backfill_id: str | None
    url: str

    @property
    def id(self) -> str:
        """The id to follow or cancel it by."""
        return self.run_id or self.backfill_id or ""


@dataclass(frozen=True)
class LaunchRequest:
    """What to run. ``partition_range`` is first and last key, both included."""

    job: str | None = None
    assets: Sequence[str] = ()
    partition: str | None = None
    partition_range: tuple[str, str] | None = None
    tags: Mapping[str, str] | None = None
    run_config: Mapping[str, Any] | None = None


def launch(client: GraphQLClient, location: Location, request: LaunchRequest) -> Launched:
    """Ask Dagster for the run or backfill, after checking every name: Dagster itself accepts many wrong ones."""
    if request.job is None and not request.assets:
        raise WrongRequestError(f"name a job or assets to run; jobs are: {', '.join(location.jobs)}")
    if request.partition and request.partition_range:
        raise WrongRequestError("give one partition or a range of partitions, not both")
    job = location.require_job(request.job) if request.job else None
    targets = _targets(location, job, request.assets)
    # A job without a chosen part of its assets runs whole, its ops included.
    chosen = targets if request.assets else []
    keys = _wanted_partitions(client, location, job, chosen, targets, request)
    if request.partition_range:
        return _launch_backfill(client, location, job, chosen, keys, request)
    return _launch_run(client, location, job, chosen, keys, request)


def run_url(client: GraphQLClient, run_id: str) -> str:
    """The run's or backfill's page in the Dagster UI."""
    return f"{client.address}/runs/b/{run_id}" if is_backfill(run_id) else f"{client.address}/runs/{run_id}"


def is_backfill(run_id: str) -> bool:
    """Whether an id is a backfill's: eight letters, where a run's is a UUID."""
    return _BACKFILL_ID.fullmatch(run_id) is not None


def cancel(client: GraphQLClient, run_id: str) -> None:
    """Ask Dagster to stop a run or backfill that has not ended. Raises ControlError when it has, or is unknown."""
    if is_backfill(run_id):
        # Cancelling an unknown backfill is an internal error to Dagster, reading one is not.
        known = client.execute(queries.BACKFILL, id=run_id, runs=1)["partitionBackfillOrError"]
        if known["__typename"] == "BackfillNotFoundError":
            raise WrongRequestError(f"there is no backfill {run_id!r}")
        outcome = client.execute(queries.CANCEL_BACKFILL, id=run_id)["cancelPartitionBackfill"]
        accepted = "CancelBackfillSuccess"
    else:
        outcome = client.execute(queries.CANCEL_RUN, id=run_id)["terminateRun"]
        accepted = "TerminateRunSuccess"
    if outcome["__typename"] == "RunNotFoundError":
        raise WrongRequestError(f"there is no run {run_id!r}")
    if outcome["__typename"] != accepted:
        raise refuse(outcome, f"cancel {run_id}")


def _targets(location: Location, job: str | None, selections: Sequence[str]) -> list[Asset]:
    if not selections:
        return [asset for asset in location.assets if job in asset.jobs]
    assets = select_assets(location, selections)
    outside = [asset.key for asset in assets if job and job not in asset.jobs]
    if outside:
        inside = ", ".join(asset.key for asset in location.assets if job in asset.jobs) or "none"
        raise WrongRequestError(f"job {job!r} does not hold {', '.join(outside)}; its assets are: {inside}")
    return assets


def _wanted_partitions(
    client: GraphQLClient,
    location: Location,
    job: str | None,
    chosen: list[Asset],
    targets: list[Asset],
    request: LaunchRequest,
) -> list[str]:
    """The partition keys to run, known to exist. Empty when the target has no partitions or only some of it has."""
    asked = request.partition_range or ((request.partition,) if request.partition else ())
    if not asked and any(not asset.is_partitioned for asset in targets):
        return []
    keys = _partition_keys(client, location, job, chosen)
    what = f"job {job!r}" if job else ", ".join(asset.key for asset in targets)
    if not keys:
        if asked:
            raise WrongRequestError(f"{what} has no partitions; launch it without naming one")
        return []
    if not asked:
        raise WrongRequestError(
            f"{what} runs by partition: give one of {keys[0]} .. {keys[-1]} (--partition), or a range (--partitions)"
        )
    for key in asked:
        if key not in keys:
            raise WrongRequestError(
                f"there is no partition {key!r}; there are {len(keys)}, from {keys[0]} to {keys[-1]}"
            )
    first, last = keys.index(asked[0]), keys.index(asked[-1])
    if first > last:
        raise WrongRequestError(f"the range {asked[0]} .. {asked[-1]} runs backwards")
    return keys[first : last + 1]


def _partition_keys(client: GraphQLClient, location: Location, job: str | None, chosen: list[Asset]) -> list[str]:
    selector = {**location.selector, "pipelineName": job or ASSET_JOB}
    outcome = client.execute(queries.PARTITION_KEYS, job=selector, assets=_key_inputs(chosen) or None)[
        "pipelineOrError"
    ]
    if outcome["__typename"] != "Pipeline":
        raise refuse(outcome, "list partitions")
    return outcome["partitionKeysOrError"]["partitionKeys"]


def _launch_run(
    client: GraphQLClient,
    location: Location,
    job: str | None,
    chosen: list[Asset],
    keys: list[str],
    request: LaunchRequest,
) -> Launched:
    tags = dict(request.tags or {}) | ({PARTITION_TAG: keys[0]} if keys else {})
    params = {
        "selector": {**location.selector, "jobName": job or ASSET_JOB, "assetSelection": _key_inputs(chosen) or None},
        "runConfigData": dict(request.run_config or {}),
        "executionMetadata": {"tags": _tag_inputs(tags)},
    }
    outcome = client.execute(queries.LAUNCH_RUN, params=params)["launchRun"]
    if outcome["__typename"] != "LaunchRunSuccess":
        raise refuse(outcome, f"launch {job or 'the assets'}")
    run_id = outcome["run"]["runId"]
    return Launched(run_id, None, run_url(client, run_id))


def _launch_backfill(
    client: GraphQLClient,
    location: Location,
    job: str | None,
    chosen: list[Asset],
    keys: list[str],
    request: LaunchRequest,
) -> Launched:
    """One backfill: a single run where the assets' BackfillPolicy says so, else a run a partition."""
    params: dict[str, Any] = {
        "partitionNames": keys,
        "tags": _tag_inputs(request.tags or {}),
        "runConfigData": dict(request.run_config or {}),
        "assetSelection": _key_inputs(chosen) or None,
    }
    if job:
        params["selector"] = {
            "partitionSetName": location.partition_sets[job],
            "repositorySelector": {
                "repositoryName": location.repository,
                "repositoryLocationName": location.name,
            },
        }
    outcome = client.execute(queries.LAUNCH_BACKFILL, params=params)["launchPartitionBackfill"]
    if outcome["__typename"] != "LaunchBackfillSuccess":
        raise refuse(outcome, f"launch a backfill of {job or 'the assets'}")
    backfill_id = outcome["backfillId"]
    return Launched(None, backfill_id, run_url(client, backfill_id))


def _key_inputs(assets: list[Asset]) -> list[dict[str, list[str]]]:
    return [{"path": asset.key.split("/")} for asset in assets]


def _tag_inputs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
