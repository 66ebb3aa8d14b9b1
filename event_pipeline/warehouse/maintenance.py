"""Keeps the lake small: merges small files, forgets old snapshots, deletes what only they needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from filelock import FileLock

from event_pipeline.settings import Settings
from event_pipeline.warehouse.lock import LOCK_TIMEOUT_SECONDS

if TYPE_CHECKING:
    import duckdb

CATALOGS = ("lake", "warehouse")


@dataclass(frozen=True, slots=True)
class Maintained:
    """What maintenance did to a catalog: snapshots forgotten and files deleted."""

    catalog: str
    snapshots_expired: int
    files_deleted: int


def maintain(connection: duckdb.DuckDBPyConnection, settings: Settings) -> list[Maintained]:
    """Merges, expires and cleans both catalogs. Readers keep their snapshot: files are deleted a day after they expire.

    Time travel reaches back ``retention.snapshot_days``.
    """
    settings.catalog_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.catalog_dir / "write.lock", timeout=LOCK_TIMEOUT_SECONDS):
        return [_maintain(connection, catalog, settings.retention.snapshot_days) for catalog in CATALOGS]


def _maintain(connection: duckdb.DuckDBPyConnection, catalog: str, days: int) -> Maintained:
    connection.execute(f"CALL ducklake_merge_adjacent_files('{catalog}')")
    expired = connection.execute(
        f"CALL ducklake_expire_snapshots('{catalog}', older_than => now() - INTERVAL {days} DAY)"
    ).fetchall()
    deleted = connection.execute(
        f"CALL ducklake_cleanup_old_files('{catalog}', older_than => now() - INTERVAL 1 DAY)"
    ).fetchall()
    return Maintained(catalog, len(expired), len(deleted))
