"""The processes that are measured: the API, the stream worker, Datasette; and the one that keeps scanning."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.steps import KEY
from event_pipeline.contracts.stream import BATCHES
from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import read_heartbeat
from event_pipeline.warehouse.connection import connect

_PATIENCE_SECONDS = 1_800.0


@dataclass(frozen=True)
class Server:
    """A server that answers: its name in the results, its port, and what its clients send."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    headers: Mapping[str, str]

    def get(self, path: str) -> bytes:
        """The body of an answer. Raises RuntimeError when it is not 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path, headers=dict(self.headers))
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{self.name} answered {answer.status} to {path}")
        return answer.read()

    def cpu_seconds(self) -> float:
        """User and system seconds of the process and of those it started, so far."""
        import psutil

        parent = psutil.Process(self.process.pid)
        return sum(sum(one.cpu_times()[:2]) for one in (parent, *parent.children(recursive=True)))


def free_port() -> int:
    """A port of this machine that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def running(
    command: Sequence[str], log: Path, variables: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The command as a process of its own, ended on leaving."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PIPELINE_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command], env={**environment, **(variables or {})}, stdout=output, stderr=output
        )
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


def variables_of(settings: Settings) -> dict[str, str]:
    """What makes a command use this data folder."""
    return {"PIPELINE_DATA_DIR": str(settings.data_dir), "PIPELINE_IDENTITY_KEY": KEY}


@contextmanager
def running_api(settings: Settings) -> Iterator[Server]:
    """``event-pipeline serve``, with a key that may do everything asked here."""
    issued = subprocess.run(
        [sys.executable, "-m", "event_pipeline.cli", "keys", "create", "benchmark", "--json", "--per-minute", "1000000",
         "--scope", "read", "--scope", "sql", "--scope", "export"],
        env={**os.environ, **variables_of(settings)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    key, port = json.loads(issued.stdout)["key"], free_port()
    command = ["-m", "event_pipeline.cli", "serve", "--port", str(port)]
    with running(command, settings.data_dir.parent / "serve.log", variables_of(settings)) as process:
        server = Server("API", process, port, {"Authorization": f"Bearer {key}"})
        _wait_for(server, "/api/pipeline/analytics")
        yield server


@contextmanager
def running_datasette(database: Path) -> Iterator[Server]:
    """Datasette over an SQLite file that nobody writes to, which is when it is fastest."""
    port = free_port()
    command = [
        "-W", "ignore", "-m", "datasette", "serve", "--immutable", str(database), "--port", str(port),
        "--setting", "sql_time_limit_ms", "60000", "--setting", "max_returned_rows", "10000",
        "--setting", "max_csv_mb", "0",
    ]  # fmt: skip
    with running(command, database.with_suffix(".log")) as process:
        server = Server("Datasette", process, port, {})
        _wait_for(server, "/warehouse.json")
        yield server


def changes_taken(settings: Settings) -> int:
    """Changes that the stream worker has ever committed."""
    with connect(settings, ("warehouse",), read_only=True) as connection:
        ((rows,),) = connection.execute(f"SELECT coalesce(sum(rows_in), 0) FROM {BATCHES.qualified}").fetchall()
    return int(rows)


@contextmanager
def running_writer(settings: Settings, rate: float) -> Iterator[Callable[[], float]]:
    """The stream worker, following, and scans dropped into the inbox at that rate; gives the seconds since they are."""
    log = settings.data_dir.parent
    with running(["-m", "event_pipeline.cli", "stream"], log / "stream.log", variables_of(settings)) as worker:
        _wait_until(worker, lambda: (beat := read_heartbeat(settings)) is not None and beat.phase == "following")
        command = ["-m", "benchmarks.api.writer", str(settings.data_dir), str(rate)]
        with running(command, log / "writer.log") as writer:
            _wait_until(writer, lambda: (beat := read_heartbeat(settings)) is not None and beat.rows > 0)
            began = time.monotonic()
            yield lambda: time.monotonic() - began


def _wait_for(server: Server, path: str) -> None:
    """Returns when the path is answered with 200."""

    def is_up() -> bool:
        with suppress(OSError, RuntimeError):
            server.get(path)
            return True
        return False

    _wait_until(server.process, is_up)


def _wait_until(process: subprocess.Popen[bytes], holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args} did not come up; see its log")
        time.sleep(0.5)
