"""One JSON record of a tool that people export Firestore with, as the documents that it holds.

Recognised are documents of Firestore's REST interface (``{"name", "fields", "createTime", "updateTime"}``) by
themselves, as pages (``{"documents": [...]}``) and as results of queries, of batchGet and of listening, and rows of the
changelog that the extension *Stream Firestore to BigQuery* keeps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from event_pipeline.sources.documents import encode_document
from event_pipeline.sources.export_path import place_of
from event_pipeline.sources.firestore_values import (
    NoFirestoreValueError,
    path_below_root,
    plain_fields,
    untagged,
)

_NO_ZONE = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+")
_CHANGES = {"CREATE": "upsert", "UPDATE": "upsert", "IMPORT": "upsert", "DELETE": "delete"}
_RESULT = {"document", "found", "missing", "readTime", "transaction", "done", "skippedResults", "explainMetrics"}
MARKS = (
    '"fields"', '"document_name"', '"documents"', '"readTime"', '"updateTime"', '"documentChange"', '"documentDelete"',
)  # fmt: skip
"""A record that holds none of these is none of them."""


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A state of a document: its JSON text, None when it is gone, and the update time as it was written."""

    collection: str
    document_id: str
    payload: str | None
    written: str | None

    @property
    def operation(self) -> str:
        """``upsert`` or ``delete``."""
        return "delete" if self.payload is None else "upsert"


class NotReadableError(ValueError):
    """A record of a kind that is known, with something missing or wrong in it."""


def is_known_record(record: object) -> bool:
    """Whether the record is of one of these kinds, readable or not."""
    if not isinstance(record, dict):
        return False
    if "document_name" in record and "operation" in record:
        return True
    if isinstance(record.get("documents"), list):
        return all(isinstance(item, dict) and _is_document(item) for item in record["documents"])
    kinds = ("document", "found")
    return (
        _is_document(record)
        or ("readTime" in record and record.keys() <= _RESULT)
        or any(isinstance(record.get(kind), dict) and _is_document(record[kind]) for kind in kinds)
        or (bool(record) and record.keys() <= {"documentChange", "documentDelete", "targetChange"})
    )


def documents_of(record: Mapping[str, Any]) -> list[FoundDocument]:
    """The documents of a record that ``is_known_record``. Raises NotReadableError."""
    try:
        return list(_documents_of(record))
    except (NoFirestoreValueError, AttributeError) as error:
        raise NotReadableError(str(error)) from None


def _is_document(record: Mapping[str, Any]) -> bool:
    name = record.get("name")
    is_named = isinstance(name, str) and name.startswith("projects/")
    return is_named and record.keys() <= {"name", "fields", "createTime", "updateTime"}


def _documents_of(record: Mapping[str, Any]) -> Iterator[FoundDocument]:
    if "document_name" in record:
        yield _changed(record)
    elif _is_document(record):
        yield from _document(record)
    elif "documents" in record:
        for document in record["documents"]:
            yield from _document(document)
    elif "documentChange" in record:
        yield from _document(record["documentChange"]["document"])
    elif "documentDelete" in record:
        yield _gone(record["documentDelete"].get("document"), record["documentDelete"].get("readTime"))
    elif "missing" in record:
        yield _gone(record["missing"], record.get("readTime"))
    elif isinstance(found := record.get("document") or record.get("found"), dict):
        yield from _document(found)


def _document(record: Mapping[str, Any]) -> Iterator[FoundDocument]:
    """None for a document that only exists because others lie below it: it has neither times nor fields."""
    fields = record.get("fields")
    if fields is None and "updateTime" not in record and "createTime" not in record:
        return
    collection, document_id = _place(record.get("name"))
    yield FoundDocument(
        collection, document_id, encode_document(plain_fields(fields or {})), _time_text(record.get("updateTime"))
    )


def _gone(name: object, read_at: object) -> FoundDocument:
    collection, document_id = _place(name)
    return FoundDocument(collection, document_id, None, _time_text(read_at))


def _changed(row: Mapping[str, Any]) -> FoundDocument:
    """A changelog row; BigQuery's times are UTC, also where they do not say so."""
    operation = _CHANGES.get(str(row.get("operation")).upper())
    if operation is None:
        raise NotReadableError(f"operation is {str(row.get('operation'))[:50]!r}, not one of {', '.join(_CHANGES)}")
    collection, document_id = _place(row.get("document_name"))
    written = _time_text(row.get("timestamp"))
    if written is not None and _NO_ZONE.fullmatch(written):
        written += "Z"
    if operation == "delete":
        return FoundDocument(collection, document_id, None, written)
    data = row.get("data")
    if isinstance(data, str):
        try:
            data = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise NotReadableError("data is no JSON text") from None
    if data is None:
        raise NotReadableError("data is missing")
    return FoundDocument(collection, document_id, encode_document(untagged(data)), written)


def _place(name: object) -> tuple[str, str]:
    place = place_of(path_below_root(name).split("/")) if isinstance(name, str) else None
    if place is None:
        raise NotReadableError(f"{str(name)[:100]!r} is no name of a document")
    return place


def _time_text(value: object) -> str | None:
    """As the engine's macros read it: an object as its JSON."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
