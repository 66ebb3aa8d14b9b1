"""How a model is known to whatever drives it: which table it makes, of which tables and which parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from event_pipeline.contracts.contract import Contract

if TYPE_CHECKING:
    import ibis.expr.types as ir

Parameter = Literal["locale", "as_of"]
"""What models take besides tables: a Locale; the UTC instant that decides what has started."""


@dataclass(frozen=True, slots=True)
class Model:
    """One table's function and what to hand it, called ``function(*tables, **parameters)``.

    ``inputs`` are ``layer.table`` in the order of the function's arguments; ``parameters`` are keyword arguments.
    """

    contract: Contract
    function: Callable[..., ir.Table]
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...] = ()

    @property
    def name(self) -> str:
        """``layer.table`` of the table it makes."""
        return self.contract.name

    def apply(self, tables: Mapping[str, ir.Table], parameters: Mapping[str, Any]) -> ir.Table:
        """The table's expression, of tables by ``layer.table`` and parameters by name; more of either is ignored.

        Raises KeyError for a table or parameter that is not there.
        """
        return self.function(
            *(tables[name] for name in self.inputs), **{name: parameters[name] for name in self.parameters}
        )
