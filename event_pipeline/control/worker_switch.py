"""Whether the stream worker is meant to follow the sources: a file beside its heartbeat, which it looks at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from event_pipeline.control.automation import Switched
from event_pipeline.errors import ControlError
from event_pipeline.settings import Settings

if TYPE_CHECKING:
    from event_pipeline.control.instance import DagsterControl

WORKER = "stream_worker"
"""The name by which it is switched, beside those of sensors and schedules."""


def is_worker_on(settings: Settings) -> bool:
    """It is unless it was switched off; that lasts over restarts."""
    return not _switched_off(settings).exists()


def switch_worker(settings: Settings, *, on: bool) -> Switched:
    """The worker follows, or stands by, within a second. Raises ControlError when the data folder cannot be written."""
    path = _switched_off(settings)
    changed = is_worker_on(settings) != on
    try:
        if on:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    except OSError as error:
        state = "on" if on else "off"
        raise ControlError(
            f"the stream worker could not be switched {state}: {error.strerror} ({error.filename})"
        ) from None
    return Switched(WORKER, "worker", on, changed)


def switch_pipeline(
    open_control: Callable[[], AbstractContextManager[DagsterControl]],
    settings: Settings,
    names: Sequence[str],
    *,
    on: bool,
) -> list[Switched]:
    """Switch what is named of sensors, schedules and the worker, or everything; Dagster is asked only for its own.

    What Dagster refuses stops before the worker is switched. Raises ControlError.
    """
    of_dagster = [name for name in names if name != WORKER]
    switched: list[Switched] = []
    if of_dagster or not names:
        with open_control() as control:
            switched = control.start(of_dagster) if on else control.stop(of_dagster)
    if WORKER in names or not names:
        switched.append(switch_worker(settings, on=on))
    return switched


def _switched_off(settings: Settings) -> Path:
    return settings.data_dir / "stream" / "switched_off"
