"""Models as SQL. Compiling every model takes seconds of CPU, so the SQL is kept, in the process and in a file.

A kept model is used again only while the code of models and contracts, the settings that they depend on and the
libraries that compile are the same.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import structlog
from pydantic import TypeAdapter

from event_pipeline.contracts.contract import IBIS_TYPES, Contract
from event_pipeline.models.locale import Locale
from event_pipeline.models.model import Model
from event_pipeline.models.registry import MODELS
from event_pipeline.models.rules import accepted_rows, broken_rules, flag_rows, row_rules
from event_pipeline.settings import Settings, Validation
from event_pipeline.warehouse.fingerprint import code_fingerprint
from event_pipeline.warehouse.table_contracts import CONTRACTS, PARSED

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

log = structlog.get_logger()

FLAGGED = "_flagged"
"""Temporary table of parsed rows with the verdict of the row rules."""

Inputs = Literal["stored", "views"]
"""Where a model's query reads its inputs: the stored tables, or the views named by ``input_view``."""

_MOST_KEPT = 600
_SHIPPED = dict(MODELS)
"""The models of this package: only their SQL is kept in the file, because their code names its key."""


@dataclass(frozen=True, slots=True)
class CompiledModel:
    """``query`` makes the table's ``columns``; for a parsed table it makes FLAGGED instead, which ``accepted`` and
    ``broken`` turn into the table's rows and its rows in quarantine."""

    query: str
    columns: tuple[str, ...]
    accepted: str | None = None
    broken: str | None = None

    def mentioned(self, contract: Contract) -> list[str]:
        """Columns of an input that the query may read, quoted: those whose names stand in it."""
        quoted = [f'"{name}"' for name in contract.column_names]
        return [name for name in quoted if name in self.query] or quoted


_FILE = TypeAdapter(dict[str, CompiledModel])

_kept: OrderedDict[str, tuple[Model, CompiledModel]] = OrderedDict()
"""What this process compiled or read, by key, the least recently used first."""

_read: set[Path] = set()


def input_view(name: str) -> str:
    """Temporary view that holds the rows of ``layer.table`` which an increment needs."""
    return "_in_" + name.replace(".", "_")


class Compiler:
    """Compiles models for one backend and settings."""

    def __init__(self, backend: Backend, settings: Settings, inputs: Inputs) -> None:
        self._backend, self._settings = backend, settings
        self._inputs: Inputs = inputs
        self._own: dict[tuple[str, datetime | None], tuple[Model, CompiledModel]] = {}

    @property
    def validation(self) -> Validation:
        """The settings of row rules."""
        return self._settings.validation

    def compiled(self, model: Model, as_of: datetime) -> CompiledModel:
        """The model's SQL at that instant, where it depends on one."""
        asked = (model.name, as_of if "as_of" in model.parameters else None)
        own = self._own.get(asked)
        if own is not None and own[0] is model:
            return own[1]
        found = self._kept_or_compiled(model, as_of)
        self._own = {key: value for key, value in self._own.items() if key[0] != model.name}
        self._own[asked] = (model, found)
        return found

    def _kept_or_compiled(self, model: Model, as_of: datetime) -> CompiledModel:
        _read_file(self._settings)
        key = _key(model, self._settings, as_of, self._inputs)
        kept = _kept.get(key)
        if kept is None or kept[0] is not model:
            kept = _kept[key] = (model, self._compile(model, as_of))
            if len(_kept) > _MOST_KEPT:
                _kept.popitem(last=False)
        _kept.move_to_end(key)
        return kept[1]

    def _compile(self, model: Model, as_of: datetime) -> CompiledModel:
        tables = {name: self._input(CONTRACTS[name]) for name in model.inputs}
        rows = model.apply(tables, model_parameters(self._settings, as_of))
        if model.name not in PARSED:
            return CompiledModel(self._sql(rows), tuple(rows.columns))
        rules = row_rules(model.contract, self._settings.validation, Locale.of(self._settings.organisation))
        parsed = flag_rows(rows, rules)
        flagged = self._table(FLAGGED, parsed.schema())
        accepted = accepted_rows(flagged, model.contract, rules)
        broken = broken_rules(flagged, model.contract, rules)
        return CompiledModel(self._sql(parsed), tuple(accepted.columns), self._sql(accepted), self._sql(broken))

    def _input(self, contract: Contract) -> ir.Table:
        import ibis

        if self._inputs == "stored":
            return read_table(self._backend, contract.name)
        types = {column.name: IBIS_TYPES[column.type] for column in contract.columns}
        return self._table(input_view(contract.name), ibis.schema(types))

    def _table(self, name: str, schema: ibis.Schema) -> ir.Table:
        import ibis.expr.operations as ops

        return ops.DatabaseTable(name, schema=schema, source=self._backend, namespace=ops.Namespace()).to_expr()

    def _sql(self, rows: ir.Table) -> str:
        return str(self._backend.compile(rows))


