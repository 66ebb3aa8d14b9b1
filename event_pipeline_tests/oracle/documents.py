"""Documents as the lake keeps them: every version of each, and the state that counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from event_pipeline_tests.oracle import values

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Document:
    """One version of one document; ``payload`` is its JSON text, None where it was deleted.

    ``version`` is sortable text that begins with seventeen digits, microseconds since 1970.
    """

    source: str
    collection: str
    document_id: str
    version: str
    payload: str | None

    @cached_property
    def content(self) -> Any:
        """The payload's content; None for a delete."""
        return None if self.payload is None else json.loads(self.payload)

    @property
    def version_at(self) -> datetime:
        """The instant the version is vouched for, to the millisecond."""
        return _EPOCH + timedelta(milliseconds=int(self.version[:17]) // 1000)


class Documents:
    """All versions that arrived, in whatever order and however often."""

    def __init__(self, arrived: Iterable[Document]) -> None:
        self._versions: dict[str, dict[str, dict[tuple[str, str], Document]]] = {}
        for document in arrived:
            versions = self._versions.setdefault(document.collection, {}).setdefault(document.document_id, {})
            versions[document.version, document.source] = document

    def history(self, collection: str) -> Mapping[str, list[Document]]:
        """Versions by document id, the oldest first."""
        found = self._versions.get(collection, {})
        return {key: [versions[order] for order in sorted(versions)] for key, versions in found.items()}

    def latest(self, collection: str) -> Mapping[str, Document]:
        """The greatest version of each document that is not deleted; of equal versions the last source by name."""
        newest = {key: versions[-1] for key, versions in self.history(collection).items()}
        return {key: document for key, document in newest.items() if document.payload is not None}


def last_run(versions: Sequence[Document], path: str, words: Iterable[str]) -> list[Document]:
    """The versions with which the document ends that all say one of these words; at least the last one."""
    found = [versions[-1]]
    for version in reversed(versions[:-1]):
        text = values.at_path(version.content, path)
        if text is None or text.strip().lower() not in words:
            break
        found.insert(0, version)
    return found
