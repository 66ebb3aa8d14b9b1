"""One code server that Dagster's webserver and daemon share.

Each would start one of its own otherwise, and the daemon a new one every minute (dagster-io/dagster#32677), which costs
some five CPU-seconds each time.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
import time
from pathlib import Path

from event_pipeline.errors import ControlError
from event_pipeline.launch.processes import Child, ended_error

LOCATION, MODULE = "event_pipeline", "event_pipeline.definitions"
"""Name of the code location and its module, as in the repository's workspace.yaml."""

_START_SECONDS = 120.0
_PROBE_SECONDS = 0.05


class CodeServerPlace:
    """Where the code server listens: a socket in a folder that only this user may open."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="event-pipeline-"))
        self.workspace = self._folder / "workspace.yaml"
        self._socket = self._folder / "code.sock"
        self.workspace.write_text(
            f"load_from:\n  - grpc_server:\n      socket: {self._socket}\n      location_name: {LOCATION}\n"
        )

    @property
    def arguments(self) -> tuple[str, ...]:
        """Of ``python -m dagster``, to serve there."""
        options = ("--lazy-load-user-code", "--use-python-environment-entry-point")
        names = ("--module-name", MODULE, "--location-name", LOCATION)
        return "api", "grpc", "--socket", str(self._socket), *options, *names

    def wait_until_served(self, child: Child) -> None:
        """Returns once the server accepts. Raises ControlError with the end of its log when it ends or does not."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if child.has_ended_within(_PROBE_SECONDS):
                raise ended_error(child)
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(str(self._socket))
                except OSError:
                    continue
                return
        raise ControlError(f"Dagster's code server did not start within {_START_SECONDS:g} s; its log is {child.log}")

    def remove(self) -> None:
        """After the server has ended."""
        shutil.rmtree(self._folder, ignore_errors=True)
