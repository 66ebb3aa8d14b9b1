"""Raw changes to the latest documents, and documents to typed columns as a staging contract declares them."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts.contract import Contract
from event_pipeline.models.database_functions import extract_texts
from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import reading

TEXTS = "_texts"
"""Column of the texts found at the contract's paths, in their order; what quarantine shows of a bad row."""

PREPARED = "_prepared_"
"""Prefix of the tidied texts, null where blank: a text without a value is a garbled one."""

IS_OBJECT = "_is_object"
"""Column that tells whether the payload was a JSON object at all."""


def latest_documents(raw: ir.Table) -> ir.Table:
    """The latest version of each document that is not deleted; of two sources with the same one the last by name.

    Grain: one row per document_id. The versions are found on narrow columns first, so payloads are read once.
    """
    latest = raw.group_by("document_id").agg(
        version=raw.version.max(), source=raw.source.argmax(raw.version + raw.source)
    )
    documents = raw.join(latest, ["document_id", "version", "source"])
    return documents.filter(documents.operation == "upsert").select("document_id", "version", "source", "payload")


def parse_documents(documents: ir.Table, contract: Contract, locale: Locale) -> ir.Table:
    """Documents with the columns the contract takes from them, plus document_id, version, source and TEXTS."""
    extracted = extract_paths(documents, contract)
    readings = {column.name: reading(column, locale) for column in contract.columns if column.path}
    prepared = extracted.mutate(
        **{PREPARED + n: r.prepare(text_of(extracted, contract, n)) for n, r in readings.items()}
    )
    read = prepared.mutate(**{name: r.read(prepared[PREPARED + name]) for name, r in readings.items()})
    return read.mutate(**{name: r.accept(read[name]) for name, r in readings.items()})


def extract_paths(documents: ir.Table, contract: Contract) -> ir.Table:
    """Documents with TEXTS, the texts at the contract's paths."""
    paths = [f"$.{column.path}" for column in contract.columns if column.path]
    return documents.select(
        "document_id",
        "version",
        "source",
        **{
            IS_OBJECT: (documents.payload.left(1) == "{").fill_null(False),
            TEXTS: extract_texts(documents.payload, ibis.literal(paths, type="array<string>")),
        },
    )


def text_of(table: ir.Table, contract: Contract, column_name: str) -> ir.StringValue:
    """The text found at that column's path."""
    names = [column.name for column in contract.columns if column.path]
    return table[TEXTS][names.index(column_name)]
