"""Applies the increments of one catalog's models inside one transaction: touched keys, their new rows, what differs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import Contract
from event_pipeline.contracts.quarantine import QUARANTINE
from event_pipeline.errors import BrokenTableError
from event_pipeline.increments.increment import Increment, Input, rendered
from event_pipeline.increments.kept import Kept, waiting
from event_pipeline.increments.keys import Keys
from event_pipeline.increments.registry import INCREMENTS, models_of
from event_pipeline.increments.restriction import Restriction
from event_pipeline.increments.row_check import RowCheck
from event_pipeline.models.model import Model
from event_pipeline.models.registry import MODELS
from event_pipeline.models.rules import IS_FLAGGED, IS_REJECTED
from event_pipeline.warehouse.compiled_models import FLAGGED, Compiler
from event_pipeline.warehouse.rows import first_row
from event_pipeline.warehouse.table_contracts import CONTRACTS

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_TOUCHED, _NEW, _OLD, _BROKEN = "_touched", "_new", "_old", "_broken"

WHOLE = "all"
"""The key of a table that is recomputed as a whole."""


@dataclass(frozen=True, slots=True)
class Increased:
    """What an increment did to a table: keys recomputed, rows that came and went (an edited row does both)."""

    table: str
    keys: int
    added: int
    removed: int
    seconds: float
    rejected: int = 0
    noted: int = 0

    @property
    def is_change(self) -> bool:
        """Whether the table, or what became of the documents meant for it, may be other than before."""
        return bool(self.added or self.removed or self.rejected or self.noted)


def stored_place(name: str) -> str:
    """``catalog.layer.table`` of a stored table."""
    return CONTRACTS[name].qualified


def delta_table(name: str) -> str:
    """Temporary table of the rows that came (``_is_added``) and went of ``layer.table``."""
    return "_delta_" + name.replace(".", "_")


class Stage:
    """One application of increments; the caller holds the transaction. ``place`` says where a table is stored."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        compiler: Compiler,
        as_of: datetime,
        was_as_of: datetime,
        place: Callable[[str], str] = stored_place,
    ) -> None:
        self._connection = connection
        self._compiler = compiler
        self._as_of, self._was_as_of = as_of, was_as_of
        self._place = place
        self._deltas: set[str] = set()

    def changes(self, name: str) -> pa.Table:
        """What this stage changed in that table: rows that came (``_is_added``) and went."""
        return self._connection.execute(f"SELECT * FROM {delta_table(name)}").to_arrow_table()

    def add_delta(self, name: str, query: str) -> None:
        """Adds the query's rows to ``delta_table(name)``: what came and went, or of a raw table whose versions came."""
        delta = delta_table(name)
        if name in self._deltas:
            self._connection.execute(f"INSERT INTO {delta} BY NAME {query}")
            return
        self._make(delta, query)
        if first_row(self._connection.execute(f"SELECT 1 FROM {delta} LIMIT 1")):
            self._deltas.add(name)

    def apply(
        self,
        catalog: str,
        owed: Collection[str] = (),
        later: Collection[str] = (),
        behind: Iterable[str] = (),
        on_changed: Callable[[str], None] = lambda _: None,
    ) -> list[Increased | Kept]:
        """Brings every table of the catalog up to date with the deltas; what they change becomes a delta in turn.

        Tables in ``owed`` are recomputed as a whole even if nothing touches them, those in ``later`` are left as they
        are. Tables made from one in ``behind``, or from one whose new rows break its contract, are kept.
        ``on_changed`` is told each table as soon as its changes are known.
        """
        outcomes: list[Increased | Kept] = []
        unsound = set(behind)
        for model in models_of(catalog):
            if model.name in later:
                continue
            done = waiting(model, unsound) or self._apply(model, model.name in owed)
            if done is not None:
                outcomes.append(done)
            if isinstance(done, Kept):
                unsound.add(model.name)
            elif done is not None and (done.added or done.removed):
                on_changed(model.name)
        if QUARANTINE.catalog == catalog and QUARANTINE.name in self._deltas:
            on_changed(QUARANTINE.name)
        return outcomes

    def touches(self, name: str) -> bool:
        """Whether the deltas touch that table of ``models_of``, which was left for later."""
        return self._touch(MODELS[name], INCREMENTS[name]) is not None

    def close(self) -> None:
        """Drops the deltas."""
        for name in self._deltas:
            self._connection.execute(f"DROP TABLE IF EXISTS {delta_table(name)}")

    def _apply(self, model: Model, is_owed: bool) -> Increased | Kept | None:
        started, increment = perf_counter(), INCREMENTS[model.name]
        if is_owed:
            increment = increment.whole()
        keys = self._touch(model, increment, is_owed)
        if keys is None:
            return None
        compiled, scope = self._compiler.compiled(model, self._as_of), increment.scope
        Restriction(self._connection, self._place, increment, keys, compiled).make_views()
        held = keys.holding(scope) if scope else "true"
        columns = ", ".join(f'"{name}"' for name in model.contract.column_names)
        query = compiled.query
        if compiled.accepted:
            self._make(FLAGGED, query)
            query = compiled.accepted
        self._make(_NEW, f"SELECT {columns} FROM ({query}) WHERE {keys.among(scope) if scope else 'true'}")
        self._make(_OLD, f"SELECT {columns} FROM {self._place(model.name)} WHERE {held}")
        try:
            added, removed = self._differ(
                model.contract, columns, held, is_whole_key=scope in (None, *model.contract.key)
            )
        except BrokenTableError as error:
            return Kept(model.name, error.problems)
        rejected = noted = 0
        if compiled.broken:
            theirs = keys.holding("document_id") if scope else "true"
            rejected, noted = self._replace_quarantine(model.contract, theirs, compiled.broken)
        if added or removed:
            self._deltas.add(model.name)
            self._write(model.contract, held, columns, removed > 0)
        return Increased(model.name, keys.count, added, removed, perf_counter() - started, rejected, noted)

    def _touch(self, model: Model, increment: Increment, is_owed: bool = False) -> Keys | None:
        """The keys that the deltas of the model's inputs touch; None when they touch none."""
        queries = [self._touching(increment.inputs[name], name) for name in model.inputs if name in self._deltas]
        if is_owed and increment.scope is None:
            queries.append("SELECT 1")
        if increment.starts and self._as_of != self._was_as_of:
            instants = {"since": _instant(self._was_as_of), "until": _instant(self._as_of)}
            queries.append(rendered(increment.starts, self._place, instants))
        if not queries:
            return None
        if increment.scope is None:
            queries = [f"SELECT '{WHOLE}' AS key WHERE EXISTS ({query})" for query in queries]
            nullable = False
        else:
            nullable = model.contract.column(increment.scope).nullable
        union = " UNION ".join(f"(SELECT * FROM ({query}) t(key))" for query in queries)
        self._make(_TOUCHED, f"SELECT key FROM ({union}){'' if nullable else ' WHERE key IS NOT NULL'}")
        keys = Keys.stored(self._connection, _TOUCHED)
        return keys if keys.count else None

    def _touching(self, dependence: Input, name: str) -> str:
        columns, delta = ", ".join(f'"{column}"' for column in dependence.columns), delta_table(name)
        changed = (
            f"(SELECT {columns} FROM {delta} GROUP BY ALL "
            "HAVING count(*) FILTER (_is_added) <> count(*) FILTER (NOT _is_added))"
        )
        template = dependence.touches or f'SELECT "{dependence.columns[0]}" FROM {{changed}}'
        return rendered(template, self._place, {"changed": changed, "delta": delta})

    def _replace_quarantine(self, contract: Contract, documents: str, broken: str) -> tuple[int, int]:
        """What is in quarantine of these documents becomes the rules they break now. Returns rejected and noted."""
        connection = self._connection
        rejected, noted = first_row(
            connection.execute(
                f"SELECT count(*) FILTER ({IS_REJECTED}), count(*) FILTER ({IS_FLAGGED} AND NOT {IS_REJECTED}) "
                f"FROM {FLAGGED}"
            )
        ) or (0, 0)
        place, names = self._place(QUARANTINE.name), ", ".join(QUARANTINE.column_names)
        theirs = f"table_name = '{contract.table}' AND {documents}"
        before = first_row(connection.execute(f"SELECT 1 FROM {place} WHERE {theirs} LIMIT 1"))
        if before or rejected or noted:
            self._make(_BROKEN, f"SELECT {names} FROM ({broken})")
            old = f"(SELECT {names} FROM {place} WHERE {theirs})"
            self.add_delta(QUARANTINE.name, _difference(names, _BROKEN, old))
            connection.execute(f"DELETE FROM {place} WHERE {theirs}")
            connection.execute(f"INSERT INTO {place} ({names}) SELECT {names} FROM {_BROKEN}")
        return int(rejected), int(noted)

    def _differ(self, contract: Contract, columns: str, held: str, *, is_whole_key: bool) -> tuple[int, int]:
        """Makes the table's delta of new and old rows; returns how many came and went.

        Raises BrokenTableError where rows that come break the contract. ``is_whole_key`` says that rows outside of
        ``held`` cannot have the key of a new row.
        """
        delta = delta_table(contract.name)
        self._make(delta, _difference(columns, _NEW, _OLD))
        check = RowCheck(self._connection, contract, self._compiler.validation, delta, self._place(contract.name))
        added, removed = check.counted()
        if added and not is_whole_key:
            check.require_no_other_row(held)
        return added, removed

    def _write(self, contract: Contract, held: str, columns: str, has_removed: bool) -> None:
        """Rows whose key is in the delta are taken out and put in as they are now."""
        same = " AND ".join(f'd."{name}" IS NOT DISTINCT FROM t."{name}"' for name in contract.key)
        changed = f"EXISTS (SELECT 1 FROM {delta_table(contract.name)} d WHERE {same})"
        if has_removed:
            self._connection.execute(f"DELETE FROM {self._place(contract.name)} t WHERE {held} AND {changed}")
        rows = f"SELECT {columns} FROM {_NEW} t WHERE {changed}"
        self._connection.execute(f"INSERT INTO {self._place(contract.name)} ({columns}) {rows}")

    def _make(self, table: str, query: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")


def _difference(columns: str, new: str, old: str) -> str:
    """The rows that came and went, told by ``_is_added``; one pass, where EXCEPT both ways takes four."""
    return (
        f"SELECT {columns}, sum(_sign) > 0 AS _is_added FROM "
        f"(SELECT {columns}, 1 AS _sign FROM {new} UNION ALL SELECT {columns}, -1 FROM {old}) "
        f"GROUP BY ALL HAVING sum(_sign) <> 0"
    )


def _instant(at: datetime) -> str:
    return f"TIMESTAMPTZ '{at.isoformat()}'"
