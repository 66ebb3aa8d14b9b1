"""The pages in the order of the menu; a page that the key may not see is not in it."""

from __future__ import annotations

from dataclasses import dataclass

from event_pipeline.api.keys import ApiKey, Scope


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the menu: where it is, what it is called, which scope shows it, and its icon in ``icons.html``."""

    path: str
    label: str
    scope: Scope
    icon: str

    def is_at(self, path: str) -> bool:
        """Whether that address is this page or one below it."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


NAVIGATION: tuple[Entry, ...] = (
    Entry("/", "Overview", "read", "overview"),
    Entry("/events", "Events", "read", "events"),
    Entry("/door", "Door", "scan", "gate"),
    Entry("/alerts", "Alerts", "read", "alerts"),
    Entry("/pipeline", "Pipeline", "read", "pipeline"),
    Entry("/quality", "Data quality", "read", "quality"),
    Entry("/files", "Files", "export", "download"),
    Entry("/sql", "SQL", "sql", "sql"),
)
"""The menu."""


def entries_for(key: ApiKey) -> list[Entry]:
    """What the key may see."""
    return [entry for entry in NAVIGATION if entry.scope in key.scopes]


def home_of(key: ApiKey) -> str:
    """The page that a key starts on: the first it may see, else the one that says what it lacks."""
    return next((entry.path for entry in entries_for(key)), "/")
