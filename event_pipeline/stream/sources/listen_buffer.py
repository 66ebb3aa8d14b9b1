"""What a Listen stream said since its last consistent point: the newest state of each document, and what is unsure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from event_pipeline.sources.change import Change
from event_pipeline.sources.documents import encode_document
from event_pipeline.sources.firestore_reader import NAME

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros_of(timestamp: Any) -> int:
    """Microseconds since 1970 of a protobuf timestamp; 0 when it is not set."""
    return timestamp.seconds * 1_000_000 + timestamp.nanos // 1000


def instant_of(micros: int) -> datetime:
    """The datetime of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=micros)


@dataclass
class ListenBuffer:
    """Changes by document id, the greatest version of each; ``unsure`` are ids that left the target unexplained."""

    changes: dict[str, Change] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    size: int = 0

    def upsert(self, collection: str, document_id: str, document: Any, client: Any, observed_at: datetime) -> None:
        """A document's new state, a protobuf; decoded as the SDK does, so that its version is the polling source's."""
        from google.cloud.firestore_v1 import _helpers

        decoded: Mapping[str, Any] = _helpers.decode_dict(document.fields, client)
        updated_at = instant_of(micros_of(document.update_time))
        self.add(
            Change.upsert(NAME, collection, document_id, encode_document(decoded), observed_at, updated_at),
        )

    def delete(self, collection: str, document_id: str, read_at: datetime) -> None:
        """A tombstone: the database had no such document at ``read_at``, by its own clock."""
        self.add(Change.delete(NAME, collection, document_id, read_at))

    def add(self, change: Change) -> None:
        """Keep a change unless a newer one of its document is there."""
        before = self.changes.get(change.document_id)
        if before is None or before.version < change.version:
            self.changes[change.document_id] = change
            self.size += len(change.payload or "") - (len(before.payload or "") if before else 0)
        self.unsure.discard(change.document_id)

    def clear(self) -> None:
        """Forget everything."""
        self.changes.clear()
        self.unsure.clear()
        self.size = 0
