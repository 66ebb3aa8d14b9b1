"""Loads hostile documents the way real ones come in, and says what became of each.

Each document carries a marker, ``case-<number>``, in a field of its own: however it is read, garbled or wrapped on its
way, its raw text still holds it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.raw import RAW_TABLES
from event_pipeline.warehouse.ingest import ingest_exports, ingest_inbox
from event_pipeline_tests.warehouse import documents
from event_pipeline_tests.warehouse.pipelines import PARSED, Pipeline, Row

WRITTEN = datetime(2025, 6, 20, tzinfo=UTC).timestamp()
VALUE = "@value@"
"""Stands in a document where a value's JSON text is to be put."""

DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {
    "clubs": documents.club,
    "categories": lambda: {"name": "Technical", "color": "#ff0000", "created_at": "2025-01-01T00:00:00Z"},
    "events": documents.event,
    "registrations": lambda: documents.registration(additional_info={"department": "CSE", "year": "3"}),
    "tags": lambda: {"name": "robots", "color": "#111111"},
    "event_tags": lambda: {"event_id": "e1", "tag_id": "t1"},
    "club_requests": documents.club_request,
    "event_live_updates": documents.live_update,
    "event_chat": documents.chat_message,
    "scans": lambda: documents.scan(documents.qr_code("r1")),
    "email_events": lambda: documents.email_event("r1"),
    "payment_events": lambda: documents.payment_event("r1"),
    "sheet_rows": lambda: documents.sheet_row("asha", registration_status="registered", notes="none"),
}
"""An ordinary document of each collection."""


@dataclass(frozen=True)
class Fate:
    """What became of one document. ``rules`` are those it broke."""

    table: str
    document_id: str
    times_staged: int
    is_rejected: bool
    rules: frozenset[str]
    row: Row | None = field(compare=False)

    @property
    def is_kept_once(self) -> bool:
        """It is in its table or in quarantine, not in both and not twice."""
        return self.times_staged + self.is_rejected == 1


@dataclass
class Markers:
    """Hands out markers."""

    given: int = 0

    def next(self) -> str:
        """A marker nobody has."""
        self.given += 1
        return f"case-{self.given:06d}"


@dataclass
class Drop:
    """Files to be dropped: contents by name, of exports and of the inbox."""

    exports: dict[str, bytes] = field(default_factory=dict)
    inbox: dict[str, bytes] = field(default_factory=dict)


def with_value(document: Mapping[str, Any], path: str, text: str, marker: str) -> str:
    """The document as JSON text with that value at the path (dots between names), and its marker."""
    whole: dict[str, Any] = json.loads(json.dumps(document))
    *parents, name = path.split(".")
    holder = whole
    for parent in parents:
        holder = holder.setdefault(parent, {})
    holder[name] = VALUE
    return json.dumps({**whole, "case": marker}, ensure_ascii=False).replace(f'"{VALUE}"', text)


def load(pipeline: Pipeline, drop: Drop) -> list[str]:
    """Drops the files and loads them, all of them at one instant; returns the failures."""
    for folder, files in ((pipeline.settings.exports_dir, drop.exports), (pipeline.settings.inbox_dir, drop.inbox)):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            _write(folder / name, content)
    failures = ingest_exports(pipeline.lake, pipeline.settings).failures
    return failures + ingest_inbox(pipeline.lake, pipeline.settings).failures


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    os.utime(path, (WRITTEN, WRITTEN))


def fates(pipeline: Pipeline) -> dict[str, list[Fate]]:
    """What became of every document that the raw tables hold, by marker; each has one fate in each table it is in."""
    found: dict[str, list[Fate]] = {}
    for collection, raw in RAW_TABLES.items():
        contract = PARSED[collection].contract
        staged = _by_key(pipeline.rows(contract.name), contract)
        broken, rejected = pipeline.quarantined(collection), pipeline.rejected(collection)
        stored = pipeline.connection.execute(f"SELECT document_id, payload FROM {raw.qualified}").fetchall()
        for document_id, payload in stored:
            rows = staged.get(document_id, [])
            fate = Fate(
                collection, document_id, len(rows), document_id in rejected,
                frozenset(broken.get(document_id, ())), rows[0] if rows else None,
            )  # fmt: skip
            for marker in set(re.findall(r"case-\d{6}", f"{document_id} {payload}")):
                found.setdefault(marker, []).append(fate)
    return found


def _by_key(rows: list[Row], contract: Contract) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[contract.key[0]], []).append(row)
    return found
