"""Rows of ``ops.batches`` and ``ops.stream_status``: what the worker says of itself in the warehouse."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow.compute as pc

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.increments.stage import Increased
from event_pipeline.models.registry import MODELS
from event_pipeline.sources.change import ChangeBatch
from event_pipeline.stream.sources.live_source import LiveReport


def batch_rows(
    batches: Sequence[ChangeBatch],
    rows_new: Mapping[str, int],
    increased: Sequence[Increased],
    seconds: float,
    snapshot: int,
) -> list[dict[str, Any]]:
    """A row per source of the batch. ``rows_new`` counts by source what the lake did not have."""
    now, batch_id = datetime.now(UTC), uuid.uuid4().hex
    rows_in: Counter[str] = Counter()
    seen: dict[str, datetime] = {}
    for batch in batches:
        if batch.changes.num_rows:
            rows_in[batch.source] += batch.changes.num_rows
            oldest: datetime = pc.call_function("min", [batch.changes["observed_at"]]).as_py()
            seen[batch.source] = min(oldest, seen[batch.source]) if batch.source in seen else oldest
    quarantined = _quarantined(batches, increased)
    return [
        {
            "batch_id": batch_id,
            "source": source,
            "committed_at": now,
            "rows_in": count,
            "rows_new": rows_new[source],
            "rows_quarantined": quarantined[source],
            "lag_seconds": max(0.0, (now - seen[source]).total_seconds()),
            "duration_seconds": seconds,
            "snapshot": snapshot,
        }
        for source, count in sorted(rows_in.items())
    ]


def _quarantined(batches: Sequence[ChangeBatch], increased: Sequence[Increased]) -> Counter[str]:
    """Documents of the batch that are in quarantine, by source."""
    rejected: Counter[str] = Counter()
    for done in increased:
        if done.rejected:
            rejected.update(dict.fromkeys(MODELS[done.table].inputs, done.rejected))
    found: Counter[str] = Counter()
    for source, collection in {(batch.source, batch.collection) for batch in batches}:
        found[source] += rejected[RAW_TABLES[collection].name]
    return found


def status_rows(reports: Sequence[LiveReport]) -> list[Mapping[str, Any]]:
    """The latest report of each source and collection."""
    now = datetime.now(UTC)
    latest = {(report.source, report.collection): report for report in reports}
    return [
        {
            "source": report.source,
            "collection": report.collection,
            "state": report.state,
            "message": report.message or None,
            "changed_at": report.at,
            "written_at": now,
        }
        for report in latest.values()
    ]
