"""The whole Dagster graph as plain data, to be pinned in ``asset_graph.json``.

``python -m event_pipeline_tests.definitions.asset_graph`` writes the file again after a change on purpose.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.dependency import NodeHandle

from event_pipeline.definitions.build import build_definitions
from event_pipeline.settings import Firebase, Settings, Sheets

PINNED = Path(__file__).with_name("asset_graph.json")
COMMAND = "python -m event_pipeline_tests.definitions.asset_graph"


def everything_configured() -> dg.Definitions:
    """Definitions with every kind of source switched on, so that every sensor and schedule is there."""
    firebase = Firebase(backend="firestore", project_id="an-organisation")
    return build_definitions(Settings(firebase=firebase, sheets=Sheets(follow_events=True)))


def describe(definitions: dg.Definitions) -> dict[str, Any]:
    """Assets with group, kinds, inputs, partitions and checks; jobs, sensors and schedules."""
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    assets = {}
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        assets[key.to_user_string()] = {
            "group": node.group_name,
            "kinds": sorted(node.kinds),
            "deps": sorted(parent.to_user_string() for parent in node.parent_keys),
            "partitions": type(node.partitions_def).__name__ if node.partitions_def else None,
            "checks": {
                check.name: "blocking" if graph.get(check).blocking else "advisory"
                for check in sorted(graph.asset_check_keys, key=lambda check: check.name)
                if check.asset_key == key
            },
        }
    return {
        "assets": assets,
        "jobs": {job.name: _job(job) for job in repository.get_all_jobs() if not job.name.startswith("__")},
        "sensors": {
            sensor.name: {
                "job": sensor.job_name if sensor.targets else None,
                "status": sensor.default_status.value,
                "seconds": sensor.minimum_interval_seconds,
            }
            for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
        },
        "schedules": {
            schedule.name: {
                "job": schedule.job_name,
                "status": schedule.default_status.value,
                "cron": schedule.cron_schedule,
                "time_zone": schedule.execution_timezone,
            }
            for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name)
        },
    }


def _job(job: dg.JobDefinition) -> dict[str, Any]:
    layer = job.asset_layer
    selected = {
        key
        for node in job.nodes_in_topological_order
        for key in layer.get_selected_entity_keys_for_node(NodeHandle(node.name, parent=None))
    }
    return {
        "assets_by_layer": _counted(key.path[0] for key in layer.selected_asset_keys),
        "checks_by_name": _counted(key.name for key in selected if isinstance(key, dg.AssetCheckKey)),
        "tags": dict(job.tags),
    }


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def as_text(described: dict[str, Any]) -> str:
    """As the file holds it."""
    return json.dumps(described, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    PINNED.write_text(as_text(describe(everything_configured())))
