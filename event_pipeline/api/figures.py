"""How much the pipeline does and how long it takes: the stream's batches, Dagster's runs, this process."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from event_pipeline.api.answers.common import rate
from event_pipeline.api.answers.metrics import Resources, RunMetrics, StreamMetrics
from event_pipeline.api.problems import Problem
from event_pipeline.api.services import Services
from event_pipeline.contracts.stream import BATCHES

if TYPE_CHECKING:
    import psutil

    from event_pipeline.control import Overview

_RESET = "stats_reset_at"
_NONE = StreamMetrics(
    batches=0, changes=0, new_changes=0, quarantined=0, changes_per_second=0.0, error_rate=None,
    lag_p50_seconds=None, lag_p95_seconds=None, batch_p95_seconds=None,
)  # fmt: skip
_BATCHES = f"""
SELECT count(DISTINCT batch_id) AS batches, coalesce(sum(rows_in), 0)::BIGINT AS changes,
    coalesce(sum(rows_new), 0)::BIGINT AS new_changes, coalesce(sum(rows_quarantined), 0)::BIGINT AS quarantined,
    round(quantile_cont(lag_seconds, 0.5), 3) AS lag_p50_seconds,
    round(quantile_cont(lag_seconds, 0.95), 3) AS lag_p95_seconds,
    round(quantile_cont(duration_seconds, 0.95), 3) AS batch_p95_seconds
FROM {BATCHES.qualified} WHERE committed_at >= $since
"""


def counted_since(services: Services, window_seconds: float) -> datetime:
    """Begin of the window, or the latest reset within it."""
    begin = services.now() - timedelta(seconds=window_seconds)
    reset_at = services.database.noted(_RESET)
    return begin if reset_at is None else max(begin, datetime.fromisoformat(reset_at))


def reset(services: Services) -> datetime:
    """Begin anew, in this process and in those that share its database."""
    services.counters.reset()
    now = services.now()
    services.database.note(_RESET, now.isoformat())
    return now


def stream_metrics(services: Services, since: datetime) -> StreamMetrics:
    """The stream's batches since then; none while the warehouse cannot be read."""
    try:
        if BATCHES.name not in services.mirror.current.present:
            return _NONE
        with services.reader.session() as session:
            row = session.row(_BATCHES, {"since": since})
    except Problem:
        return _NONE
    if row is None:
        return _NONE
    seconds = max(1.0, (services.now() - since).total_seconds())
    return StreamMetrics(
        **row,
        changes_per_second=round(row["changes"] / seconds, 3),
        error_rate=rate(row["quarantined"], row["changes"]),
    )


def run_metrics(overview: Overview | None) -> RunMetrics | None:
    """Dagster's latest runs that have ended."""
    if overview is None:
        return None
    ended = [run for run in overview.recent_runs if run.duration_seconds is not None]
    failed = sum(run.status == "FAILURE" for run in ended)
    times = [run.duration_seconds for run in ended if run.duration_seconds is not None]
    mean = round(sum(times) / len(times), 3) if times else None
    return RunMetrics(finished=len(ended), failed=failed, error_rate=rate(failed, len(ended)), mean_seconds=mean)


def resources(services: Services, process: psutil.Process) -> Resources:
    """What the process uses and the disk has left."""
    disk = shutil.disk_usage(services.settings.data_dir)
    with process.oneshot():
        return Resources(
            cpu_percent=process.cpu_percent(),
            memory_bytes=process.memory_info().rss,
            threads=process.num_threads(),
            disk_free_bytes=disk.free,
            disk_used_share=round(1 - disk.free / disk.total, 4),
        )
