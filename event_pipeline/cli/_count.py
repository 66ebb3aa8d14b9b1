"""How the progress of counting towards a known total is shown."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ShownCount(AbstractContextManager["ShownCount"]):
    """A live bar on standard error when that is a terminal; nothing elsewhere."""

    def __init__(self, noun: str) -> None:
        self._noun = noun
        self._stack = ExitStack()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> ShownCount:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = self._stack.enter_context(Progress(*columns, console=Console(stderr=True), transient=True))
            self._task = self._bar.add_task(self._noun, total=None)
        return self

    def __exit__(self, *details: object) -> None:
        self._stack.close()

    def __call__(self, done: int, total: int) -> None:
        """Show so many of so many."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total)
