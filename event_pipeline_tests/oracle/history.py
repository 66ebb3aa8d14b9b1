"""What is told to the product, and what the oracle is told that it means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from event_pipeline.sources.change import Change
from event_pipeline_tests.oracle.documents import Document
from event_pipeline_tests.warehouse.documents import changed


@dataclass(frozen=True)
class Told:
    """One change and the versions of documents that it means.

    Most changes mean the version that they hold. A total of a sheet or a provider's retry means nothing new; ``change``
    is None where the product said nothing of what should have been one. What has one ``story`` is told whole or not at
    all: a refund says nothing without its payment.
    """

    change: Change | None
    meant: tuple[Document, ...]
    story: str | None = None


History = list[Told]
"""What is told, in no order that means anything."""


@dataclass(frozen=True)
class Names:
    """Ids and addresses of one history, so that several stand in one warehouse without touching each other."""

    number: int

    def id(self, name: str) -> str:
        """The history's own form of an id."""
        return f"{name}.{self.number}"

    def email(self, person: str) -> str:
        """The person's address."""
        return f"{person}@h{self.number}.example.org"


def document_of(change: Change) -> Document:
    """The version that a change holds."""
    return Document(change.source, change.collection, change.document_id, change.version, change.payload)


def told(change: Change, story: str | None = None) -> Told:
    """A change that means what it holds."""
    return Told(change, (document_of(change),), story)


def told_document(collection: str, document_id: str, content: Any, *, after: float = 0) -> Told:
    """A document of the app, or its delete where the content is None, as it was seen."""
    return told(changed(collection, document_id, content, after=after))


def meant(parts: Sequence[History]) -> list[Document]:
    """All versions that these parts mean."""
    return [document for part in parts for found in part for document in found.meant]


def changes(part: History) -> list[Change]:
    """What the product is told of a part."""
    return [found.change for found in part if found.change is not None]
