"""How a model is recomputed for some keys only: declared once a model, as plain data.

Templates are DuckDB SQL with ``{layer.table}`` for a stored table, ``{changed}`` for the distinct changed values of the
touch's columns, ``{delta}`` for the whole rows that were added and removed (``_is_added``), ``{touched}`` for the table
of touched keys (column ``key``) and ``{keys}`` for what follows ``IN``. Look-ups also know ``{found}``, the rows that
those before them found, and by their names with an underscore the inputs that stand before theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

_PLACEHOLDER = re.compile(r"\{([a-z_]+(?:\.[a-z_]+)?)\}")


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows whose ``column`` holds a value that ``values`` selects."""

    column: str
    values: str


@dataclass(frozen=True, slots=True)
class Input:
    """What one input is to a model.

    ``columns`` are those of its columns that the model's rows depend on: a change in others touches nothing.
    ``touches`` selects the touched keys; the first column's values when empty.
    ``reads`` restricts the input to what recomputing the keys needs: a column that holds the key, a condition, look-ups
    one after the other where a condition would go through every row, or all rows when empty.
    """

    columns: tuple[str, ...]
    touches: str = ""
    reads: str | tuple[Lookup, ...] = ""

    @property
    def is_direct(self) -> bool:
        """Whether the rows read are those whose column holds a touched key."""
        return isinstance(self.reads, str) and self.reads.isidentifier()


@dataclass(frozen=True, slots=True)
class Increment:
    """A model's scope and inputs. ``scope`` is a column of its table, or None: then any touch recomputes the whole.

    A narrow one reads few rows for each key. A calm one (its scope is None) is too dear for every live batch: it may be
    owed for a while.

    ``starts`` selects the keys touched by events that started after ``{since}`` up to ``{until}``.
    """

    scope: str | None
    inputs: Mapping[str, Input]
    starts: str = ""
    is_calm: bool = False
    is_narrow: bool = False

    def whole(self) -> Increment:
        """The same for recomputing the table as a whole: every input is read in full."""
        inputs = {name: replace(dependence, reads="") for name, dependence in self.inputs.items()}
        return replace(self, scope=None, inputs=inputs, is_narrow=False)


def direct(key: str, *columns: str) -> Input:
    """An input whose own column names the key it touches, and is read by it."""
    return Input((key, *columns), reads=key)


def rendered(template: str, place: Callable[[str], str], values: Mapping[str, str]) -> str:
    """The template with stored tables as ``place`` names them and the other placeholders by ``values``.

    Raises KeyError for a placeholder that neither knows.
    """
    return _PLACEHOLDER.sub(lambda found: place(found[1]) if "." in found[1] else values[found[1]], template)
