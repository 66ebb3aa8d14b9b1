"""What the pipeline stands on: Dagster, the warehouse's files, the disk."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.results import results_read_at
from event_pipeline.alerts.scene import CannotLook, Scene
from event_pipeline.settings.operator_alert_rules import BackgroundFailing, DagsterDown, Disk, WarehouseDown
from event_pipeline.warehouse.connection import lake_exists

_GIGABYTE = 10**9


def dagster_down(scene: Scene, rule: DagsterDown) -> Sequence[Condition]:
    """Dagster is away or ill; or it runs and is not paused, but nobody tells how its runs and checks end."""
    if not scene.dagster.is_well:
        link = scene.dagster_link("deployment")
        return [Condition("dagster_down", "dagster", f"Dagster is not well: {scene.dagster.message}", link=link)]
    read_at = results_read_at(scene.database)
    if scene.dagster.is_paused:
        return []
    if read_at is not None and scene.now - read_at < timedelta(minutes=rule.report_minutes):
        return []
    since = f"since {read_at:%Y-%m-%d %H:%M} UTC" if read_at else "so far"
    summary = f"nobody has reported how runs and checks ended {since}: results_sensor is off or fails"
    return [Condition("dagster_down", "results", summary, link=scene.dagster_link("automation"))]


def warehouse_down(scene: Scene, _: WarehouseDown) -> Sequence[Condition]:
    """The lake and the warehouse cannot be opened or read."""
    if not lake_exists(scene.settings):
        raise CannotLook("nothing was ever loaded")
    try:
        scene.snapshot("warehouse")
    except CannotLook as error:
        # The log says why, masked; what the catalog says may hold its address.
        return [Condition("warehouse_down", "warehouse", str(error))]
    return []


def background_failing(scene: Scene, _: BackgroundFailing) -> Sequence[Condition]:
    """Background tasks of the API, and of the worker while it is heard, whose latest turn failed."""
    worker = scene.worker.tasks if scene.worker is not None and scene.worker.is_fresh else {}
    found = [("api", name, task) for name, task in scene.tasks.items()]
    found += [("stream worker", name, task) for name, task in worker.items()]
    return [
        Condition(
            "background_failing",
            f"{process}: {name}",
            f"{name} of the {process} fails since {task.failing_since:%Y-%m-%d %H:%M} UTC: {task.failure}",
            float(task.failures),
            {"process": process, "task": name},
        )
        for process, name, task in found
        if task.failing_since is not None
    ]


def disk(scene: Scene, rule: Disk) -> Sequence[Condition]:
    """Little room is left beside the data folder."""
    usage = shutil.disk_usage(scene.settings.data_dir)
    share = usage.free / usage.total
    if share >= rule.free_share and usage.free >= rule.free_gigabytes * _GIGABYTE:
        return []
    summary = f"the data folder's disk has {usage.free / _GIGABYTE:.1f} GB left ({share:.1%})"
    return [Condition("disk", "data", summary, round(share, 4))]
