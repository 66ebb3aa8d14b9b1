"""What `up` runs as children: Dagster's code server, its webserver on this machine only, its daemon, the stream worker
and the API."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from event_pipeline.errors import ControlError, SettingsError
from event_pipeline.launch.code_server import CodeServerPlace
from event_pipeline.launch.folder import DataFolder
from event_pipeline.launch.kept import KeptChild
from event_pipeline.launch.presence import Presence, Running
from event_pipeline.launch.processes import Child, ended_error, start_child, stop_children
from event_pipeline.settings import Settings

START_SECONDS = 180.0
"""How long the webserver may take to answer; it loads the code location first."""

OnEnd = Callable[[Child, float], None]
"""Hears of a kept child that ended, and of the seconds until it is started again."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_PORTS_TRIED = 50
_PROBE_SECONDS = 0.2


class Server:
    """A Dagster whose webserver is starting or up; its daemon, the stream worker and the API come when asked for.

    ``url`` is where the webserver listens, ``api_url`` where the API does or will, ``children`` are Dagster's processes
    so far.
    """

    def __init__(self, settings: Settings, folder: DataFolder, presence: Presence, pid: int) -> None:
        port = free_port(wanted_port(settings), "dagster_url (PIPELINE_DAGSTER_URL)")
        self.url = f"http://127.0.0.1:{port}"
        self.api_url: str | None = None
        self.children: list[Child] = []
        self._folder, self._presence, self._pid = folder, presence, pid
        self._kept: list[KeptChild] = []
        self._pids: dict[str, int] = {}
        self._announcing = threading.Lock()
        self._place = CodeServerPlace()
        self._code_server = self._start("code-server", "dagster", *self._place.arguments)
        self.children.append(self._code_server)
        try:
            self._place.wait_until_served(self._code_server)
            self._start_dagster("webserver", "dagster_webserver", "--host", "127.0.0.1", "--port", str(port))
        except BaseException:
            self.stop()
            raise

    def start_daemon(self) -> None:
        """Start what runs what is queued, and asks sensors and schedules."""
        self._start_dagster("daemon", "dagster._daemon", "run")

    def start_worker(self, on_end: OnEnd) -> None:
        """Start the stream worker, and again whenever it ends; ``on_end`` hears of that and of the pause before."""
        self._keep("stream", on_end)

    def start_api(self, settings: Settings, on_end: OnEnd) -> str:
        """Start the API and its dashboard, and again whenever it ends; returns its address on this machine."""
        port = free_port(settings.api.port, "api.port (PIPELINE_API__PORT)", avoid=urlsplit(self.url).port)
        self.api_url = f"http://127.0.0.1:{port}"
        self._keep("serve", on_end, "--port", str(port))
        return self.api_url

    def stop(self) -> None:
        """End everything, in order where the processes do as they are asked; the code server last, whom others ask."""
        kept = [child for item in self._kept for child in item.retire()]
        stop_children([*(child for child in self.children if child is not self._code_server), *kept])
        stop_children([self._code_server])
        self._place.remove()

    def _keep(self, command: str, on_end: OnEnd, *arguments: str) -> None:
        kept = KeptChild(lambda: self._start(command, "event_pipeline.cli", command, *arguments), on_end)
        self._kept.append(kept)
        kept.start()

    def _start_dagster(self, name: str, module: str, *arguments: str) -> None:
        self.children.append(self._start(name, module, *arguments, "--workspace", str(self._place.workspace)))

    def _start(self, name: str, module: str, *arguments: str) -> Child:
        variables = {
            "DAGSTER_HOME": str(self._folder.dagster_home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "PIPELINE_DAGSTER_URL": self.url,
            "PYTHONUNBUFFERED": "1",
        }
        child = start_child(name, module, arguments, variables, self._folder.logs, self._presence.lock_fd)
        # Kept children are started again by threads of their own.
        with self._announcing:
            self._pids[name] = child.process.pid
            self._presence.announce(Running(self._pid, self.url, tuple(self._pids.values()), self.api_url))
        return child


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


def free_port(wanted: int, setting: str, avoid: int | None = None) -> int:
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
            if port != avoid:
                return port
    raise ControlError(f"no port from {wanted} to {last - 1} can be listened at; set {setting} to another")


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
        f"Dagster did not answer at {server.url} within {START_SECONDS:g} s; its log is {server.children[-1].log}"
    )
