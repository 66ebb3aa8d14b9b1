"""What commands share: settings with logging on, JSON, and how a run's progress is shown."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from event_pipeline.control import RunProgress
    from event_pipeline.settings import Settings


def begin() -> Settings:
    """The settings, with logging set up from them. Raises SettingsError naming each wrong setting."""
    from event_pipeline.contracts.row_rule_names import refuse_unknown_rules
    from event_pipeline.logs import configure_logging
    from event_pipeline.settings import load_settings

    settings = load_settings()
    refuse_unknown_rules(settings.validation)
    configure_logging(settings)
    return settings


def echo_json(value: Any) -> None:
    """Dataclasses, datetimes and plain values as indented JSON on standard output."""
    import orjson

    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


class ShownProgress(AbstractContextManager["ShownProgress"]):
    """Progress of a run on standard error: a live bar on a terminal, a line for each change elsewhere."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._last = ""

    def __enter__(self) -> ShownProgress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._bar = self._stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
            self._task = self._bar.add_task("waiting", total=None)
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()

    def __call__(self, progress: RunProgress) -> None:
        """Show this progress."""
        text = _sentence(progress)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=text, total=progress.steps_total, completed=progress.steps_done)
        elif text != self._last:
            typer.echo(text, err=True)
        self._last = text


def _sentence(progress: RunProgress) -> str:
    """'started: 3 of 20 steps, 2 assets materialized, 1 check failed'."""
    total = f" of {progress.steps_total}" if progress.steps_total is not None else ""
    parts = [f"{progress.steps_done}{total} steps", f"{counted(len(progress.materialized), 'asset')} materialized"]
    if progress.checks_failed:
        parts.append(f"{counted(len(progress.checks_failed), 'check')} failed")
    if progress.waiting_for:
        parts.append(f"waiting for {progress.waiting_for}")
    return f"{progress.status.lower()}: {', '.join(parts)}"


def counted(number: int, noun: str) -> str:
    """'1 check', '2 checks'."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
