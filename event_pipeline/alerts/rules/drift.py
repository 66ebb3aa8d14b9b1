"""Schema drift: top-level fields of documents that are new, or that were always there and are missing.

Fields that the platform's own door and webhooks write come and go with who writes, and are no drift.
Only documents that came since the last look are read, and of many a sample; names of fields and counts are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.scene import Row, Scene
from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.inbox_records import WRITTEN_FIELDS
from event_pipeline.contracts.raw import RAW_FIREBASE, RAW_INBOX
from event_pipeline.settings.operator_alert_rules import SchemaDrift
from event_pipeline.sqlite import instant, stamp

_MOST_DOCUMENTS = 20_000
_MOST_FIELDS = 1_000
"""A collection whose fields are ids of something has no schema to drift; fields beyond these are not kept."""

_ALL = ""
"""Stands for the documents themselves among the fields."""

_NEW_FIELDS = """
WITH new AS (
    SELECT payload FROM {table} WHERE ingested_at > $since AND ingested_date >= $since_date AND operation = 'upsert'
    ORDER BY ingested_at DESC LIMIT {documents}
)
SELECT '' AS field, count(*) AS documents FROM new
UNION ALL (
    SELECT field, count(*) FROM (SELECT unnest(json_keys(payload)) AS field FROM new)
    WHERE field <> '' GROUP BY field ORDER BY 2 DESC, 1 LIMIT {fields}
)
"""
_LOOKED_AT = "fields_snapshot"
_BEGINNING = "1970-01-01T00:00:00.000000Z"


def schema_drift(scene: Scene, rule: SchemaDrift) -> Sequence[Condition]:
    """Fields of the app's and the providers' documents that came or went."""
    snapshot = str(scene.snapshot("lake"))
    collections = {**RAW_FIREBASE, **RAW_INBOX}
    if scene.database.noted(_LOOKED_AT) != snapshot:
        for collection, contract in collections.items():
            if scene.tables.have(contract):
                _learn(scene, collection, contract, rule)
        scene.database.note(_LOOKED_AT, snapshot)
    found = []
    for collection in collections:
        rows = scene.database.execute("SELECT * FROM document_fields WHERE collection = ?", (collection,))
        found += _judge(scene, collection, {row["field"]: dict(row) for row in rows}, rule)
    return found


def _learn(scene: Scene, collection: str, contract: Contract, rule: SchemaDrift) -> None:
    """Count the fields of documents that came since the last look."""
    note = f"fields:{collection}"
    since = scene.database.noted(note) or _BEGINNING
    (newest,) = scene.rows(f"SELECT max(ingested_at) AS at FROM {contract.qualified}")
    if newest["at"] is None or stamp(newest["at"]) <= since:
        return
    sql = _NEW_FIELDS.format(table=contract.qualified, documents=_MOST_DOCUMENTS, fields=_MOST_FIELDS)
    counted = scene.rows(sql, since=instant(since), since_date=instant(since).date())
    with scene.database.transaction():
        if (scene.database.noted(note) or _BEGINNING) != since:
            return
        _add(scene, collection, counted, rule)
        scene.database.note(note, stamp(newest["at"]))


def _add(scene: Scene, collection: str, counted: Sequence[Row], rule: SchemaDrift) -> None:
    # Until so many documents were seen, nothing is known of what is usual.
    is_learning = _of_all(scene, collection, "documents") < rule.window_documents
    for row in counted:
        recent = 0 if is_learning else row["documents"]
        scene.database.execute(
            "INSERT INTO document_fields VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (collection, field) DO UPDATE SET "
            "documents = documents + ?4, recent = recent + ?5, is_known = max(is_known, ?6)",
            (collection, row["field"], stamp(scene.now), row["documents"], recent, int(is_learning)),
        )
    # Recent means the last one to two windows: older documents count half, and half of that, and so on.
    while _of_all(scene, collection, "recent") >= 2 * rule.window_documents:
        scene.database.execute("UPDATE document_fields SET recent = recent / 2 WHERE collection = ?", (collection,))


def _of_all(scene: Scene, collection: str, figure: str) -> int:
    rows = scene.database.execute(
        "SELECT * FROM document_fields WHERE collection = ? AND field = ?", (collection, _ALL)
    )
    return rows[0][figure] if rows else 0


def _judge(scene: Scene, collection: str, fields: Mapping[str, Row], rule: SchemaDrift) -> list[Condition]:
    total = fields.get(_ALL)
    if total is None or len(fields) > _MOST_FIELDS:
        return []
    found, own = [], WRITTEN_FIELDS.get(collection, frozenset())
    for name, row in fields.items():
        if name in own:
            continue
        is_new = not row["is_known"] and scene.now - instant(row["first_seen_at"]) < timedelta(days=rule.days)
        if name != _ALL and is_new and row["documents"] >= rule.least_documents:
            summary = f"documents of {collection} have a field {name!r} that none had before"
            found.append(_condition(collection, name, "new", summary, row["documents"]))
        elif name != _ALL and _is_missing(row, total, rule):
            summary = f"documents of {collection} have no field {name!r} any more, which they used to have"
            found.append(_condition(collection, name, "missing", summary, row["recent"]))
    return found


def _is_missing(field: Row, total: Row, rule: SchemaDrift) -> bool:
    before, had = total["documents"] - total["recent"], field["documents"] - field["recent"]
    was_always_there = before >= rule.window_documents and had >= rule.usual_share * before
    few = field["recent"] <= rule.missing_share * total["recent"]
    return was_always_there and total["recent"] >= rule.window_documents and few


def _condition(collection: str, field: str, change: str, summary: str, documents: int) -> Condition:
    labels = {"collection": collection, "field": field, "change": change}
    return Condition("schema_drift", f"{collection}.{field}:{change}", summary, documents, labels)
