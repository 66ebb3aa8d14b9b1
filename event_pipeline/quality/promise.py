"""One promise of a contract as SQL: how many rows break it, out of how many, and which."""

from __future__ import annotations

from dataclasses import dataclass

from event_pipeline.contracts.contract import Contract
from event_pipeline.quality.results import Dimension, Severity

SAMPLE_ROWS = 5
SAMPLE_LENGTH = 80
"""Longest value shown of a sampled row, in characters."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a table must keep. ``measure`` is an aggregate over it, so that one query answers all its promises.

    ``measure`` counts what breaks the promise; what could have is the table's rows (unless ``counts_rows`` is off) and
    ``besides``. It is kept while the share is at most ``tolerated``. ``exact`` is asked before a broken promise is
    believed, where ``measure`` may overstate. ``sample`` selects a few culprits, as text; ``found`` are known already.
    """

    dimension: Dimension
    name: str
    column: str | None
    description: str
    measure: str
    advice: str
    counts_rows: bool = True
    besides: int = 0
    severity: Severity = "error"
    tolerated: float = 0.0
    exact: str | None = None
    sample: str | None = None
    found: tuple[str, ...] = ()


def identifier(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def count_where(contract: Contract, condition: str) -> str:
    """Rows for which a condition on one column holds, by a scan of its own.

    Files whose statistics rule the condition out are not read, so nulls and ranges of sound tables cost next to
    nothing; beside other aggregates the same condition decodes the column. A scan that does read costs 15 ms, though.
    """
    return f"(SELECT count(*) FROM {contract.qualified} WHERE {condition})"


def as_text(expression: str, name: str) -> str:
    """A selected value as text, cut one character beyond what is shown so that the cut can be told."""
    return f"left(CAST({expression} AS VARCHAR), {SAMPLE_LENGTH + 1}) AS {identifier(name)}"


def sample_of(contract: Contract, column: str, condition: str, usable: frozenset[str], joined: str = "") -> str:
    """Selects key and column of a few rows of the table, called ``child``, in the order of the key."""
    keys = [name for name in contract.key if name in usable]
    shown = ", ".join(as_text(f"child.{identifier(name)}", name) for name in dict.fromkeys((*keys, column)))
    order = ", ".join(f"child.{identifier(name)}" for name in keys or (column,))
    return (
        f"SELECT {shown} FROM {contract.qualified} AS child {joined} "
        f"WHERE {condition} ORDER BY {order} LIMIT {SAMPLE_ROWS}"
    )
