"""Every field that a staging table reads, given every hostile value, in documents that are ordinary otherwise."""

from __future__ import annotations

import json
from dataclasses import dataclass

from event_pipeline.contracts.raw import RAW_FIREBASE, RAW_INBOX
from event_pipeline.sources.change import Change
from event_pipeline.sources.documents import encode_document, wrap_garbled
from event_pipeline_tests.hostile.loading import DOCUMENTS, Drop, Markers, with_value
from event_pipeline_tests.hostile.values import HOSTILE_VALUES
from event_pipeline_tests.warehouse.documents import SEEN
from event_pipeline_tests.warehouse.pipelines import PARSED

FIELDS = [
    (collection, column.name)
    for collection in DOCUMENTS
    for column in PARSED[collection].contract.columns
    if column.path is not None
]
"""Collection and column of every field."""

NESTED = ("event_live_updates", "event_chat")


@dataclass(frozen=True)
class FieldCase:
    """One document with one hostile value."""

    collection: str
    column: str
    value: str
    marker: str
    text: str


def field_cases(markers: Markers) -> list[FieldCase]:
    """Each field with each value, and an ordinary document (column and value are empty) of each collection."""
    cases = []
    for collection, column in FIELDS:
        path = PARSED[collection].contract.column(column).path or column
        for value, text in HOSTILE_VALUES.items():
            marker = markers.next()
            document = {**DOCUMENTS[collection](), **_identity(collection, column, marker)}
            cases.append(FieldCase(collection, column, value, marker, with_value(document, path, text, marker)))
    for collection, make in DOCUMENTS.items():
        marker = markers.next()
        text = json.dumps({**make(), **_identity(collection, "", marker), "case": marker})
        cases.append(FieldCase(collection, "", "", marker, text))
    return cases


def _identity(collection: str, column: str, marker: str) -> dict[str, str]:
    """What makes a record of the inbox one of its own."""
    if collection == "scans" and column != "scanner_id":
        return {"scanner_id": marker}
    return {"provider_event_id": marker} if collection in ("email_events", "payment_events") else {}


def add_files(drop: Drop, cases: list[FieldCase]) -> None:
    """The app's documents as one console export, records of the inbox as lines."""
    trees = {collection: [case for case in cases if case.collection == collection] for collection in RAW_FIREBASE}
    entries = []
    for collection, of_collection in trees.items():
        documents = ",\n".join(f'"{case.marker}": {case.text}' for case in of_collection)
        inside = f'"e1": {{{documents}}}' if collection in NESTED else documents
        entries.append(f'"{collection}": {{{inside}}}')
    drop.exports["every-field.json"] = ("{" + ",\n".join(entries) + "}").encode()
    lines = [case.text for case in cases if case.collection in RAW_INBOX]
    drop.inbox["every-field.ndjson"] = "\n".join(lines).encode()


def _encoded(text: str) -> str:
    try:
        return encode_document(json.loads(text))
    except ValueError:
        return wrap_garbled(text)


def sheet_changes(cases: list[FieldCase]) -> list[Change]:
    """Rows of sheets, whose texts the Sheets reader itself makes."""
    return [
        Change.upsert("google_sheets", "sheet_rows", f"s/{case.marker}", _encoded(case.text), SEEN)
        for case in cases
        if case.collection == "sheet_rows"
    ]
