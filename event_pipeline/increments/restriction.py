"""The rows of its inputs that a model needs to recompute some keys, as the views that its query reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from event_pipeline.increments.increment import Increment, Lookup, rendered
from event_pipeline.increments.keys import Keys
from event_pipeline.warehouse.compiled_models import CompiledModel, input_view
from event_pipeline.warehouse.table_contracts import CONTRACTS

if TYPE_CHECKING:
    import duckdb

_SOUGHT, _CAUGHT = "_sought", "_caught"


@dataclass(frozen=True, slots=True)
class Restriction:
    """Of one model to touched keys. ``place`` says where a table is stored."""

    connection: duckdb.DuckDBPyConnection
    place: Callable[[str], str]
    increment: Increment
    keys: Keys
    compiled: CompiledModel

    def make_views(self) -> None:
        """The views through which the model sees its inputs, in the increment's order."""
        for name in self.increment.inputs:
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {input_view(name)} AS {self._rows(name)}")

    def _rows(self, name: str) -> str:
        """The query of an input's rows.

        Where keys have few, these are put aside first, with the columns that the model's query mentions: beside other
        conditions an index on them would go unused.
        """
        dependence, stored = self.increment.inputs[name], self.place(name)
        if not dependence.reads:
            return f"SELECT * FROM {stored}"
        if not isinstance(dependence.reads, str):
            return f"SELECT * FROM {self._look_up(name, dependence.reads)}"
        if dependence.is_direct:
            condition = self.keys.holding(dependence.reads)
        else:
            values = {"keys": self.keys.listed, "touched": self.keys.table}
            condition = rendered(dependence.reads, self.place, values)
        if not (self.increment.is_narrow and self.keys.is_listed):
            return f"SELECT * FROM {stored} WHERE {condition}"
        columns = ", ".join(self.compiled.mentioned(CONTRACTS[name]))
        self._make(_aside(name), f"SELECT {columns} FROM {stored} WHERE {condition}")
        return f"SELECT * FROM {_aside(name)}"

    def _look_up(self, name: str, lookups: Sequence[Lookup]) -> str:
        """A temporary table of the rows that the look-ups find, each by an index of its own."""
        contract, stored, found = CONTRACTS[name], self.place(name), _aside(name)
        key = [f'"{column}"' for column in contract.key]
        columns = ", ".join(dict.fromkeys([*key, *self.compiled.mentioned(contract)]))
        same = " AND ".join(f"f.{column} IS NOT DISTINCT FROM c.{column}" for column in key)
        values = {other.replace(".", "_"): input_view(other) for other in self.increment.inputs}
        values |= {"touched": self.keys.table, "found": found}
        self._make(found, f"SELECT {columns} FROM {stored} LIMIT 0")
        for lookup in lookups:
            wanted = rendered(lookup.values, self.place, values)
            self._make(_SOUGHT, f"SELECT DISTINCT key FROM ({wanted}) t(key) WHERE key IS NOT NULL")
            sought = Keys.stored(self.connection, _SOUGHT)
            if sought.count:
                self._make(_CAUGHT, f"SELECT {columns} FROM {stored} WHERE {sought.holding(lookup.column)}")
                known = f"EXISTS (SELECT 1 FROM {found} f WHERE {same})"
                self.connection.execute(f"INSERT INTO {found} SELECT * FROM {_CAUGHT} c WHERE NOT {known}")
        return found

    def _make(self, table: str, query: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")


def _aside(name: str) -> str:
    return f"_aside{input_view(name)}"
