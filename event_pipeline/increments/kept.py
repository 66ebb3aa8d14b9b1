"""Tables that keep their last good rows, because new rows break a contract: theirs, or one of a table they read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from event_pipeline.models.model import Model


@dataclass(frozen=True, slots=True)
class Kept:
    """A table that was not written. ``problems`` say how its own new rows break its contract; without any it waits for
    ``waits_for``, a table that it reads."""

    table: str
    problems: tuple[str, ...] = ()
    waits_for: str = ""

    @property
    def message(self) -> str:
        """Why it was not written, in words."""
        return "\n".join(self.problems) or f"{self.table} keeps its rows until {self.waits_for} is right again"


def waiting(model: Model, behind: Collection[str]) -> Kept | None:
    """That the model's table waits for one of these tables; None when it reads none of them."""
    culprit = next((name for name in model.inputs if name in behind), None)
    return Kept(model.name, waits_for=culprit) if culprit else None
