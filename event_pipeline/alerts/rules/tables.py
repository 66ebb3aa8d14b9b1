"""The tables: whether they keep up, what is refused, and whether a day looks like such days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from statistics import median

from event_pipeline.alerts.alert import Condition
from event_pipeline.alerts.scene import CannotLook, Scene
from event_pipeline.contracts.marts import AGG_DAILY_METRICS
from event_pipeline.contracts.progress import LAKE_PROGRESS
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.settings.operator_alert_rules import Freshness, QuarantineGrowth, VolumeAnomaly
from event_pipeline.sqlite import stamp
from event_pipeline.warehouse.connection import metadata_of

_OLDEST_WAITING = """
WITH raw_tables AS (
    SELECT list(t.table_id::VARCHAR) AS ids FROM {metadata}.ducklake_table t
    JOIN {metadata}.ducklake_schema s USING (schema_id) WHERE s.schema_name = 'raw'
)
SELECT min(snapshot_time)::TIMESTAMPTZ AS oldest FROM ducklake_snapshots('lake'), raw_tables
WHERE snapshot_id > $consumed AND list_has_any(flatten(map_values(changes)), ids)
"""
_QUARANTINED = f"""
SELECT table_name, count(DISTINCT document_id) AS documents FROM {QUARANTINE.qualified}
WHERE consequence = 'rejected' GROUP BY table_name ORDER BY table_name
"""
_SAMPLE_EVERY = timedelta(minutes=15)
_SAMPLED = ""
"""Stands for all tables together among the samples, so that each sampling is there."""

_LEAST_WEEKS = 3


def freshness(scene: Scene, rule: Freshness) -> Sequence[Condition]:
    """The oldest change that is in the lake and not in the tables waits too long."""
    if not scene.tables.have(LAKE_PROGRESS):
        raise CannotLook("the tables were never made")
    progress = scene.rows(f"SELECT max(consumed_snapshot) AS consumed FROM {LAKE_PROGRESS.qualified}")
    if progress[0]["consumed"] is None:
        raise CannotLook("the tables are about to be made anew")
    sql = _OLDEST_WAITING.format(metadata=metadata_of(scene.settings, "lake"))
    (row,) = scene.rows(sql, consumed=progress[0]["consumed"])
    waits = scene.now - row["oldest"] if row["oldest"] else timedelta()
    if waits < timedelta(minutes=rule.minutes):
        return []
    minutes = waits / timedelta(minutes=1)
    summary = f"changes have waited {minutes:,.0f} minutes to be in the tables; the objective is {rule.minutes:g}"
    return [Condition("freshness", "tables", summary, round(minutes, 1))]


def quarantine_growth(scene: Scene, rule: QuarantineGrowth) -> Sequence[Condition]:
    """Tables of whose documents many more are in quarantine than some hours ago."""
    if not scene.tables.have(QUARANTINE):
        return []
    now = {row["table_name"]: row["documents"] for row in scene.rows(_QUARANTINED)}
    before = _sampled_before(scene, rule.hours)
    _sample(scene, now)
    found = []
    for table, documents in now.items() if before is not None else ():
        held = (before or {}).get(table, 0)
        more = documents - held
        if more >= rule.documents and more >= rule.share * held:
            summary = f"{more:,.0f} documents of {table} more than {rule.hours:g} hours ago are in quarantine"
            found.append(Condition("quarantine_growth", table, summary, more, {"table": table}))
    return found


def _sampled_before(scene: Scene, hours: float) -> Mapping[str, float] | None:
    """What each table's quarantine held then, or when it was first looked at; None before the first look."""
    begin = stamp(scene.now - timedelta(hours=hours))
    rows = scene.database.execute(
        "SELECT substr(name, 12) AS name, value FROM samples WHERE name LIKE 'quarantine:%' AND at = coalesce("
        "(SELECT max(at) FROM samples WHERE name = 'quarantine:' AND at <= ?), "
        "(SELECT min(at) FROM samples WHERE name = 'quarantine:'))",
        (begin,),
    )
    return {row["name"]: row["value"] for row in rows} if rows else None


def _sample(scene: Scene, documents: Mapping[str, int]) -> None:
    """Keep what it holds now for later, every quarter of an hour."""
    newest = scene.database.execute("SELECT max(at) AS at FROM samples WHERE name = 'quarantine:'")[0]["at"]
    if newest is not None and newest > stamp(scene.now - _SAMPLE_EVERY):
        return
    with scene.database.transaction():
        for name, value in {_SAMPLED: sum(documents.values()), **documents}.items():
            scene.database.execute(
                "INSERT OR REPLACE INTO samples VALUES (?, ?, ?)", (f"quarantine:{name}", stamp(scene.now), value)
            )


def volume_anomaly(scene: Scene, rule: VolumeAnomaly) -> Sequence[Condition]:
    """Yesterday's registrations against those of the same weekday in the weeks before."""
    if not scene.tables.have(AGG_DAILY_METRICS):
        return []
    yesterday = scene.today - timedelta(days=1)
    days = [yesterday - timedelta(weeks=week) for week in range(1, rule.weeks + 1)]
    first = scene.rows(f"SELECT min(date) AS date FROM {AGG_DAILY_METRICS.qualified}")[0]["date"]
    rows = scene.rows(
        f"SELECT date, registrations FROM {AGG_DAILY_METRICS.qualified} WHERE list_contains($days, date)",
        days=[yesterday, *days],
    )
    known = {row["date"]: row["registrations"] for row in rows}
    # Days after the first without a row are days on which nothing happened.
    usual = [known.get(day, 0) for day in days if first is not None and day >= first]
    if len(usual) < _LEAST_WEEKS or median(usual) < rule.least:
        return []
    number, expected = known.get(yesterday, 0), median(usual)
    if rule.low * expected <= number <= rule.high * expected:
        return []
    summary = f"{number:,} registrations on {yesterday:%A, %d %B}; such days usually have {expected:,.0f}"
    return [Condition("volume_anomaly", "registrations", summary, number)]
