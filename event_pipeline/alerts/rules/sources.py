"""Sources and the stream worker that follows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.scene import Row, Scene
from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.settings.operator_alert_rules import SourceFailing, SourceLagging, SourceStale, StreamDown

_POLLED = frozenset(("firestore", "realtime_database", "google_sheets"))
"""Sources that are read at set times; files are read when there are new ones."""

_ILL = frozenset(("refused", "unavailable", "silent"))
_FEW_HOURS = 2
_MANY_HOURS = 48


def source_failing(scene: Scene, _: SourceFailing) -> Sequence[Condition]:
    """Sources that refuse or do not answer, as the last reading or the stream worker said."""
    found = {}
    for row in _source_states(scene):
        if row["state"] != "ok" and not (scene.worker and scene.worker.follows(row["source"])):
            name = row["source"] if row["collection"] == "*" else f"{row['source']}/{row['collection']}"
            found[name] = row["state"], row["message"] or ""
    if scene.worker is not None and scene.worker.is_fresh:
        found |= {n: (sign.state, sign.message) for n, sign in scene.worker.sources.items() if sign.state in _ILL}
    return [
        Condition(
            "source_failing",
            name,
            f"the source {name} is {state}" + (f": {why}" if why else ""),
            labels={"source": name.split("/")[0], "state": state},
        )
        for name, (state, why) in sorted(found.items())
    ]


def source_stale(scene: Scene, rule: SourceStale) -> Sequence[Condition]:
    """Sources that nobody has read for long and that are not followed live."""
    latest: dict[str, datetime] = {}
    for row in _source_states(scene):
        if row["source"] in _POLLED:
            latest[row["source"]] = max(row["read_at"], latest.get(row["source"], row["read_at"]))
    return [
        Condition(
            "source_stale",
            source,
            f"the source {source} was last read {_span(scene.now - at)} ago",
            round((scene.now - at) / timedelta(hours=1), 1),
            {"source": source},
        )
        for source, at in sorted(latest.items())
        if scene.now - at >= timedelta(hours=rule.hours) and not (scene.worker and scene.worker.follows(source))
    ]


def source_lagging(scene: Scene, rule: SourceLagging) -> Sequence[Condition]:
    """More comes in than the stream worker commits."""
    worker = scene.worker
    if worker is None or not worker.is_fresh or worker.waiting_changes < rule.waiting_changes:
        return []
    summary = f"{worker.waiting_changes:,} changes wait in the stream worker"
    return [Condition("source_lagging", "stream", summary, worker.waiting_changes)]


def stream_down(scene: Scene, _: StreamDown) -> Sequence[Condition]:
    """The worker ended without stopping in order, hangs, or cannot commit."""
    worker = scene.worker
    if worker is None or (worker.is_fresh and not worker.failure):
        return []
    summary = f"the stream worker cannot commit: {worker.failure}"
    if not worker.is_fresh:
        summary = f"the stream worker was killed or hangs; it was last heard {_span(scene.now - worker.at)} ago"
    return [Condition("stream_down", "stream", summary)]


def _source_states(scene: Scene) -> list[Row]:
    if not scene.tables.have(SOURCE_STATE):
        return []
    columns = "source, collection, state, message, read_at"
    return scene.rows(f"SELECT {columns} FROM {SOURCE_STATE.qualified} ORDER BY ALL")


def _span(span: timedelta) -> str:
    minutes = int(span / timedelta(minutes=1))
    hours = minutes // 60
    if hours < _FEW_HOURS:
        return f"{minutes} minutes"
    return f"{hours} hours" if hours < _MANY_HOURS else f"{hours // 24} days"
