"""Child processes: each with a log file and a process group of its own, so that nothing they start outlives them."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from event_pipeline.errors import ControlError
from event_pipeline.launch import default_signals

PATIENCE_SECONDS = 20.0
"""How long children may take to stop before they are killed."""


@dataclass(frozen=True)
class Child:
    """A running child; ``log`` holds everything it printed."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def last_lines(self, count: int = 15) -> str:
        """The end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-count:])

    def has_ended_within(self, seconds: float) -> bool:
        """Whether it ended, waiting for that at most so long."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def start_child(
    name: str, module: str, arguments: Sequence[str], variables: Mapping[str, str], logs: Path, keep_open: int
) -> Child:
    """Run ``python -m module`` with these variables added to the environment, and the descriptor kept open in it.

    It hears the signals that ask it to stop, whatever this process ignores. The log of the run before is kept as
    ``name.previous.log``.
    """
    log = logs / f"{name}.log"
    if log.exists():
        log.replace(logs / f"{name}.previous.log")
    through = () if default_signals.are_default() else (default_signals.__name__,)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - a module of ours, and no shell
            [sys.executable, "-m", *through, module, *arguments],
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(keep_open,),
        )
    return Child(name, process, log)


def stop_children(children: Sequence[Child], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Ask them to stop, wait, and end whatever is left of them and of what they started."""
    try:
        for child in children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + patience_seconds
        for child in children:
            child.has_ended_within(max(0.0, deadline - time.monotonic()))
    finally:
        # Also when the wait is interrupted: a second Ctrl-C means now.
        for child in children:
            _kill_group(child.process.pid)
            child.process.wait()


def ended_error(child: Child) -> ControlError:
    """The error for a child that ended by itself."""
    return ControlError(
        f"Dagster's {child.name} ended with exit code {child.process.returncode}; its log is {child.log} and ends so:\n"
        f"{child.last_lines()}"
    )


def wait_for_first_end(children: Sequence[Child]) -> Child:
    """Block until one of them ends, and return it. Signals interrupt the wait."""
    ended: queue.SimpleQueue[Child] = queue.SimpleQueue()

    def watch(child: Child) -> None:
        child.process.wait()
        ended.put(child)

    for child in children:
        threading.Thread(target=watch, args=(child,), daemon=True).start()
    return ended.get()


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return
