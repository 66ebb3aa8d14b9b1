"""Models as SQL over restricted inputs, compiled once a process: compiling costs more than a small increment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from event_pipeline.contracts.contract import IBIS_TYPES, Contract
from event_pipeline.models.locale import Locale
from event_pipeline.models.model import Model
from event_pipeline.models.rules import accepted_rows, broken_rules, flag_rows, row_rules
from event_pipeline.settings import Settings
from event_pipeline.warehouse.refresh import CONTRACTS, PARSED, model_parameters

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

FLAGGED = "_flagged"
"""Temporary table of parsed rows with the verdict of the row rules."""


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """``query`` makes the table from views named by ``input_view``; for a parsed table it makes FLAGGED instead, which
    ``accepted`` and ``broken`` turn into the table's rows and its rows in quarantine."""

    query: str
    accepted: str | None = None
    broken: str | None = None

    def mentioned(self, contract: Contract) -> list[str]:
        """Columns of an input that the query may read, quoted: those whose names stand in it."""
        quoted = [f'"{name}"' for name in contract.column_names]
        return [name for name in quoted if name in self.query] or quoted


def input_view(name: str) -> str:
    """Temporary view that holds the rows of ``layer.table`` which an increment needs."""
    return "_in_" + name.replace(".", "_")


class Compiler:
    """Compiles models for one backend and settings, and keeps them."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self._backend = backend
        self._settings = settings
        self._compiled: dict[tuple[str, datetime | None], CompiledModel] = {}

    def compiled(self, model: Model, as_of: datetime) -> CompiledModel:
        """The model's SQL at that instant, where it depends on one."""
        key = (model.name, as_of if "as_of" in model.parameters else None)
        if key not in self._compiled:
            self._compiled = {k: v for k, v in self._compiled.items() if k[0] != model.name}
            self._compiled[key] = self._compile(model, as_of)
        return self._compiled[key]

    def _compile(self, model: Model, as_of: datetime) -> CompiledModel:
        tables = {name: self._view(CONTRACTS[name]) for name in model.inputs}
        rows = model.apply(tables, model_parameters(self._settings, as_of))
        if model.name not in PARSED:
            return CompiledModel(self._sql(rows))
        rules = row_rules(model.contract, self._settings.validation, Locale.of(self._settings.organisation))
        parsed = flag_rows(rows, rules)
        flagged = self._table(FLAGGED, parsed.schema())
        accepted = accepted_rows(flagged, model.contract, rules)
        return CompiledModel(
            self._sql(parsed), self._sql(accepted), self._sql(broken_rules(flagged, model.contract, rules))
        )

    def _view(self, contract: Contract) -> ir.Table:
        import ibis

        types = {column.name: IBIS_TYPES[column.type] for column in contract.columns}
        return self._table(input_view(contract.name), ibis.schema(types))

    def _table(self, name: str, schema: ibis.Schema) -> ir.Table:
        import ibis.expr.operations as ops

        return ops.DatabaseTable(name, schema=schema, source=self._backend, namespace=ops.Namespace()).to_expr()

    def _sql(self, rows: ir.Table) -> str:
        return str(self._backend.compile(rows))
