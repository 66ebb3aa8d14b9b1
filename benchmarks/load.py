"""How busy the machine was while something was measured: others slow down what is measured beside them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PRESSURE = Path("/proc/pressure/cpu")


@contextmanager
def watching_load() -> Iterator[dict[str, float]]:
    """Filled on leaving: the load average then, and where Linux tells it, the share of the time in which some process
    had to wait for a core."""
    found: dict[str, float] = {}
    waited, started = _waited_seconds(), time.monotonic()
    try:
        yield found
    finally:
        found["load_average"] = round(os.getloadavg()[0], 1)
        now = _waited_seconds()
        if waited is not None and now is not None:
            found["waiting_for_cpu"] = round((now - waited) / max(0.001, time.monotonic() - started), 2)


def _waited_seconds() -> float | None:
    if not _PRESSURE.exists():
        return None
    some = _PRESSURE.read_text().splitlines()[0]
    return int(some.rsplit("total=", 1)[1]) / 1e6
