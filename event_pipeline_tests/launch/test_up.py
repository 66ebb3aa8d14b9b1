from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from event_pipeline.control import DagsterControl
from event_pipeline.errors import ControlError
from event_pipeline.launch.presence import Running, read_running

_COMMAND = [str(Path(sys.executable).with_name("event-pipeline")), "up"]


def _environment(data: Path, port: int) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIPELINE_")}
    return clean | {
        "PIPELINE_DATA_DIR": str(data),
        "PIPELINE_DAGSTER_URL": f"http://127.0.0.1:{port}",
        # What they would start beside the first run would only make the test slower.
        "PIPELINE_FEATURES__SENSORS": "false",
    }


@contextmanager
def _up(data: Path, port: int, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*_COMMAND, *arguments], cwd=data.parent, env=_environment(data, port), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            # Ends what a failed assertion left running; its children are found by their note.
            if process.poll() is None:
                process.send_signal(signal.SIGINT)


def _read_until(process: subprocess.Popen[str], word: str) -> str:
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            return "".join(lines)
    raise AssertionError(f"it ended without saying {word!r}:\n{''.join(lines)}")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_newcomer_gets_tables_a_running_dagster_and_a_clean_stop(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with _up(data, port, "--registrations", "200") as process:
            said = _read_until(process, "Ctrl-C stops it")
            running = read_running(data)
            assert running
            assert running.url
            assert running.url != f"http://127.0.0.1:{port}", "that port is taken"
            _assert_complete(said, running.url)
            _assert_history(running.url)
            _assert_dashboard(said, running)

            second = subprocess.run(
                _COMMAND, env=_environment(data, port), capture_output=True, text=True, timeout=60, check=True
            )
            assert f"up already at {running.url}, the dashboard at {running.api_url}" in second.stdout

            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    assert read_running(data) is None
    assert not _alive_in_groups(running.children)
    with DagsterControl(running.url) as control, pytest.raises(ControlError):
        control.status()
    _assert_demo_is_not_loaded_again(data, port)


def _alive_in_groups(leaders: Sequence[int]) -> list[psutil.Process]:
    """Processes of these groups that do not end within seconds, which a killed one may take."""
    found = [process for process in psutil.process_iter() if os.getpgid(process.pid) in leaders]
    _, alive = psutil.wait_procs(found, timeout=10)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def _assert_complete(said: str, url: str) -> None:
    assert "demo         200 registrations" in said
    assert re.search(r"\nsync         \d\d tables", said)
    assert "\nrefresh      " in said
    assert "  failed: " not in said
    assert " of those expected attended, INR " in said
    assert f"Dagster is up: {url}" in said
    assert f"export PIPELINE_DAGSTER_URL={url}" in said
    assert "docs/getting-started-firebase.md" in said


def _assert_history(url: str) -> None:
    with DagsterControl(url) as control:
        overview = control.status()
    assert overview.location_error is None
    assert {run.job: run.status for run in overview.recent_runs}.items() >= {
        "sync": "SUCCESS",
        "refresh": "SUCCESS",
    }.items()


def _assert_dashboard(said: str, running: Running) -> None:
    """The key that was printed opens the API that was started."""
    assert running.api_url
    assert f"Sign in to the dashboard with a key: {running.api_url}" in said
    (key,) = re.findall(r"^key +(ep_\S+)$", said, re.MULTILINE)
    transport = httpx.HTTPTransport(retries=10)
    with httpx.Client(base_url=running.api_url, transport=transport, timeout=60, trust_env=False) as http:
        deadline = time.monotonic() + 60
        while (answer := http.get("/readyz", headers={"X-API-Key": key})).status_code == 503:
            assert time.monotonic() < deadline, answer.text
        assert answer.json()["ready"] is True


def _assert_demo_is_not_loaded_again(data: Path, port: int) -> None:
    export = data / "exports" / "demo.json"
    before = export.stat()
    with _up(data, port) as process:
        said = _read_until(process, "dagster")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert "demo" not in said
    assert "\nkey " not in said
    assert export.stat() == before


def test_a_wrong_setting_is_one_message_and_starts_nothing(tmp_path: Path) -> None:
    environment = _environment(tmp_path / "data", 3000) | {"PIPELINE_BATCH_SIZE": "none"}
    result = subprocess.run(_COMMAND, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert result.returncode == 2
    assert "PIPELINE_BATCH_SIZE" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "data").exists()
