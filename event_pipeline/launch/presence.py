"""One `up` per data folder: a lock that lives as long as Dagster does, and a note saying where it is."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from event_pipeline.errors import PipelineError


@dataclass(frozen=True)
class Running:
    """Who serves the data folder: the process of `up`, its children, and the addresses once there are any."""

    pid: int
    url: str | None = None
    children: tuple[int, ...] = ()
    api_url: str | None = None


class AlreadyUpError(PipelineError):
    """Another `up` serves this data folder; ``running`` is what is known of it."""

    def __init__(self, running: Running | None) -> None:
        where = f" at {running.url}" if running and running.url else ", and still starting"
        if running and running.api_url:
            where += f", the dashboard at {running.api_url}"
        super().__init__(f"it is up already{where}")
        self.running = running


class Presence:
    """The claim on one data folder. Children inherit ``lock_fd``, so the claim outlives an `up` that was killed."""

    def __init__(self, root: Path, lock_fd: int) -> None:
        self._note = root / "up.json"
        self.lock_fd = lock_fd

    def announce(self, running: Running) -> None:
        """Say who serves the folder; replaces what was said before."""
        part = self._note.with_suffix(".part")
        part.write_bytes(orjson.dumps(asdict(running)))
        part.replace(self._note)

    def withdraw(self) -> None:
        """Nobody serves the folder any more."""
        self._note.unlink(missing_ok=True)


@contextmanager
def claim(root: Path) -> Iterator[Presence]:
    """Hold the data folder for this process. Raises AlreadyUpError while another holds it.

    What a killed `up` left running is ended first: two daemons on one DAGSTER_HOME would start every run twice.
    """
    descriptor = os.open(root / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, root)
        presence = Presence(root, descriptor)
        presence.announce(Running(os.getpid()))
        try:
            yield presence
        finally:
            presence.withdraw()
    finally:
        os.close(descriptor)


def read_running(root: Path) -> Running | None:
    """What the latest `up` said of itself; None when it said nothing readable."""
    try:
        known = orjson.loads((root / "up.json").read_bytes())
        return Running(known["pid"], known["url"], tuple(known["children"]), known.get("api_url"))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _lock(descriptor: int, root: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        running = read_running(root)
        if running is None or _is_alive(running.pid):
            raise AlreadyUpError(running) from None
        for child in running.children:
            _end_group(child)
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end_group(leader: int) -> None:
    try:
        # Children lead a session of their own; a stranger who was given the number since does not, or is not ours.
        if os.getsid(leader) == leader:
            os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
