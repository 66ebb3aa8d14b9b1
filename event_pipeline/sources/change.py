"""The ``Change`` record: one observed version of one document, whatever it was read from.

``version`` is sortable text: seventeen digits of microseconds since 1970 of the instant the source vouches for, a dash,
and sixteen hex digits of the payload's hash (``gone`` for a tombstone, which sorts after any hash). The greatest
version of a document is its latest state, in whatever order changes arrive; (source, collection, document_id, version)
is the idempotency key. Where the source's time has nanoseconds beyond the microsecond, ``g``, three digits of them and
twelve hex digits stand for the hash: such a state sorts after those of the whole microsecond, by its nanoseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

import pyarrow as pa

Operation = Literal["upsert", "delete"]

CHANGE_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("collection", pa.string()),
        ("document_id", pa.string()),
        ("operation", pa.string()),
        ("payload", pa.string()),
        ("source_updated_at", pa.timestamp("us", tz="UTC")),
        ("observed_at", pa.timestamp("us", tz="UTC")),
        ("version", pa.string()),
    ]
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_micros(instant: datetime) -> int:
    """Microseconds since 1970 of an aware datetime, exact (floats of ``timestamp()`` are not)."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def payload_hash(payload: str) -> str:
    """Sixteen hex digits that name a payload's content; the same as DuckDB's ``left(md5(payload), 16)``."""
    return hashlib.md5(payload.encode(), usedforsecurity=False).hexdigest()[:16]


def version_of(instant: datetime, payload: str | None) -> str:
    """The sortable version of a state that was true at ``instant``; ``payload`` None means deleted."""
    return f"{epoch_micros(instant):017d}-{'gone' if payload is None else payload_hash(payload)}"


@dataclass(frozen=True, slots=True)
class Change:
    """One version of one document. ``payload`` is JSON text, None exactly when ``operation`` is delete.

    ``source_updated_at`` is set only where the source itself vouches for it (Firestore's update time), never from a
    field that the app's client wrote.
    """

    source: str
    collection: str
    document_id: str
    operation: Operation
    payload: str | None
    source_updated_at: datetime | None
    observed_at: datetime
    version: str

    @classmethod
    def upsert(
        cls, source: str, collection: str, document_id: str, payload: str,
        observed_at: datetime, source_updated_at: datetime | None = None,
    ) -> Change:  # fmt: skip
        """A document as it was seen, versioned by the source's own time where it has one."""
        version = version_of(source_updated_at or observed_at, payload)
        return cls(source, collection, document_id, "upsert", payload, source_updated_at, observed_at, version)

    @classmethod
    def delete(cls, source: str, collection: str, document_id: str, observed_at: datetime) -> Change:
        """A tombstone: the source no longer had the document at ``observed_at``."""
        version = version_of(observed_at, None)
        return cls(source, collection, document_id, "delete", None, None, observed_at, version)


@dataclass(frozen=True, slots=True)
class ChangeBatch:
    """Changes of one collection and the cursors that cover them: both commit in one transaction, or neither.

    ``cursors`` maps a cursor name (unique within the source) to JSON-able state; empty when nothing advanced.
    """

    source: str
    collection: str
    changes: pa.Table
    cursors: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        source: str,
        collection: str,
        changes: Sequence[Change],
        cursors: Mapping[str, object] | None = None,
    ) -> ChangeBatch:
        """A batch from Python records; sources that read columns build the Arrow table themselves."""
        columns = [[getattr(change, name) for change in changes] for name in CHANGE_SCHEMA.names]
        table = pa.table(
            [pa.array(values, type=f.type) for values, f in zip(columns, CHANGE_SCHEMA, strict=True)],
            schema=CHANGE_SCHEMA,
        )
        return cls(source, collection, table, cursors or {})


class KnownVersions(Protocol):
    """What the lake already holds of a source: the latest version of each document that is not deleted."""

    def of_ids(self, collection: str, document_ids: Iterable[str]) -> Mapping[str, str]:
        """Latest versions of these documents; absent when unknown or deleted."""
        ...

    def in_range(self, collection: str, after: str | None = None, until: str | None = None) -> Mapping[str, str]:
        """Latest versions of documents with after < id <= until in UTF-8 byte order; None leaves that end open."""
        ...


class NothingKnown:
    """An empty lake, for a first load and for tests."""

    def of_ids(self, collection: str, document_ids: Iterable[str]) -> Mapping[str, str]:
        """Nothing is known."""
        return {}

    def in_range(self, collection: str, after: str | None = None, until: str | None = None) -> Mapping[str, str]:
        """Nothing is known."""
        return {}


def drop_unchanged(changes: Sequence[Change], known: KnownVersions) -> list[Change]:
    """Only the changes whose content differs from the latest known; for sources without a trustworthy update time.

    Such a source re-reads documents it has seen; without this each read of an unchanged document would be a version.
    """
    if not changes:
        return []
    latest = known.of_ids(changes[0].collection, [change.document_id for change in changes])
    kept = []
    for change in changes:
        before = latest.get(change.document_id)
        same = (
            before is None
            if change.operation == "delete"
            else before is not None and before[18:] == change.version[18:]
        )
        if not same:
            kept.append(change)
    return kept


def later_than_known(changes: Sequence[Change], known: KnownVersions) -> list[Change]:
    """The changes, each seen after the version it replaces, which would mask it where this machine's clock went back.

    For sources whose changes are as old as the look at them.
    """
    if not changes:
        return []
    latest = known.of_ids(changes[0].collection, [change.document_id for change in changes])
    return [later_than(latest.get(change.document_id, ""), change) for change in changes]


def later_than(version: str, change: Change) -> Change:
    """The change, seen after that version; as it is where it was anyway, or the version is empty."""
    micros = epoch_micros(change.observed_at)
    if not version or int(version[:17]) < micros:
        return change
    seen_at = change.observed_at + timedelta(microseconds=int(version[:17]) + 1 - micros)
    if change.payload is None:
        return Change.delete(change.source, change.collection, change.document_id, seen_at)
    return Change.upsert(change.source, change.collection, change.document_id, change.payload, seen_at)