def read_table(backend: Backend, name: str) -> ir.Table:
    """The stored table as a lazy Ibis table; ``name`` is ``layer.table``.

    Its schema is the contract's, which the table was made from, so the catalog is not asked for it.
    """
    import ibis
    import ibis.expr.operations as ops

    contract = CONTRACTS[name]
    schema = ibis.schema({column.name: IBIS_TYPES[column.type] for column in contract.columns})
    namespace = ops.Namespace(catalog=contract.catalog, database=contract.layer)
    return ops.DatabaseTable(contract.table, schema=schema, source=backend, namespace=namespace).to_expr()


def model_parameters(settings: Settings, as_of: datetime) -> dict[str, Any]:
    """What models take besides tables. ``as_of`` decides what has started."""
    return {"locale": Locale.of(settings.organisation), "as_of": as_of}


def keep_compiled(settings: Settings) -> None:
    """Writes what this process compiled to the installation's file, for the runs that come after it."""
    path = _file(settings)
    shipped = {key: found for key, (model, found) in _kept.items() if model is _SHIPPED.get(model.name)}
    # Of a model that depends on the instant, the one that was used last.
    latest = {key.rpartition(" ")[0]: key for key in shipped}
    wanted = {key: shipped[key] for key in latest.values()}
    try:
        if _stored(path).keys() >= wanted.keys():
            return
        part = path.with_suffix(".part")
        part.write_bytes(_FILE.dump_json(wanted))
        part.replace(path)
    except OSError as error:
        log.warning("compiled_models_not_kept", path=str(path), reason=str(error), consequence="runs compile again")


def _read_file(settings: Settings) -> None:
    """Once a process and file."""
    path, code = _file(settings), _code()
    if path in _read:
        return
    _read.add(path)
    for key, found in _stored(path).items():
        model = _SHIPPED.get(key.split(" ")[2]) if key.startswith(f"{code} ") else None
        if model is not None and key not in _kept:
            _kept[key] = (model, found)


def _stored(path: Path) -> dict[str, CompiledModel]:
    """What the file holds; nothing where it is missing, cut off or of another shape."""
    try:
        return _FILE.validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}


def _file(settings: Settings) -> Path:
    return settings.catalog_dir / "compiled_models.json"


def _key(model: Model, settings: Settings, as_of: datetime, inputs: Inputs) -> str:
    """Says of which code, inputs, model, settings and instant the SQL is, as far as it depends on them."""
    depends = model.name in PARSED or "locale" in model.parameters
    said = settings.model_dump_json(include={"organisation", "validation"}) if depends else ""
    meaning = hashlib.sha256(said.encode()).hexdigest()[:16] if depends else "-"
    instant = as_of.isoformat() if "as_of" in model.parameters else "-"
    return f"{_code()} {inputs} {model.name} {meaning} {instant}"


@cache
def _code() -> str:
    libraries = " ".join(version(name) for name in ("ibis-framework", "sqlglot", "duckdb"))
    return hashlib.sha256(f"{code_fingerprint()} {libraries}".encode()).hexdigest()[:16]
