"""Raw changes to the latest documents, and documents to typed columns as a staging contract declares them."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from event_pipeline.contracts.contract import Contract
from event_pipeline.models.database_functions import extract_texts, json_type
from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import reading

TEXTS = "_texts"
"""Column of the texts found at the contract's paths, in their order; what quarantine shows of a bad row."""

PREPARED = "_prepared_"
"""Prefix of the tidied texts, null where blank: a text without a value is a garbled one."""

IS_NUMBER = "_is_number_"
"""Prefix of columns that tell whether an amount with many decimals is a JSON number, whose point groups no digits."""

_MANY_DECIMALS = r"\.\d{3,}$"

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
        **{PREPARED + n: r.prepare(_readable(extracted, contract, n)) for n, r in readings.items()}
    )
    read = prepared.mutate(**{name: r.read(prepared[PREPARED + name]) for name, r in readings.items()})
    return read.mutate(**{name: r.accept(read[name]) for name, r in readings.items()})


def extract_paths(documents: ir.Table, contract: Contract) -> ir.Table:
    """Documents with TEXTS, the texts at the contract's paths."""
    paths = [f"$.{column.path}" for column in contract.columns if column.path]
    texts = documents.mutate(
        **{
            IS_OBJECT: (documents.payload.left(1) == "{").fill_null(False),
            TEXTS: extract_texts(documents.payload, ibis.literal(paths, type="array<string>")),
        }
    )
    numbers = {}
    for column in contract.columns:
        if column.path and column.parser == "amount":
            kind = json_type(texts.payload, ibis.literal(f"$.{column.path}"))
            is_read = text_of(texts, contract, column.name).re_search(_MANY_DECIMALS)
            numbers[IS_NUMBER + column.name] = ibis.ifelse(is_read, kind != "VARCHAR", ibis.literal(False))
    return texts.select("document_id", "version", "source", IS_OBJECT, TEXTS, **numbers)


def _readable(table: ir.Table, contract: Contract, column_name: str) -> ir.StringValue:
    """The text to read; an amount's JSON number gets one more zero, so that its point cannot part thousands."""
    text = text_of(table, contract, column_name)
    number = IS_NUMBER + column_name
    return ibis.ifelse(table[number], text + "0", text) if number in table.columns else text


def text_of(table: ir.Table, contract: Contract, column_name: str) -> ir.StringValue:
    """The text found at that column's path."""
    names = [column.name for column in contract.columns if column.path]
    return table[TEXTS][names.index(column_name)]
