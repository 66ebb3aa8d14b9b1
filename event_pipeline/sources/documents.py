"""Documents as JSON text: whatever an SDK hands over becomes one canonical, lossless payload string.

Native values that JSON lacks keep their meaning: timestamps become ISO text in UTC, bytes base64, references paths,
points ``{latitude, longitude}``, NaN and infinities their names, lone surrogates and U+0000 become U+FFFD.
"""

from __future__ import annotations

import base64
import json
import math
from datetime import UTC, date, datetime
from typing import Any

import orjson

_MAX_DEPTH = 200


def encode_document(document: object) -> str:
    """The document as compact JSON with sorted keys, so that equal documents have equal text."""
    plain = _plain(document, 0)
    try:
        return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # integers beyond 64 bits, which JSON allows and orjson does not
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def wrap_garbled(text: str) -> str:
    """Text that is no JSON document, kept whole as a JSON string: staging quarantines it, nothing is lost."""
    return json.dumps(_clean_text(text), ensure_ascii=False)


def _clean_text(text: str) -> str:
    if "\x00" in text:
        text = text.replace("\x00", "�")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "".join("�" if "\ud800" <= char <= "\udfff" else char for char in text)
    return text


def _plain(value: Any, depth: int) -> Any:
    """The value in JSON's own types; below the depth no source allows, a text rendering stands for the rest."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth >= _MAX_DEPTH:
        return f"<nested deeper than {_MAX_DEPTH} levels>"
    if isinstance(value, dict):
        return {_clean_text(str(key)): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item, depth + 1) for item in value]
    return _plain_native(value)


def _plain_native(value: Any) -> Any:
    """The natives of the Firestore SDK, recognised by shape so that the SDK need not be imported."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "latitude") and hasattr(value, "longitude"):
        return {"latitude": value.latitude, "longitude": value.longitude}
    if hasattr(value, "path"):
        return value.path
    return _clean_text(str(value))
