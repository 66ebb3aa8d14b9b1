"""A lake in memory: keeps the greatest version of each document and the cursors, as the real one does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from event_pipeline.sources.change import ChangeBatch, KnownVersions


class Source(Protocol):
    """What can be polled and reconciled."""

    def poll(
        self, collection: str, cursor: Mapping[str, object] | None, known: KnownVersions
    ) -> Iterable[ChangeBatch]: ...

    def reconcile(self, collection: str, known: KnownVersions) -> Iterable[ChangeBatch]: ...


class MemoryLake:
    """A ``KnownVersions`` that batches are committed to."""

    def __init__(self) -> None:
        self.cursors: dict[str, Any] = {}
        self.latest: dict[tuple[str, str], dict[str, Any]] = {}

    def of_ids(self, collection: str, document_ids: Iterable[str]) -> Mapping[str, str]:
        held = self.in_range(collection)
        return {key: held[key] for key in document_ids if key in held}

    def in_range(self, collection: str, after: str | None = None, until: str | None = None) -> Mapping[str, str]:
        return {
            key: row["version"]
            for (name, key), row in self.latest.items()
            if name == collection
            and row["operation"] == "upsert"
            and (after is None or key.encode() > after.encode())
            and (until is None or key.encode() <= until.encode())
        }

    def commit(self, batch: ChangeBatch) -> list[dict[str, Any]]:
        """Keep a batch; returns its changes."""
        rows = batch.changes.to_pylist()
        for row in rows:
            place = (row["collection"], row["document_id"])
            if place not in self.latest or row["version"] > self.latest[place]["version"]:
                self.latest[place] = row
        self.cursors.update(batch.cursors)
        return rows

    def poll(self, source: Source, collection: str, batches: int | None = None) -> list[dict[str, Any]]:
        """Poll from the stored cursor, stopping after so many batches; returns the changes."""
        changes = []
        for count, batch in enumerate(source.poll(collection, self.cursors.get(collection), self), start=1):
            changes += self.commit(batch)
            if count == batches:
                break
        return changes

    def reconcile(self, source: Source, collection: str) -> list[dict[str, Any]]:
        """Reconcile; returns the changes."""
        return [row for batch in source.reconcile(collection, self) for row in self.commit(batch)]

    def ids(self, collection: str) -> list[str]:
        """Ids of the documents that are not deleted, sorted."""
        return sorted(self.in_range(collection))

    def payload(self, collection: str, document_id: str) -> str:
        """Latest payload of a document."""
        return self.latest[collection, document_id]["payload"]


def ids_of(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Document ids of changes, sorted."""
    return sorted(change["document_id"] for change in changes)
