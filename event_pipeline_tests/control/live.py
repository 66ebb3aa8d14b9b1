"""A real Dagster for tests: webserver and daemon as processes, over a throwaway DAGSTER_HOME."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from event_pipeline_tests.paths import REPOSITORY

LOCATION_MODULE = "event_pipeline_tests.control.location"
BROKEN_LOCATION = "broken"
_START_SECONDS = 90.0
_DAGSTER_YAML = """\
telemetry:
  enabled: false
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config:
    dequeue_interval_seconds: 1
"""
_WORKSPACE_YAML = f"""\
load_from:
  - python_module:
      module_name: {LOCATION_MODULE}
      location_name: event_pipeline
  - python_module:
      module_name: event_pipeline_tests.control.no_such_module
      location_name: {BROKEN_LOCATION}
"""


@dataclass(frozen=True)
class LiveDagster:
    """A running Dagster; ``url`` is its webserver's."""

    url: str
    home: Path


_RUNNING = pytest.StashKey[LiveDagster]()


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def live_dagster(home: Path, *, with_daemon: bool = True) -> Iterator[LiveDagster]:
    """A webserver, with its daemon where runs shall start, until the block ends."""
    (home / "dagster.yaml").write_text(_DAGSTER_YAML)
    workspace = home / "workspace.yaml"
    workspace.write_text(_WORKSPACE_YAML)
    port = free_port()
    webserver = ["dagster-webserver", "--host", "127.0.0.1", "--port", str(port), "--workspace", str(workspace)]
    processes = [_start(webserver, home)]
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_serves(url, processes[0], home)
        # Only now: two processes that create the same fresh SQLite storage at once spoil it.
        if with_daemon:
            processes.append(_start(["dagster-daemon", "run", "--workspace", str(workspace)], home))
        yield LiveDagster(url, home)
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            _end(process)


def _start(command: list[str], home: Path) -> subprocess.Popen[bytes]:
    # Its own process group, so that code servers and runs end with it.
    environment = os.environ | {"DAGSTER_HOME": str(home), "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "ignore"}
    with (home / f"{command[0]}.log").open("wb") as log:
        return subprocess.Popen(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            cwd=REPOSITORY,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_it_serves(url: str, webserver: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and webserver.poll() is None:
        try:
            if httpx.get(f"{url}/server_info", timeout=2.0, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    log = (home / "dagster-webserver.log").read_text()[-3000:]
    raise RuntimeError(f"the webserver did not serve within {_START_SECONDS:g} s:\n{log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=20)
    # Runs that are still under way outlive their daemon, so the whole group goes.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="session")
def dagster(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveDagster]:
    """One running Dagster for every test of the session, whichever folder's conftest brings the fixture in."""
    running = pytestconfig.stash.get(_RUNNING, None)
    if running is not None:
        yield running
        return
    with live_dagster(tmp_path_factory.mktemp("dagster_home")) as running:
        pytestconfig.stash[_RUNNING] = running
        yield running
