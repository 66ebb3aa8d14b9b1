"""The touched keys of one model in SQL: as literals while they are few, so that files without them are never opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from event_pipeline.warehouse.rows import first_row

if TYPE_CHECKING:
    import duckdb

MOST_LITERALS = 400
"""Beyond this many keys a list in the query's text costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Touched keys, stored in the temporary table ``table`` (column ``key``)."""

    table: str
    count: int
    has_null: bool
    listed: str

    @classmethod
    def stored(cls, connection: duckdb.DuckDBPyConnection, table: str) -> Keys:
        """The keys in that table."""
        count, nulls = first_row(connection.execute(f"SELECT count(*), count(*) - count(key) FROM {table}")) or (0, 0)
        listed = f"(SELECT key FROM {table} WHERE key IS NOT NULL)"
        if 0 < count - nulls <= MOST_LITERALS:
            rows = connection.execute(f"SELECT key FROM {table} WHERE key IS NOT NULL ORDER BY key").fetchall()
            listed = f"({', '.join(literal(key) for (key,) in rows)})"
        return cls(table, int(count), bool(nulls), listed)

    @property
    def is_listed(self) -> bool:
        """Whether the keys stand in queries as literals."""
        return self.count <= MOST_LITERALS

    def holding(self, column: str) -> str:
        """The condition that ``column`` of a stored table holds one of the keys."""
        if self.has_null and self.count == 1:
            return f'"{column}" IS NULL'
        return f'("{column}" IN {self.listed}{f" OR {chr(34)}{column}{chr(34)} IS NULL" if self.has_null else ""})'

    def among(self, column: str) -> str:
        """The same for rows made of restricted inputs: a second list of literals would undo the first one's use."""
        return f'EXISTS (SELECT 1 FROM {self.table} k WHERE k.key IS NOT DISTINCT FROM "{column}")'


def literal(key: str | date) -> str:
    """The key as it stands in a query."""
    if isinstance(key, date):
        return f"DATE '{key.isoformat()}'"
    return "'" + key.replace("'", "''") + "'"
