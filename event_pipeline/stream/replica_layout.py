"""How the working copy lays out its tables, so that a batch reads the few rows that it touches."""

from __future__ import annotations

import hashlib

from event_pipeline.contracts.contract import DUCKDB_TYPES
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.increments.registry import INCREMENTS
from event_pipeline.models.registry import MODELS
from event_pipeline.warehouse.table_contracts import CONTRACTS

ROW_GROUP = 8_192
"""Rows that are read or left out together. What a batch touches lies in many places of a few rows each: in DuckDB's own
groups of 122,880 most of what is read for them is of others."""

_SMALL = frozenset({"core.dim_dates", "core.dim_events", "core.dim_clubs", "marts.agg_daily_metrics"})

_GROUPS = frozenset({"event_id", "source_event_id", "claimed_event_id", "club_id", "date"})
"""Columns of few values: sorted by one, a batch's rows lie in few places; through an index they cost more."""

_CLUSTERED = {
    "staging.registrations": "event_id",
    "staging.scans": "claimed_event_id",
    "core.fact_payments": "event_id",
    "core.fact_payment_entries": "event_id",
    "core.fact_email_events": "event_id",
}
"""Where most readers ask for another column than the table's own scope."""

_ASKED_FOR = {
    "quarantine.rows": ("document_id",),
    "staging.scans": ("claimed_registration_id",),
    "staging.email_events": ("registration_id",),
    "staging.payment_events": ("payment_id", "object_id"),
    "staging.provider_payments": ("registration_id",),
    "staging.resolved_registrations": ("registration_id",),
}
"""Columns that touches and reads written as SQL ask for."""


def replicated() -> list[str]:
    """Every table that increments read or write, raw ones first."""
    read = {name for model in MODELS.values() for name in model.inputs}
    return sorted({*read, *MODELS, QUARANTINE.name}, key=lambda name: (CONTRACTS[name].layer != "raw", name))


def clustering(name: str) -> str | None:
    """The column that the rows are sorted by when copied: rows of one event lie together."""
    if name in _CLUSTERED:
        return _CLUSTERED[name]
    if CONTRACTS[name].layer == "raw":
        return "document_id"
    increment = INCREMENTS.get(name)
    return increment.scope if increment else None


def indexed(name: str) -> list[str]:
    """Columns that rows are asked for by and that tell many values apart."""
    if name in _SMALL:
        return []
    direct = {
        dependence.reads
        for increment in INCREMENTS.values()
        for read, dependence in increment.inputs.items()
        if read == name and dependence.is_direct
    }
    increment = INCREMENTS.get(name)
    scope = {increment.scope} if increment is not None and increment.scope else set[str]()
    raw = {"document_id"} if CONTRACTS[name].layer == "raw" else set[str]()
    return sorted({*direct, *scope, *raw, *_ASKED_FOR.get(name, ())} - _GROUPS)


def layout_fingerprint() -> str:
    """Changes whenever a working copy made before is of no use any more."""
    said = [
        (name, clustering(name), indexed(name), [(c.name, DUCKDB_TYPES[c.type]) for c in CONTRACTS[name].columns])
        for name in replicated()
    ]
    return hashlib.sha256(repr((ROW_GROUP, said)).encode()).hexdigest()[:16]
