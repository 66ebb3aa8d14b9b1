"""Every promise of a table: those that block, and values, references, freshness, volume and quarantine besides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from event_pipeline.contracts.contract import Catalog, Column, Contract
from event_pipeline.contracts.ops import DATA_QUALITY
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.contracts.raw import SOURCES_OF_RAW
from event_pipeline.contracts.source_state import SOURCE_STATE
from event_pipeline.contracts.stream import STREAM_STATUS
from event_pipeline.quality.blocking import blocking_promises, is_switched_off, repair_advice
from event_pipeline.quality.promise import SAMPLE_ROWS, Promise, as_text, count_where, identifier, literal, sample_of
from event_pipeline.quality.quarantined import Quarantined
from event_pipeline.quality.results import Dimension
from event_pipeline.quality.stored import STORED_TYPES, Stored, usable_columns
from event_pipeline.settings import Validation


def tables_asked_about(contract: Contract) -> tuple[str, ...]:
    """The table, those it refers to, and what the pipeline keeps of its own work, as ``catalog.schema.table``."""
    parents = [_parent(column.references)[0] for column in contract.columns if column.references]
    own = [kept.qualified for kept in (QUARANTINE, DATA_QUALITY, SOURCE_STATE, STREAM_STATUS)]
    return tuple(dict.fromkeys((contract.qualified, *parents, *own)))


def dimensions_of(contract: Contract) -> tuple[Dimension, ...]:
    """The dimensions in which the contract and the settings can promise anything of its table."""
    values = ("allowed", "minimum", "maximum", "max_length")
    has_values = any(getattr(column, name) not in (None, ()) for column in contract.columns for name in values)
    is_present: dict[Dimension, bool] = {
        "completeness": True,
        "validity": contract.layer == "staging" or has_values,
        "uniqueness": bool(contract.key),
        "consistency": True,
        "timeliness": contract.fresh_by is not None,
    }
    return tuple(dimension for dimension, present in is_present.items() if present)


def promises_of(
    contract: Contract,
    stored: Stored,
    validation: Validation,
    now: datetime,
    previous_row_counts: Sequence[int] = (),
    quarantined: Quarantined | None = None,
) -> tuple[Promise, ...]:
    """What the contract and the settings promise of the table, as far as its stored columns can be asked about."""
    usable = usable_columns(contract, stored)
    promises = blocking_promises(contract, stored, validation)
    for column in contract.columns:
        if column.name in usable:
            promises += _value_promises(contract, column, validation, usable)
            if column.references:
                promises.append(_reference(contract, column, column.references, stored, usable))
    if contract.fresh_by in usable:
        promises.append(_fresh(contract, contract.fresh_by, stored, validation, now))
    promises.append(_volume(contract, validation, previous_row_counts))
    if quarantined is not None:
        promises += _quarantine_promises(contract, validation, quarantined)
    return tuple(promises)


def _value_promises(
    contract: Contract, column: Column, validation: Validation, usable: frozenset[str]
) -> list[Promise]:
    name = identifier(column.name)
    conditions: list[tuple[str, str, str]] = []
    if column.allowed:
        words = ", ".join(literal(word) for word in column.allowed)
        conditions.append(("allowed", f"is one of {', '.join(column.allowed)}", f"{name} NOT IN ({words})"))
    if column.minimum is not None or column.maximum is not None:
        bounds = [f"{name} < {column.minimum}"] if column.minimum is not None else []
        bounds += [f"{name} > {column.maximum}"] if column.maximum is not None else []
        bounds += [f"isnan({name})"] if column.type == "float64" else []
        conditions.append(("range", _range_text(column), " OR ".join(bounds)))
    if column.max_length is not None:
        limit = column.max_length
        # Bytes are told without decoding, and a text has at least as many bytes as characters.
        long = f"strlen({name}) > {limit} AND length({name}) > {limit}"
        conditions.append(("too_long", f"has at most {limit} characters", long))
    return [
        Promise(
            dimension="validity",
            name=rule,
            column=column.name,
            description=f"{column.name} {text}",
            measure=count_where(contract, condition) if rule == "range" else f"count(*) FILTER (WHERE {condition})",
            advice=repair_advice(contract),
            sample=sample_of(contract, column.name, condition, usable),
        )
        for rule, text, condition in conditions
        if not is_switched_off(contract, validation, column, rule)
    ]


def _range_text(column: Column) -> str:
    if column.maximum is None:
        return f"is at least {column.minimum}"
    return f"is at most {column.maximum}" if column.minimum is None else f"lies in {column.minimum} to {column.maximum}"


def _reference(contract: Contract, column: Column, references: str, stored: Stored, usable: frozenset[str]) -> Promise:
    table, key = _parent(references)
    name = identifier(column.name)
    if stored.get(table, {}).get(key) == STORED_TYPES[column.type]:
        join = f"ANTI JOIN {table} AS parent ON child.{name} = parent.{identifier(key)}"
        measure = f"(SELECT count(child.{name}) FROM {contract.qualified} AS child {join})"
    else:
        join, measure = "", f"count({name})"
    return Promise(
        dimension="consistency",
        name="references",
        column=column.name,
        description=f"{column.name} is in {references}",
        measure=measure,
        advice=f"rebuild {references.rsplit('.', 1)[0]}, then {contract.name}",
        sample=sample_of(contract, column.name, f"child.{name} IS NOT NULL", usable, join),
    )


def _parent(references: str) -> tuple[str, str]:
    layer, table, key = references.split(".")
    catalog: Catalog = "warehouse" if layer in ("core", "marts") else "lake"
    return f"{catalog}.{layer}.{table}", key


def _fresh(contract: Contract, fresh_by: str, stored: Stored, validation: Validation, now: datetime) -> Promise:
    """A table nothing changes in is fresh as long as its source is looked at: clubs are made once a year."""
    oldest = now - timedelta(hours=validation.freshness_hours)
    newest = f"max({identifier(fresh_by)})"
    heard = ", ".join((newest, *_looks(contract, stored)))
    return Promise(
        dimension="timeliness",
        name="fresh",
        column=fresh_by,
        description=f"its source was looked at, or brought a change, in the last {validation.freshness_hours} hours",
        measure=f"(CASE WHEN greatest({heard}) < TIMESTAMPTZ {literal(oldest.isoformat())} THEN 1 ELSE 0 END)",
        counts_rows=False,
        besides=1,
        severity="warning",
        advice="see whether the source is still read: its state in `event-pipeline status`, its sensor in the UI",
        sample=f"SELECT {as_text(newest, fresh_by)}, {as_text(f'greatest({heard})', 'last_heard')} "
        f"FROM {contract.qualified}",
    )


def _looks(contract: Contract, stored: Stored) -> list[str]:
    """When one of the table's sources was last read without trouble, and when it was last known to be followed live."""
    raw = contract.name if contract.layer == "raw" else next(iter(contract.sources), "")
    names = ", ".join(literal(source) for source in SOURCES_OF_RAW.get(raw, ()))
    kept = ((SOURCE_STATE, "read_at", "ok"), (STREAM_STATUS, "written_at", "live"))
    return [
        f"(SELECT max({at}) FROM {table.qualified} WHERE state = '{state}' AND source IN ({names}))"
        for table, at, state in kept
        if names and table.qualified in stored
    ]


