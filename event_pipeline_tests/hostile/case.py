"""What a hostile case is, and how its text is written. ``@case@`` in it stands for the case's marker."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from event_pipeline_tests.warehouse.documents import registration

Door = Literal["tree", "line", "inbox", "change"]
Outcome = Literal["kept", "rejected", "unreadable"]
MARKER = "@case@"
MEGABYTE = "x" * 1_000_000
NOT_AN_OBJECT = "(document).not_an_object"


@dataclass(frozen=True)
class Case:
    """One hostile document. ``text`` is what stands in the file; for the door ``change`` it is a Python value."""

    name: str
    door: Door
    text: Any
    outcome: Outcome
    rule: str | None = None
    collection: str = "registrations"


def marked(document: dict[str, Any]) -> str:
    """The document with its marker, as JSON text."""
    return json.dumps({**document, "case": MARKER}, ensure_ascii=False)


def line(document: object = None, **more: Any) -> str:
    """A line of an export: the document, a registration when None, and other fields beside it."""
    data = {**registration(), "case": MARKER} if document is None else document
    fields = {"collection": "registrations", "id": MARKER, "data": data}
    return json.dumps({**fields, **more}, ensure_ascii=False)


def raw(more: str) -> str:
    """A registration with more JSON text before its last brace."""
    return marked(registration())[:-1] + more + "}"


ORDINARY = marked(registration())
