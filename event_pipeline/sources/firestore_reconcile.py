"""Reconciliation with Cloud Firestore: missed updates, documents without a time field, and deletes.

Walks ids and update times without payload, compares them with the lake range by range, and fetches only what is newer
or unknown. Billed one read a document, hence paced; holds one page (for nested collections: one event's ids) at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from event_pipeline.sources.change import Change, ChangeBatch, KnownVersions
from event_pipeline.sources.firebase_cursor import NESTED_COLLECTIONS
from event_pipeline.sources.firebase_pace import Pace
from event_pipeline.sources.firebase_poll import Leaf
from event_pipeline.sources.firestore_reader import NAME, FirestoreReader


@dataclass(frozen=True, slots=True)
class _KeyPage:
    """Keys and update times of one leaf. ``closes``: every id up to ``until`` (None: the end) has now been listed."""

    leaf: Leaf | None
    keys: Mapping[str, int]
    closes: bool
    until: str | None = None


def reconcile_firestore(
    reader: FirestoreReader, collection: str, known: KnownVersions, pace: Pace
) -> Iterator[ChangeBatch]:
    """Batches of what the lake misses, tombstones included; they carry no cursor."""
    listed: set[str] = set()
    after: str | None = None
    pages = _nested_pages(reader, collection) if collection in NESTED_COLLECTIONS else _flat_pages(reader, collection)
    for page in pages:
        pace.spend(len(page.keys))
        ids = {page.leaf.document_id(key): key for key in page.keys} if page.leaf else {}
        listed.update(ids)
        held = known.in_range(collection, after, page.until) if page.closes else {}
        if page.leaf:
            wanted = _newer_or_unknown(ids, page.keys, held, collection, known)
            for changes in reader.documents(collection, page.leaf, wanted):
                pace.spend(len(changes))
                yield from _batches(collection, changes)
        if page.closes:
            yield from _tombstones(reader, collection, [key for key in held if key not in listed], pace)
            after, listed = page.until, set()


def _flat_pages(reader: FirestoreReader, collection: str) -> Iterator[_KeyPage]:
    (leaf,) = reader.leaves(collection)
    after: str | None = None
    is_last = False
    while not is_last:
        keys = reader.keys(collection, leaf, after)
        is_last = len(keys) < reader.page_size
        after = None if is_last else list(keys)[-1]
        yield _KeyPage(leaf, keys, closes=True, until=after)


def _nested_pages(reader: FirestoreReader, collection: str) -> Iterator[_KeyPage]:
    # Ascending by "parent/", which is how the ids sort in the lake; "0" is the character after "/".
    for parent in sorted(reader.parents(collection), key=lambda name: f"{name}/"):
        for leaf in reader.leaves_of(collection, parent):
            after: str | None = None
            is_last = False
            while not is_last:
                keys = reader.keys(collection, leaf, after)
                is_last = len(keys) < reader.page_size
                after = None if is_last else list(keys)[-1]
                yield _KeyPage(leaf, keys, closes=False)
        yield _KeyPage(None, {}, closes=True, until=f"{parent}0")
    yield _KeyPage(None, {}, closes=True)


def _newer_or_unknown(
    ids: Mapping[str, str], micros: Mapping[str, int], held: Mapping[str, str], collection: str, known: KnownVersions
) -> list[str]:
    elsewhere = [document_id for document_id in ids if document_id not in held]
    versions = {**held, **(known.of_ids(collection, elsewhere) if elsewhere else {})}
    return [
        key
        for document_id, key in ids.items()
        if document_id not in versions or micros[key] > int(versions[document_id][:17])
    ]


def _tombstones(reader: FirestoreReader, collection: str, missing: Sequence[str], pace: Pace) -> Iterator[ChangeBatch]:
    """A document counts as deleted only when the database, asked for it by id, says that it has none."""
    for start in range(0, len(missing), reader.page_size):
        part = missing[start : start + reader.page_size]
        pace.spend(len(part))
        gone = reader.read_time_if_gone(collection, part)
        yield from _batches(collection, [Change.delete(NAME, collection, key, read) for key, read in gone.items()])


def _batches(collection: str, changes: Sequence[Change]) -> Iterator[ChangeBatch]:
    if changes:
        yield ChangeBatch.of(NAME, collection, changes)
