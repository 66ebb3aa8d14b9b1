"""The latest look at Dagster, kept for a few seconds: it takes several requests, and pages ask for it all the time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from event_pipeline.control import DagsterControl
from event_pipeline.errors import ControlError
from event_pipeline.settings import Settings

if TYPE_CHECKING:
    from event_pipeline.control import Overview

_KEPT_SECONDS = 5.0


class DagsterLook:
    """Looks at most every few seconds, whether Dagster answers or not."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._at = -_KEPT_SECONDS
        self._overview: Overview | None = None
        self._error = ""

    def look(self) -> tuple[Overview | None, str]:
        """The state of Dagster, or None and why there is none."""
        with self._lock:
            if time.monotonic() - self._at >= _KEPT_SECONDS:
                try:
                    with DagsterControl(
                        self._settings.dagster_url, timeout=self._settings.api.dagster_seconds
                    ) as control:
                        self._overview, self._error = control.status(), ""
                except ControlError as error:
                    self._overview, self._error = None, str(error)
                self._at = time.monotonic()
            return self._overview, self._error

    def forget(self) -> None:
        """Look again next time: something was switched."""
        with self._lock:
            self._at = time.monotonic() - _KEPT_SECONDS
