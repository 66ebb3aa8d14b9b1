"""Columns as files of text and cells hold them: few types, instants in UTC, what is nested as JSON text."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute

pc: Any = pyarrow.compute

UTC_INSTANT = pa.timestamp("us", "UTC")
_EXACT_DIGITS = 15
"""Decimal digits that a 64-bit float holds whatever they are."""
_LARGEST_INTEGER = 2**63


def plain(column: pa.Array) -> pa.Array:
    """The column as text, integers, floats, booleans, decimals, days, or microseconds (of UTC, or without a zone)."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType) or pa.types.is_nested(kind):
        return _as_json(column)
    if pa.types.is_dictionary(kind):
        return plain(column.dictionary_decode())
    if pa.types.is_timestamp(kind):
        return column.cast(UTC_INSTANT if kind.tz else pa.timestamp("us"), safe=False)
    if pa.types.is_date(kind):
        return column.cast(pa.date32())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    if _is_plain(kind):
        return column
    return _texts(_word(value) for value in column.to_pylist())


def iso_text(column: pa.Array) -> pa.Array:
    """A plain column of days or instants as ISO 8601: ``2026-06-05T12:30:00Z``, microseconds where there are any."""
    if pa.types.is_date(column.type):
        return column.cast(pa.string())
    text = pc.replace_substring(column.cast(pa.string()), " ", "T", max_replacements=1)
    return pc.replace_substring_regex(text, r"\.000000(Z?)$", r"\1")


def python_values(column: pa.Array) -> list[Any]:
    """A plain column's values, nulls as None; several times as fast as ``to_pylist`` for what tables mostly hold."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_boolean(kind):
        return column.to_numpy(zero_copy_only=False).tolist()
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return column.to_pylist()
    values = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).tolist()
    if not column.null_count:
        return values
    empty = column.is_null().to_numpy(zero_copy_only=False).tolist()
    return [None if missing else value for value, missing in zip(values, empty, strict=True)]


def json_default(value: Any) -> Any:
    """What ``orjson`` does not know: exact numbers stay numbers where a reader can hold them, else they are text."""
    if isinstance(value, Decimal):
        return json_number(value)
    return _word(value)


def json_number(value: Decimal) -> int | float | str | None:
    """A decimal as a number that says exactly the same, or as its digits."""
    if not value.is_finite():
        return None
    if value == value.to_integral_value():
        whole = int(value)
        return whole if -_LARGEST_INTEGER <= whole < _LARGEST_INTEGER else str(whole)
    return float(value) if len(value.as_tuple().digits) <= _EXACT_DIGITS else format(value, "f")


def json_text(value: Any) -> str:
    """A list, struct or map as JSON text."""
    return orjson.dumps(value, default=json_default, option=orjson.OPT_NON_STR_KEYS).decode()


def _is_plain(kind: pa.DataType) -> bool:
    return any(
        is_kind(kind)
        for is_kind in (
            pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal,
        )
    )  # fmt: skip


def _as_json(column: pa.Array) -> pa.Array:
    """Nested values as JSON; extension types, such as UUIDs, as their own text."""
    values = column.to_pylist()
    if isinstance(column.type, pa.BaseExtensionType):
        return _texts(None if value is None else _word(value) for value in values)
    return _texts(None if value is None else json_text(value) for value in values)


def _word(value: Any) -> str | None:
    """A time, duration, interval, UUID or binary value as text; binary as base64."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} s"
    if isinstance(value, pa.MonthDayNano):
        return f"{value.months} months {value.days} days {value.nanoseconds / 1e9:g} s"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _texts(values: Iterable[str | None]) -> pa.Array:
    return pa.array(list(values), pa.string())
