"""Fields of documents and what a value that cannot be read does: the whole record is refused, or only the value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from event_pipeline_tests.oracle import amounts, values
from event_pipeline_tests.oracle.organisation import Organisation

Kind = Literal["text", "verbatim", "email", "instant", "amount", "integer", "boolean", "choice", "json", "phone"]
Row = dict[str, Any]

MAX_AMOUNT = 100_000_000_000


@dataclass(frozen=True)
class Field:
    """Where a value stands and how it is read; ``is_noted`` empties a bad value instead of refusing the record."""

    path: str
    kind: Kind
    is_noted: bool = False
    is_required: bool = False
    allowed: Sequence[str] = ()
    minimum: int | None = None
    maximum: int | None = None
    max_length: int = 1_000


def read_record(content: Any, fields: Mapping[str, Field], organisation: Organisation) -> Row | None:
    """The record's values by name; None where it is refused."""
    if not isinstance(content, dict):
        return None
    row: Row = {}
    for name, field in fields.items():
        text = values.at_path(content, field.path)
        text = None if text is None else text.strip(" \t\n\r\v\f") or None
        if field.kind == "json" and text is not None and text.lower() in ("n/a", "na", "none", "nil", "null", "-"):
            text = None
        value = None if text is None else _read(text, field, organisation)
        is_bad = text is not None and (value is None or not _is_in_bounds(value, field))
        if is_bad and not field.is_noted:
            return None
        row[name] = None if is_bad else value
        if field.is_required and row[name] is None:
            return None
    return row


def _read(text: str, field: Field, organisation: Organisation) -> Any:
    match field.kind:
        case "text":
            return values.plain_text(text)
        case "verbatim":
            return text
        case "email":
            return values.email(text)
        case "instant":
            return values.instant(text, organisation.time_zone)
        case "amount":
            return amounts.minor_units(text, organisation.currency, organisation.country)
        case "integer":
            return values.whole_number(text)
        case "boolean":
            return values.truth(text)
        case "choice":
            return values.word(text)
        case "phone":
            return values.phone(text, organisation.country)
        case "json":
            return text if values.is_structure(text) else None


def _is_in_bounds(value: Any, field: Field) -> bool:
    if field.allowed and value not in field.allowed:
        return False
    if isinstance(value, int) and not isinstance(value, bool):
        above = field.minimum is None or value >= field.minimum
        return above and (field.maximum is None or value <= field.maximum)
    return not isinstance(value, str) or len(value) <= field.max_length