def _volume(contract: Contract, validation: Validation, previous_row_counts: Sequence[int]) -> Promise:
    usual = median(previous_row_counts) if previous_row_counts else 0
    floor = math.ceil(usual * (1 - validation.volume_tolerance))
    history = f"{usual:g} is the median of its last {len(previous_row_counts)} counts" if previous_row_counts else ""
    return Promise(
        dimension="completeness",
        name="volume",
        column=None,
        description=f"{contract.name} has at least {floor} rows ({history or 'it has no history yet'})",
        measure=f"greatest(0, {floor} - count(*))",
        counts_rows=False,
        besides=floor,
        severity="warning",
        advice="look for a source that stopped or a mass delete; if the fall is right, the check settles by itself",
        sample=f"SELECT {as_text('count(*)', 'rows')} FROM {contract.qualified}",
    )


def _quarantine_promises(contract: Contract, validation: Validation, quarantined: Quarantined) -> list[Promise]:
    advice = f"correct at the source what `event-pipeline quarantine list --table {contract.table}` shows"
    shown = tuple(f"{rule}: {count} documents" for rule, count in list(quarantined.by_rule.items())[:SAMPLE_ROWS])
    limit = validation.max_quarantined_fraction
    promises = [
        Promise(
            dimension="validity",
            name="quarantined",
            column=None,
            description=f"at most {limit:.4g} of the documents are in quarantine",
            measure=str(quarantined.rejected),
            besides=quarantined.rejected,
            tolerated=limit,
            advice=advice,
            found=shown,
        )
    ]
    for rule, switch in sorted(validation.rules.get(contract.table, {}).items()):
        if switch.enabled and switch.max_failing_fraction < 1:
            promises.append(
                Promise(
                    dimension="validity",
                    name="rule_broken",
                    column=rule.rsplit(".", 1)[0],
                    description=f"at most {switch.max_failing_fraction:.4g} of the documents break {rule}",
                    measure=str(quarantined.by_rule.get(rule, 0)),
                    besides=quarantined.rejected,
                    tolerated=switch.max_failing_fraction,
                    advice=advice,
                )
            )
    return promises
