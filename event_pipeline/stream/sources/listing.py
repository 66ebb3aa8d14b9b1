"""Which documents a complete listing named, kept small enough for millions, and which known ones it lacks."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator

import numpy as np

from event_pipeline.sources.change import KnownVersions

HELD = 50_000
"""Up to so many documents a listing keeps ids and update times; beyond it eight bytes of each id's hash."""

_SAMPLED = 20_000
"""One id in so many is kept as text, to ask the lake for stretches of about this many."""


class Listing:
    """The ids that were listed so far. ``versions`` maps them to microseconds since 1970, None when they are too many.

    Two ids with one hash would hide a delete until the next reconciliation; among ten million that is one in 100,000.
    """

    def __init__(self, limit: int = HELD, sampled: int = _SAMPLED) -> None:
        self.versions: dict[str, int] | None = {}
        self._limit = limit
        self._sampled = sampled
        self._hashes = array("Q")
        self._samples: list[str] = []

    def add(self, document_id: str, micros: int) -> None:
        """Note a document that exists; naming one twice does no harm."""
        if self.versions is not None:
            self.versions[document_id] = micros
            if len(self.versions) <= self._limit:
                return
            for held in self.versions:
                self._keep_hash(held)
            self.versions = None
            return
        self._keep_hash(document_id)

    def discard(self, document_id: str) -> None:
        """Note that a document listed before is gone; beyond the limit its tombstone must speak for itself."""
        if self.versions is not None:
            self.versions.pop(document_id, None)

    def missing(self, known: KnownVersions, collection: str) -> Iterator[str]:
        """Known ids that were not listed, asking for one stretch of ids at a time."""
        if self.versions is not None:
            yield from [key for key in known.in_range(collection) if key not in self.versions]
            return
        hashes = np.unique(np.frombuffer(self._hashes, dtype=np.uint64))
        after: str | None = None
        for until in [*sorted(self._samples, key=str.encode), None]:
            held = list(known.in_range(collection, after, until))
            asked = np.array([_hash(key) for key in held], dtype=np.uint64)
            absent = ~np.isin(asked, hashes)
            yield from [key for key, is_absent in zip(held, absent, strict=True) if is_absent]
            after = until

    def _keep_hash(self, document_id: str) -> None:
        value = _hash(document_id)
        self._hashes.append(value)
        if value % self._sampled == 0:
            self._samples.append(document_id)


def _hash(document_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(document_id.encode(), digest_size=8).digest(), "little")
