"""The text of a QR code as staging reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import orjson

from event_pipeline.sources.qr import QR_TYPE, code_text, id_text, qr_checksum, signed_text

_LONGEST_SIGNED = 1_000
_LAST_OF_BASIC_PLANE = 0xFFFF


@dataclass(frozen=True, slots=True)
class Code:
    """What a readable code says; ``is_whole`` when its checksum fits."""

    registration_id: str
    event_id: str | None
    is_whole: bool


def read_code(text: str) -> Code | None:
    """The code in a scanned text; None for what is none of the app's attendance codes."""
    fields = _fields(code_text(text).replace("\\u0000", "\\ufffd"))
    if fields.get("type") != QR_TYPE:
        return None
    names = ("registrationId", "eventId", "email", "timestamp", "hash")
    registration, event, email, timestamp, checksum = (_text(fields.get(name)) for name in names)
    if registration is None:
        return None
    if event is None or email is None or timestamp is None:
        return Code(id_text(registration), event, is_whole=False)
    is_whole = _fits(signed_text(registration, event, email, timestamp), checksum)
    return Code(id_text(registration), id_text(event), is_whole)


def _fields(text: str) -> dict[str, Any]:
    """The fields of a JSON object; none for any other text."""
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(fields, dict):
        return {}
    # Of a name that is written twice the database takes the first, orjson the last.
    pairs: list[tuple[str, Any]] = json.loads(text, object_pairs_hook=list)
    return fields if len(pairs) == len(fields) else _first_of_each(pairs)


def _first_of_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    first: dict[str, Any] = {}
    for name, value in pairs:
        first.setdefault(name, value)
    return first


def _fits(signed: str, checksum: str | None) -> bool:
    is_plain = len(signed) <= _LONGEST_SIGNED and all(ord(letter) <= _LAST_OF_BASIC_PLANE for letter in signed)
    return is_plain and qr_checksum(signed) == checksum


def _text(value: Any) -> str | None:
    """A value as text, as the database extracts it from JSON."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
