"""The rows of one export file, of whatever kind it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from event_pipeline.errors import PermanentError
from event_pipeline.sources.change_columns import UNREADABLE, ColumnEngine, change_rows
from event_pipeline.sources.document_block import DocumentBlock
from event_pipeline.sources.documents import encode_document, wrap_garbled
from event_pipeline.sources.export_lines import DocumentLines
from event_pipeline.sources.export_notes import ExportNotes
from event_pipeline.sources.export_path import path_of_file, place_of
from event_pipeline.sources.export_shape import RECORDS, HeadedStream, Shape, refuse_binary, shape_of
from event_pipeline.sources.firebase_cursor import NESTED_COLLECTIONS
from event_pipeline.sources.firestore_values import untagged
from event_pipeline.sources.json_tree import VALUE_ID, split_tree
from event_pipeline.sources.text_blocks import ByteStream, LineBlock, line_blocks

Rows = tuple[pa.Table, npt.NDArray[np.bool_] | None]
"""Rows for ``ColumnEngine.changes`` of one collection, and which of their payloads are nested too deeply."""


class ExportReading:
    """Reads one file; ``path`` is where in the database it belongs, None when the file itself says it.

    ``follows`` is asked of each collection with how many documents are at hand; those of others are not taken.
    ``label`` is what unreadable lines are named by.
    """

    def __init__(
        self,
        engine: ColumnEngine,
        name: str,
        observed_us: int,
        path: str | None,
        follows: Callable[[str, int], bool],
        label: str,
    ) -> None:
        self._engine, self._name, self._observed_us, self._path = engine, name, observed_us, path
        self._follows = follows
        self.notes = ExportNotes()
        self.replaced = 0
        """Documents that held invalid bytes, which were replaced."""
        self.plain_values: list[str] = []
        """The first entries at the top of the file that are values and no collections."""
        collection = (path or path_of_file(name) or "").split("/")[0] or None
        self._documents = DocumentLines(engine, observed_us, collection, self.notes, label)

    def read(self, stream: ByteStream, *, is_tree: bool) -> Iterator[Rows]:
        """The rows of followed collections. Raises PermanentError, after every whole document, where it must stop."""
        headed = HeadedStream.of(stream)
        refuse_binary(headed.head, self._name)
        shape = shape_of(headed.head, self._name, self._path) if is_tree else Shape("lines")
        if shape.kind in ("lines", "records") and "/" in (self._path or ""):
            raise PermanentError(f"{self._name} holds records, which name their documents: load it without a path")
        if shape.kind == "lines":
            for block in line_blocks(headed, self._name):
                self.replaced += block.replaced
                yield from self._lines(block)
            return
        nested = NESTED_COLLECTIONS if shape.kind == "tree" else ()
        blocks = split_tree(
            headed.shaped(shape),
            self._name,
            nested=nested,
            starts_at=shape.skipped - len(shape.before),
            is_inner=shape.is_inner,
        )
        read = {"tree": self._tree, "firestore_tree": self._firestore_tree, "records": self._records}[shape.kind]
        yield from read(blocks)

    def _lines(self, block: LineBlock) -> Iterator[Rows]:
        for rows in self._documents.read(block):
            if rows.num_rows and self._follows(rows.column("collection")[0].as_py(), rows.num_rows):
                yield rows, None

    def _tree(self, blocks: Iterator[DocumentBlock]) -> Iterator[Rows]:
        for block in blocks:
            if block.document_ids == [VALUE_ID] and len(self.plain_values) < 3:
                self.plain_values.append(block.collection)
            if self._follows(block.collection, len(block.document_ids)):
                self.replaced += block.replaced
                yield self._rows(block.collection, block.document_ids, block.payloads), block.too_deep

    def _records(self, blocks: Iterator[DocumentBlock]) -> Iterator[Rows]:
        """The entries of a list, each read as a line is; a list that begins with no documents is refused."""
        number = 1
        for block in blocks:
            if block.collection != RECORDS or block.document_ids == [VALUE_ID]:
                continue
            entries = LineBlock(number, block.payloads, block.too_deep, block.replaced)
            found = list(self._lines(entries))
            if number == 1 and {rows.column("collection")[0].as_py() for rows, _ in found} == {UNREADABLE}:
                raise PermanentError(
                    f"{self._name} is a list whose entries are no documents: expected documents of Firestore's REST "
                    "interface, rows of the BigQuery extension's changelog, or entries with collection, id and data"
                )
            self.replaced += block.replaced
            number += len(block.document_ids)
            yield from found

    def _firestore_tree(self, blocks: Iterator[DocumentBlock]) -> Iterator[Rows]:
        """Documents whose subcollections lie in them as ``__collections__``."""
        for block in blocks:
            self.replaced += block.replaced
            found: dict[str, tuple[list[str], list[str]]] = {}
            for key, text, deep in zip(block.document_ids, block.payloads.to_pylist(), block.too_deep, strict=True):
                for collection, document_id, payload in _documents_in([block.collection, key], text, bool(deep)):
                    ids, payloads = found.setdefault(collection, ([], []))
                    ids.append(document_id)
                    payloads.append(payload)
            for collection, (ids, payloads) in found.items():
                if self._follows(collection, len(ids)):
                    yield self._rows(collection, ids, pa.array(payloads, pa.large_string())), None

    def _rows(self, collection: str, document_ids: list[str], payloads: pa.Array) -> pa.Table:
        return change_rows(collection, document_ids, payloads, self._observed_us)


def _documents_in(parts: list[str], text: str, is_deep: bool) -> Iterator[tuple[str, str, str]]:
    try:
        document = None if is_deep else orjson.loads(text)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, dict):
        yield from _with_subcollections(parts, document)
    else:
        yield "/".join(parts[:-1]), parts[-1], wrap_garbled(text) if document is None else text


def _with_subcollections(parts: list[str], document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Collection, id and JSON text of the document and of those below it."""
    below = document.pop("__collections__", None)
    place = place_of(parts)
    # A document that only holds others has no fields of its own; the event of a chat is in its own collection.
    if place is not None and (document or not place[0].endswith("/")):
        yield *place, encode_document(untagged(document))
    for collection, documents in below.items() if isinstance(below, dict) else ():
        for key, held in documents.items() if isinstance(documents, dict) else ():
            if isinstance(held, dict):
                yield from _with_subcollections([*parts, collection, key], held)
