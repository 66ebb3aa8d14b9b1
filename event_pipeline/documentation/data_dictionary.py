"""The data dictionary: every contract as a page that people can read."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import groupby
from typing import Any, get_args

from event_pipeline import contracts
from event_pipeline.contracts import core, marts
from event_pipeline.contracts.contract import Column, Contract, Layer
from event_pipeline.documentation.markdown import GENERATED, anchor, from_docstring, table

_INTRODUCTION = """\
Every table, what a row of it is, and what holds for each column. Two catalogs keep them: the private **lake** (raw,
staging, quarantine, people, ops) holds everything personal; the **warehouse** (core, marts and the record of data
quality) knows people by keyed hashes only, and is what reports, exports and SQL users read.

Instants are in UTC, days are the organisation's days, amounts are whole minor units (paise, cents)."""

_LAYERS = {
    "raw": "What each source wrote, every version, as it came. Append-only: everything else can be made from it again.",
    "staging": "The latest version of each document, parsed and normalised once. A value that breaks a rule sends its "
    "row to quarantine or, where it says *else emptied*, is left out and noted there.",
    "quarantine": "What was refused, why, and what to do about it.",
    "people": "Who is who. Nothing outside the lake knows it.",
    "core": "The star schema: one fact or dimension a table.",
    "marts": "The numbers that people look at; they add up to the facts and to each other.",
    "ops": "What the pipeline notes of its own work.",
}


def declared_contracts() -> list[Contract]:
    """Every contract that the contracts package declares, layer by layer, as declared within one."""
    # Those of core are declared in several modules.
    found = {contract.name: contract for contract in core.CORE.values()}
    for module in sorted(item.name for item in pkgutil.iter_modules(contracts.__path__)):
        values = vars(import_module(f"{contracts.__name__}.{module}")).values()
        found |= {contract.name: contract for value in values for contract in _contracts_in(value)}
    layers = get_args(Layer)
    return sorted(found.values(), key=lambda contract: layers.index(contract.layer))


def data_dictionary(tables: Iterable[Contract] | None = None) -> str:
    """The page, in Markdown."""
    known = list(declared_contracts() if tables is None else tables)
    parts = [
        GENERATED,
        "# Data dictionary",
        _INTRODUCTION,
        "## What the numbers mean",
        "Wherever these appear:",
        _definitions(),
    ]
    for layer, members in groupby(known, key=lambda contract: contract.layer):
        parts += _layer(layer, list(members))
    return "\n\n".join(parts) + "\n"


def _contracts_in(value: Any) -> Iterator[Contract]:
    if isinstance(value, Contract):
        yield value
    elif isinstance(value, dict):
        yield from (item for item in value.values() if isinstance(item, Contract))


def _definitions() -> str:
    """The definitions that the modules of core and marts list before their tables."""
    texts = [inspect.getdoc(module) or "" for module in (core, marts)]
    return "\n".join(from_docstring(text[text.index("\n- ") + 1 :]) for text in texts)


def _layer(layer: str, members: list[Contract]) -> list[str]:
    parts = [f"## {layer.title()}", _LAYERS[layer]]
    if len(members) > 1 and len({contract.columns for contract in members}) == 1:
        rows = [(f"`{item.name}`", item.description) for item in members]
        return [*parts, table(("table", "what it holds"), rows), "All have these columns.", *_described(members[0])]
    links = [(f"[`{item.name}`](#{anchor(item.name)})", item.description, item.grain) for item in members]
    parts.append(table(("table", "what it holds", "a row is"), links))
    for contract in members:
        parts += [f"### {contract.name}", contract.description, *_described(contract)]
    return parts


def _described(contract: Contract) -> list[str]:
    rows = [_column(contract, column) for column in contract.columns]
    return [_about(contract), table(("column", "type", "what it means", "what holds"), rows)]


def _about(contract: Contract) -> str:
    lines = [f"Grain: {contract.grain}. Key: {_names(contract.key)}."]
    if contract.sources:
        lines.append(f"Made from {_names(contract.sources)}.")
    if contract.partition_column:
        lines.append(f"By day of `{contract.partition_column}`.")
    if contract.fresh_by:
        lines.append(f"As fresh as its newest `{contract.fresh_by}`.")
    lines.append(f"In the {contract.catalog}.")
    return " ".join(lines)


def _column(contract: Contract, column: Column) -> tuple[str, str, str, str]:
    meaning = from_docstring(column.description)
    if column.path and column.path != column.name:
        meaning += f" From `{column.path}`."
    if column.personal:
        meaning += " **Personal.**"
    return f"`{column.name}`", column.type, meaning, "; ".join(_promises(contract, column))


def _promises(contract: Contract, column: Column) -> Iterator[str]:
    if column.name in contract.key:
        yield "key"
    if not column.nullable:
        yield "required"
    if column.allowed:
        yield "one of " + ", ".join(f"`{word}`" for word in column.allowed)
    if column.minimum is not None and column.maximum is not None:
        yield f"{column.minimum:,} to {column.maximum:,}"
    elif column.minimum is not None:
        yield f"{column.minimum:,} or more"
    elif column.maximum is not None:
        yield f"at most {column.maximum:,}"
    if column.max_length is not None:
        yield f"at most {column.max_length:,} characters"
    if column.references:
        yield f"in `{column.references}`"
    if column.parser is not None and column.consequence == "note":
        yield "else emptied"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
