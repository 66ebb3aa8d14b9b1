"""Ways to read a figure of an event out of tables and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from event_pipeline_tests.consistency.asked import FORMS, Asked, Form

Place = Callable[[Asked], Any]

_OF_EVENT = "FROM warehouse.{} WHERE event_id = $event"


def summed(table: str, expression: str, condition: str = "true") -> Place:
    """A sum over rows of a table about the event."""
    query = f"SELECT coalesce(sum({expression}), 0)::BIGINT {_OF_EVENT.format(table)} AND {condition}"
    return lambda asked: asked.sql(query)


def last(table: str, column: str, order: str) -> Place:
    """A column where another one is greatest."""
    query = f"SELECT coalesce(arg_max({column}, {order}), 0) {_OF_EVENT.format(table)}"
    return lambda asked: asked.sql(query)


def in_files(name: str, read: Callable[[Asked, Form], Any]) -> Mapping[str, Place]:
    """The same file in each form."""

    def of(form: Form) -> Place:
        return lambda asked: read(asked, form)

    return {f"{form.upper()} {name}": of(form) for form in FORMS}


def in_table(table: str, condition: str, amount: str | None = None) -> Mapping[str, Place]:
    """Rows of an exported table of which a condition holds, or a sum over them."""

    def count(asked: Asked, form: Form) -> int:
        rows = [row for row in asked.table(table, form) if row[condition] == "true"]
        return sum(int(row[amount]) if amount else 1 for row in rows)

    return in_files(table, count)
