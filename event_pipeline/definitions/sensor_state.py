"""What a sensor remembers between ticks: where to look first, and what is left alone for a while."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta

EVERYTHING = "*"
"""Names the whole source where a refusal is not about one collection."""

REFUSED_FOR = timedelta(minutes=5)
"""How long what refused is left alone: no retry mends it, a person may."""


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


@dataclass(slots=True)
class SensorState:
    """A sensor's cursor. ``refused`` holds, by collection or EVERYTHING, until when and why it is left alone."""

    position: int = 0
    refused: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str | None) -> "SensorState":
        """The state in a sensor's cursor; a fresh one where it holds none, whoever wrote it. Old refusals are gone."""
        try:
            found = json.loads(cursor or "{}")
            position, refused = int(found.get("position", 0)), dict(found.get("refused", {}))
            current = {name: (str(until), str(why)) for name, (until, why) in refused.items()}
        except (ValueError, TypeError, AttributeError):
            return cls()
        return cls(position, {name: entry for name, entry in current.items() if entry[0] > now().isoformat()})

    def as_text(self) -> str:
        """The cursor to keep."""
        return json.dumps(asdict(self))

    def refuse(self, name: str, error: Exception) -> None:
        """Leaves it alone for a while."""
        self.refused[name] = ((now() + REFUSED_FOR).isoformat(timespec="seconds"), str(error))

    def refusals(self, names: Iterable[str] | None = None) -> str:
        """What is left alone, until when and why, in words; empty when nothing is."""
        wanted = self.refused if names is None else names
        return "; ".join(f"refused until {self.refused[name][0]}: {self.refused[name][1]}" for name in wanted)
