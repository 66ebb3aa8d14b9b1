"""Since when each component has been as it is, as far as this process has looked."""

from __future__ import annotations

import threading
from datetime import datetime


class Standings:
    """Remembers the instant at which a component was first seen in its present state."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[str, datetime]] = {}

    def since(self, component: str, state: str, now: datetime) -> datetime:
        """Since when it is in that state."""
        with self._lock:
            known, at = self._seen.get(component, ("", now))
            if known != state:
                at = now
            self._seen[component] = state, at
            return at
