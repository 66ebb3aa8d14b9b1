"""What a batch was, in a few numbers: for the log, the heartbeat and Dagster."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow.compute as pc

from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.control.materializations import TableChange
from event_pipeline.models.registry import MODELS
from event_pipeline.sources.change import ChangeBatch
from event_pipeline.stream.committer import Committed


def lag_seconds(batches: Sequence[ChangeBatch], now: datetime) -> float | None:
    """Seconds since the oldest change of the batches was seen; None when they hold none."""
    seen = [
        pc.call_function("min", [batch.changes["observed_at"]]).as_py() for batch in batches if batch.changes.num_rows
    ]
    return round(max(0.0, (now - min(seen)).total_seconds()), 3) if seen else None


def totals(committed: Committed) -> dict[str, Any]:
    """A commit as fields of a log line."""
    said: dict[str, Any] = {
        "rows_in": sum(committed.rows_in.values()),
        "rows_new": sum(committed.rows_new.values()),
        "sources": sorted(committed.rows_in),
        "tables": len(committed.increased),
        "seconds": round(committed.seconds, 3),
        "snapshot": committed.snapshot,
    }
    if committed.kept:
        said["kept"] = [done.message for done in committed.kept]
    return said | ({"rebuilt_because": committed.reason} if committed.reason else {})


def table_changes(batches: Sequence[ChangeBatch], committed: Committed) -> list[TableChange]:
    """The tables that a commit changed, raw ones included, all that are modelled when they were rebuilt, and those that
    were kept because new rows break their contract."""
    raw = {
        RAW_TABLES[batch.collection].name
        for batch in batches
        if batch.changes.num_rows and committed.rows_new[batch.source]
    }
    kept = [TableChange(done.table, problems=done.problems) for done in committed.kept if done.problems]
    if committed.reason:
        rebuilt = set(MODELS) - {done.table for done in committed.kept}
        return [*(TableChange(name) for name in sorted(raw | rebuilt)), *kept]
    increased = [TableChange(done.table, done.added, done.removed) for done in committed.increased]
    return [*(TableChange(name) for name in sorted(raw)), *increased, *kept]
