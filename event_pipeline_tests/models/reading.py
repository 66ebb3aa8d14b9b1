"""Runs one expression of the models over texts: the database's answer for each, in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import ibis
import pyarrow as pa

from event_pipeline.models.locale import Locale
from event_pipeline.models.parsers import Reading
from event_pipeline.warehouse.connection import KEY_VARIABLE, ibis_backend

if TYPE_CHECKING:
    import ibis.expr.types as ir

INDIA = Locale("Asia/Kolkata", "INR", "IN")


class Texts:
    """Texts in a database; the expression over them is compiled once and asked as often as a test likes."""

    def __init__(self, expression: Callable[[Any], ir.Value], key: str = "a key for tests only") -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("SET TimeZone = 'UTC'")
        self.connection.execute(f"SET VARIABLE {KEY_VARIABLE} = '{key}'")
        backend = ibis_backend(self.connection)
        table = ibis.table({"position": "int64", "text": "string"}, name="texts")
        self.sql = str(backend.compile(table.select("position", value=expression(table.text))))

    def read(self, texts: Sequence[str | None]) -> list[Any]:
        """The values of these texts."""
        rows = pa.table({"position": list(range(len(texts))), "text": pa.array(texts, pa.string())})
        self.connection.register("texts", rows)
        found = self.connection.execute(f"SELECT value FROM ({self.sql}) ORDER BY position").fetchall()
        return [value for (value,) in found]


def whole(reading: Reading) -> Callable[[Any], ir.Value]:
    """A reading's three steps as one expression."""
    return lambda text: reading.accept(reading.read(reading.prepare(text)))
