"""What the lake holds, and what was emitted but may not be committed yet: the state to compare with."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from event_pipeline.sources.change import ChangeBatch, KnownVersions

REMEMBERED = 50_000
"""Changes remembered, far more than a worker takes before it commits."""


@runtime_checkable
class CountedVersions(Protocol):
    """Known versions that can be counted without listing them."""

    def count(self, collection: str) -> int:
        """How many documents of the collection are known and not deleted."""
        ...


class RecentVersions:
    """``KnownVersions`` in which every recorded batch counts as committed. For one thread."""

    def __init__(self, known: KnownVersions, limit: int = REMEMBERED) -> None:
        self._known = known
        self._limit = limit
        self._recent: OrderedDict[tuple[str, str], str] = OrderedDict()

    def record(self, batch: ChangeBatch) -> None:
        """Remembers a batch that was emitted."""
        ids, versions = batch.changes.column("document_id").to_pylist(), batch.changes.column("version").to_pylist()
        for document_id, version in zip(ids, versions, strict=True):
            place = (batch.collection, document_id)
            self._recent[place] = max(version, self._recent.pop(place, ""))
        while len(self._recent) > self._limit:
            self._recent.popitem(last=False)

    def newest(self, collection: str, document_id: str) -> str | None:
        """The newest version emitted lately, a tombstone's too; None when that is forgotten."""
        return self._recent.get((collection, document_id))

    def of_ids(self, collection: str, document_ids: Iterable[str]) -> Mapping[str, str]:
        """Latest versions of these documents; absent when unknown or deleted."""
        wanted = list(document_ids)
        recent = {key: self._recent[collection, key] for key in wanted if (collection, key) in self._recent}
        return _latest(self._known.of_ids(collection, wanted), recent)

    def in_range(self, collection: str, after: str | None = None, until: str | None = None) -> Mapping[str, str]:
        """Latest versions of documents with after < id <= until in UTF-8 byte order; None leaves that end open."""
        low = None if after is None else after.encode()
        high = None if until is None else until.encode()
        recent = {
            key: version
            for (name, key), version in self._recent.items()
            if name == collection and (low is None or key.encode() > low) and (high is None or key.encode() <= high)
        }
        return _latest(self._known.in_range(collection, after, until), recent)

    def count(self, collection: str) -> int:
        """How many documents of the collection are known and not deleted."""
        if not isinstance(self._known, CountedVersions):
            return len(self.in_range(collection))
        recent = {key: version for (name, key), version in self._recent.items() if name == collection}
        held = self._known.of_ids(collection, recent)
        return self._known.count(collection) - len(held) + len(_latest(held, recent))


def _latest(known: Mapping[str, str], recent: Mapping[str, str]) -> Mapping[str, str]:
    if not recent:
        return known
    latest = dict(known)
    for key, version in recent.items():
        latest[key] = max(version, latest.get(key, ""))
        if latest[key].endswith("-gone"):
            del latest[key]
    return latest
