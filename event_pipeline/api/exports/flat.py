"""Answers as rows: a column a field, parts of a part joined by ``_``, money as minor units beside one currency.

A field that holds several values has no column: it is a part of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from types import NoneType
from typing import Any, get_args, get_origin

import pyarrow as pa
from pydantic import BaseModel

from event_pipeline.api.answers.common import Money

_TYPES = {
    str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), date: pa.date32(),
    datetime: pa.timestamp("us", "UTC"),
}  # fmt: skip


def flat_table(model: type[BaseModel], items: Iterable[BaseModel]) -> pa.Table:
    """The items as a table; its columns are the model's also when there is no item."""
    fields = dict(_fields(model, ""))
    return pa.Table.from_pylist([dict(_values(item, "")) for item in items], pa.schema(list(fields.items())))


def _fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, pa.DataType]]:
    for name, field in model.model_fields.items():
        if get_origin(field.annotation) is list:
            continue
        kind = _kind(field.annotation)
        if kind is Money:
            yield f"{prefix}{name}_minor", pa.int64()
            yield "currency", pa.string()
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _fields(kind, f"{prefix}{name}_")
        else:
            yield prefix + name, _TYPES[kind]


def _values(item: BaseModel, prefix: str) -> Iterator[tuple[str, Any]]:
    for name in type(item).model_fields:
        value = getattr(item, name)
        if isinstance(value, list):
            continue
        if isinstance(value, Money):
            yield f"{prefix}{name}_minor", value.amount_minor
            yield "currency", value.currency
        elif isinstance(value, BaseModel):
            yield from _values(value, f"{prefix}{name}_")
        else:
            yield prefix + name, value


def _kind(annotation: Any) -> Any:
    """The type itself of ``T``, ``T | None`` and of literals, which are texts."""
    options = [option for option in get_args(annotation) if option is not NoneType]
    if not options:
        return annotation
    return _kind(options[0]) if isinstance(options[0], type) or get_args(options[0]) else str
