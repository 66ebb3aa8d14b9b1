"""Dagster as children of this process, its webserver on this machine only and its daemon, and the stream worker."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from event_pipeline.errors import ControlError, SettingsError
from event_pipeline.launch.folder import WORKSPACE, DataFolder
from event_pipeline.launch.kept import KeptChild
from event_pipeline.launch.presence import Presence, Running
from event_pipeline.launch.processes import Child, start_child, stop_children
from event_pipeline.settings import Settings

START_SECONDS = 180.0
"""How long the webserver may take to answer; it loads the code location first."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_PORTS_TRIED = 50
_PROBE_SECONDS = 0.2


class Server:
    """A Dagster whose webserver is starting or up; its daemon and the stream worker come when asked for.

    ``url`` is where the webserver listens, ``children`` are Dagster's processes so far.
    """

    def __init__(self, settings: Settings, folder: DataFolder, presence: Presence, pid: int) -> None:
        port = free_port(wanted_port(settings))
        self.url = f"http://127.0.0.1:{port}"
        self.children: list[Child] = []
        self._folder, self._presence, self._pid = folder, presence, pid
        self._worker: KeptChild | None = None
        self._start_dagster("webserver", "dagster_webserver", "--host", "127.0.0.1", "--port", str(port))

    def start_daemon(self) -> None:
        """Start what runs what is queued, and asks sensors and schedules."""
        self._start_dagster("daemon", "dagster._daemon", "run")

    def start_worker(self, on_end: Callable[[Child, float], None]) -> None:
        """Start the stream worker, and again whenever it ends; ``on_end`` hears of that and of the pause before."""

        def begin() -> Child:
            child = self._start("stream", "event_pipeline.cli", "stream")
            self._announce(child)
            return child

        self._worker = KeptChild(begin, on_end)
        self._worker.start()

    def stop(self) -> None:
        """End everything, in order where the processes do as they are asked."""
        stop_children([*self.children, *(self._worker.retire() if self._worker else [])])

    def _start_dagster(self, name: str, module: str, *arguments: str) -> None:
        self.children.append(self._start(name, module, *arguments, "--workspace", str(WORKSPACE)))
        self._announce()

    def _start(self, name: str, module: str, *arguments: str) -> Child:
        variables = {
            "DAGSTER_HOME": str(self._folder.dagster_home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "PIPELINE_DAGSTER_URL": self.url,
            "PYTHONUNBUFFERED": "1",
        }
        return start_child(name, module, arguments, variables, self._folder.logs, self._presence.lock_fd)

    def _announce(self, *others: Child) -> None:
        pids = tuple(child.process.pid for child in (*self.children, *others))
        self._presence.announce(Running(self._pid, self.url, pids))


@contextmanager
def running_server(settings: Settings, folder: DataFolder, presence: Presence, pid: int) -> Iterator[Server]:
    """A server whose processes are stopped when the block ends, however it ends."""
    server = Server(settings, folder, presence, pid)
    try:
        yield server
    finally:
        server.stop()


def wanted_port(settings: Settings) -> int:
    """The port that dagster_url names. Raises SettingsError for an address that `up` cannot serve."""
    parts = urlsplit(settings.dagster_url)
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or parts.path.strip("/"):
        raise SettingsError(
            f"setting dagster_url (PIPELINE_DAGSTER_URL) is {settings.dagster_url}, where `event-pipeline up` cannot "
            "serve Dagster: it has no log-in, so it listens on this machine only, at http://127.0.0.1:PORT; set that, "
            "or drive the other Dagster with `event-pipeline trigger` and `event-pipeline status`"
        )
    return parts.port or 80


def free_port(wanted: int) -> int:
    """The first port from ``wanted`` on that nothing listens at. Raises ControlError when none of the next is free."""
    last = min(wanted + _PORTS_TRIED, 65_536)
    for port in range(wanted, last):
        with socket.socket() as probe:
            # Without it, connections of a server that has just stopped would make its port look taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ControlError(
        f"no port from {wanted} to {last - 1} can be listened at; set dagster_url (PIPELINE_DAGSTER_URL) to another, "
        "such as http://127.0.0.1:8300"
    )


def wait_until_ready(server: Server) -> None:
    """Return once the webserver answers. Raises ControlError with the end of its log when it does not."""
    import httpx

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for child in server.children:
            if child.has_ended_within(_PROBE_SECONDS / 2):
                raise ended_error(child)
        try:
            # No proxy: it could not reach this machine's own loopback.
            if httpx.get(f"{server.url}/server_info", timeout=5.0, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            continue
    raise ControlError(
        f"Dagster did not answer at {server.url} within {START_SECONDS:g} s; its log is {server.children[0].log}"
    )


def ended_error(child: Child) -> ControlError:
    """The error for a child that ended by itself."""
    return ControlError(
        f"Dagster's {child.name} ended with exit code {child.process.returncode}; its log is {child.log} and ends so:\n"
        f"{child.last_lines()}"
    )
