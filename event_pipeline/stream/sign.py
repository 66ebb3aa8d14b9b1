"""The worker's heartbeat as alerts take it."""

from __future__ import annotations

from event_pipeline.alerts.signs import SourceSign, WorkerSign
from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import read_heartbeat
from event_pipeline.stream.sources.live_source import ALL


def worker_sign(settings: Settings) -> WorkerSign | None:
    """What the worker last said; None when none ran or it stopped in order."""
    heartbeat = read_heartbeat(settings)
    if heartbeat is None:
        return None
    sources = {
        beat.name if collection == ALL else f"{beat.name}/{collection}": SourceSign(standing.state, standing.message)
        for beat in heartbeat.sources.values()
        for collection, standing in beat.collections.items()
    }
    failure = heartbeat.failure if heartbeat.failing_since is not None else ""
    return WorkerSign(
        heartbeat.at, heartbeat.is_fresh(settings), failure, heartbeat.waiting_changes, sources, heartbeat.tasks
    )
