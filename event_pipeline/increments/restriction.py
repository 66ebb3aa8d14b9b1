"""The rows of its inputs that a model needs to recompute some keys, as the views that its query reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from event_pipeline.increments.compiled import CompiledModel, input_view
from event_pipeline.increments.increment import Increment, Lookup, rendered
from event_pipeline.increments.keys import Keys
from event_pipeline.warehouse.refresh import CONTRACTS

if TYPE_CHECKING:
    import duckdb

_SOUGHT, _CAUGHT = "_sought", "_caught"

Place = Callable[[str], str]


def restrict(
    connection: duckdb.DuckDBPyConnection,
    place: Place,
    name: str,
    increment: Increment,
    keys: Keys,
    compiled: CompiledModel,
) -> None:
    """Makes the view through which the model sees this input; inputs are taken in the increment's order.

    Where keys have few rows, these are put aside first, with the columns that the query mentions: beside other
    conditions an index on them would go unused.
    """
    reads, stored = increment.inputs[name].reads, place(name)
    rows = f"SELECT * FROM {stored}"
    if not isinstance(reads, str):
        rows = f"SELECT * FROM {_look_up(connection, place, name, increment, keys, compiled)}"
    elif reads:
        condition = keys.holding(reads)
        if not increment.inputs[name].is_direct:
            condition = rendered(reads, place, {"keys": keys.listed, "touched": keys.table})
        if increment.is_narrow and keys.is_listed:
            columns = ", ".join(compiled.mentioned(CONTRACTS[name]))
            _make(connection, _aside(name), f"SELECT {columns} FROM {stored} WHERE {condition}")
            rows = f"SELECT * FROM {_aside(name)}"
        else:
            rows += f" WHERE {condition}"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {input_view(name)} AS {rows}")


def _look_up(
    connection: duckdb.DuckDBPyConnection,
    place: Place,
    name: str,
    increment: Increment,
    keys: Keys,
    compiled: CompiledModel,
) -> str:
    """A temporary table of the rows that the look-ups find, each by an index of its own."""
    lookups = [lookup for lookup in increment.inputs[name].reads if isinstance(lookup, Lookup)]
    contract, found = CONTRACTS[name], _aside(name)
    columns = ", ".join(dict.fromkeys([*(f'"{column}"' for column in contract.key), *compiled.mentioned(contract)]))
    values = {other.replace(".", "_"): input_view(other) for other in increment.inputs}
    values |= {"keys": keys.listed, "touched": keys.table, "found": found}
    same = " AND ".join(f'f."{column}" IS NOT DISTINCT FROM c."{column}"' for column in contract.key)
    _make(connection, found, f"SELECT {columns} FROM {place(name)} LIMIT 0")
    for lookup in lookups:
        wanted = rendered(lookup.values, place, values)
        _make(connection, _SOUGHT, f"SELECT DISTINCT key FROM ({wanted}) t(key) WHERE key IS NOT NULL")
        sought = Keys.stored(connection, _SOUGHT)
        if sought.count:
            _make(connection, _CAUGHT, f"SELECT {columns} FROM {place(name)} WHERE {sought.holding(lookup.column)}")
            known = f"EXISTS (SELECT 1 FROM {found} f WHERE {same})"
            connection.execute(f"INSERT INTO {found} SELECT * FROM {_CAUGHT} c WHERE NOT {known}")
    return found


def _aside(name: str) -> str:
    return f"_aside{input_view(name)}"


def _make(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")
