"""Reconciliation with the Realtime Database: documents that sweeps miss, and deletes.

Deletes are found by the keys alone (a shallow read of the whole node, about 25 MB for a million push ids), everything
else by reading the documents page by page and comparing their content with the lake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from event_pipeline.sources.change import Change, ChangeBatch, KnownVersions, later_than_known
from event_pipeline.sources.firebase_pace import Pace
from event_pipeline.sources.realtime_database_reader import NAME, RealtimeDatabaseReader


def reconcile_realtime_database(
    reader: RealtimeDatabaseReader, collection: str, known: KnownVersions, pace: Pace, now: Callable[[], datetime]
) -> Iterator[ChangeBatch]:
    """Batches of what the lake misses, tombstones included; they carry no cursor."""
    yield from _deletes(reader, collection, known, now)
    for leaf in reader.leaves(collection):
        after: str | None = None
        is_last = False
        while not is_last:
            page = reader.page_by_key(collection, leaf, after)
            after, is_last = page.last_key, page.is_last
            pace.spend(len(page.changes))
            yield from _batches(collection, reader.news(page.changes, known) if page.changes else [])


def _deletes(
    reader: RealtimeDatabaseReader, collection: str, known: KnownVersions, now: Callable[[], datetime]
) -> Iterator[ChangeBatch]:
    missing = _missing(_listed(reader, collection), reader.page_size, collection, known)
    if not missing:
        return
    # One odd answer must not delete anything, so a document is gone when two listings in a row lack it.
    observed_at = now()
    listed = _listed(reader, collection)
    gone = [key for key in missing if key not in listed]
    for start in range(0, len(gone), reader.page_size):
        part = gone[start : start + reader.page_size]
        deletes = [Change.delete(NAME, collection, key, observed_at) for key in part]
        yield from _batches(collection, later_than_known(deletes, known))


def _listed(reader: RealtimeDatabaseReader, collection: str) -> set[str]:
    return {leaf.document_id(key) for leaf in reader.leaves(collection) for key in reader.keys(leaf.node)}


def _missing(listed: set[str], page_size: int, collection: str, known: KnownVersions) -> list[str]:
    """Ids that the lake holds and the listing lacks, asking the lake for one stretch of ids at a time."""
    ordered = sorted(listed)
    ends: list[str | None] = [*ordered[page_size - 1 :: page_size], None]
    missing: list[str] = []
    after: str | None = None
    for until in ends:
        missing += [key for key in known.in_range(collection, after, until) if key not in listed]
        after = until
    return missing


def _batches(collection: str, changes: Sequence[Change]) -> Iterator[ChangeBatch]:
    if changes:
        yield ChangeBatch.of(NAME, collection, changes)
