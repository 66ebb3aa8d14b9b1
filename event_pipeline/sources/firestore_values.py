"""Values as Firestore's tools write them into JSON, as the plain values that the app's documents have.

Timestamps become ISO text in UTC, points ``{latitude, longitude}``, references paths below the database's root, bytes
stay base64: what ``documents.encode_document`` makes of the SDK's own values.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEEPEST = 200
DOCUMENTS = "/documents/"
"""In a document's full name, what stands between the database and the path."""


class NoFirestoreValueError(ValueError):
    """A typed value of a kind that Firestore's REST interface does not have."""


def plain_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The ``fields`` of a REST document. Raises NoFirestoreValueError."""
    return {name: plain_value(value) for name, value in fields.items()}


def plain_value(value: Any, depth: int = 0) -> Any:
    """A typed value of the REST interface, such as ``{"integerValue": "5"}``. Raises NoFirestoreValueError."""
    if not isinstance(value, dict) or len(value) != 1 or depth > _DEEPEST:
        raise NoFirestoreValueError(f"no typed value: {str(value)[:100]}")
    ((kind, held),) = value.items()
    match kind:
        case "nullValue":
            return None
        case "booleanValue" | "stringValue" | "timestampValue" | "bytesValue":
            return held
        case "integerValue":
            return _integer(held)
        case "doubleValue":
            return held
        case "referenceValue":
            return path_below_root(str(held))
        case "geoPointValue":
            return {axis: held.get(axis, 0) for axis in ("latitude", "longitude")} if isinstance(held, dict) else held
        case "arrayValue":
            return [plain_value(item, depth + 1) for item in (held or {}).get("values") or []]
        case "mapValue":
            fields = (held or {}).get("fields") or {}
            return {name: plain_value(item, depth + 1) for name, item in fields.items()}
        case _:
            raise NoFirestoreValueError(f"no kind of value of Firestore: {kind[:100]}")


def _integer(held: Any) -> int:
    try:
        return int(held)
    except (TypeError, ValueError):
        raise NoFirestoreValueError(f"no integer: {str(held)[:100]}") from None


def untagged(value: Any) -> Any:
    """A value of the Node SDK as JSON has it: ``__datatype__`` tags, and timestamps and points by their private fields.

    What has a tag of another tool, or a tag and no such value, stays as it is.
    """
    if isinstance(value, list):
        return [untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"__datatype__", "value"}:
        return _tagged(value)
    if value.keys() == {"_seconds", "_nanoseconds"}:
        return _instant(value)
    if value.keys() == {"_latitude", "_longitude"}:
        return {"latitude": value["_latitude"], "longitude": value["_longitude"]}
    return {name: untagged(item) for name, item in value.items()}


def _tagged(value: dict[str, Any]) -> Any:
    held = value["value"]
    match value["__datatype__"]:
        case "timestamp" if isinstance(held, dict):
            return _instant(held)
        case "timestamp" | "documentReference":
            return path_below_root(held) if isinstance(held, str) else held
        case "geopoint" if isinstance(held, dict) and held.keys() == {"_latitude", "_longitude"}:
            return {"latitude": held["_latitude"], "longitude": held["_longitude"]}
        case _:
            return value


def _instant(held: dict[str, Any]) -> Any:
    """ISO text to the microsecond; the object itself where it names no instant."""
    seconds, nanoseconds = held.get("_seconds"), held.get("_nanoseconds", 0)
    if not isinstance(seconds, int) or not isinstance(nanoseconds, int):
        return held
    try:
        at = _EPOCH + timedelta(seconds=seconds, microseconds=nanoseconds // 1000)
    except OverflowError:
        return held
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def path_below_root(name: str) -> str:
    """A document's path without the project and database that its full name begins with."""
    return name.partition(DOCUMENTS)[2] if name.startswith("projects/") and DOCUMENTS in name else name
