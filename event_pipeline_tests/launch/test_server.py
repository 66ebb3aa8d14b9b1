from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil
import pytest

from event_pipeline.errors import ControlError, SettingsError
from event_pipeline.launch import server
from event_pipeline.launch.code_server import CodeServerPlace
from event_pipeline.launch.folder import prepare_folder
from event_pipeline.launch.presence import claim, read_running
from event_pipeline.settings import Settings


@pytest.mark.parametrize(("url", "port"), [("http://127.0.0.1:3000", 3000), ("http://localhost:8300/", 8300)])
def test_the_port_comes_from_dagster_url(url: str, port: int) -> None:
    assert server.wanted_port(Settings(dagster_url=url)) == port


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:3000", "http://dagster.example.org:3000", "http://127.0.0.1:3000/dagster"]
)
def test_an_address_that_cannot_be_served_is_refused_with_the_reason(url: str) -> None:
    with pytest.raises(SettingsError, match=r"PIPELINE_DAGSTER_URL.*no log-in.*this machine only"):
        server.wanted_port(Settings(dagster_url=url))


def test_a_taken_port_gives_the_next() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert server.free_port(port, "x") > port
    assert server.free_port(port, "x", avoid=port) > port
    assert server.free_port(port, "x") == port


def test_a_port_taken_on_all_addresses_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        assert server.free_port(taken.getsockname()[1], "dagster_url") != taken.getsockname()[1]


def test_a_server_that_has_just_stopped_leaves_its_port_free() -> None:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            # The side that closes first keeps the connection in TIME_WAIT.
            listening.accept()[0].close()
    assert server.free_port(port, "x") == port


def test_no_free_port_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PORTS_TRIED", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ControlError, match="set dagster_url"):
            server.free_port(taken.getsockname()[1], "dagster_url")


def test_a_webserver_that_cannot_start_shows_the_end_of_its_log_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lost(CodeServerPlace):
        def __init__(self) -> None:
            super().__init__()
            self.workspace = tmp_path / "missing.yaml"

    monkeypatch.setattr(server, "CodeServerPlace", Lost)
    settings = Settings(data_dir=tmp_path, dagster_url=f"http://127.0.0.1:{server.free_port(20_000, 'x')}")
    folder = prepare_folder(settings)
    with claim(folder.root) as presence, server.running_server(settings, folder, presence, os.getpid()) as started:
        running = read_running(folder.root)
        assert running
        assert running.children == tuple(child.process.pid for child in started.children)
        with pytest.raises(ControlError, match=r"ended with exit code [1-9][\s\S]*missing\.yaml"):
            server.wait_until_ready(started)
    assert all(child.process.returncode is not None for child in started.children)


def test_a_code_server_that_cannot_start_shows_the_end_of_its_log_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(CodeServerPlace):
        @property
        def arguments(self) -> tuple[str, ...]:
            return "api", "grpc", "--no-such-option"

    monkeypatch.setattr(server, "CodeServerPlace", Wrong)
    settings = Settings(data_dir=tmp_path, dagster_url=f"http://127.0.0.1:{server.free_port(20_000, 'x')}")
    folder = prepare_folder(settings)
    with (
        claim(folder.root) as presence,
        pytest.raises(ControlError, match=r"code-server ended with exit code 2[\s\S]*no-such"),
    ):
        server.Server(settings, folder, presence, os.getpid())
    assert not [child for child in psutil.Process().children() if "no-such-option" in " ".join(child.cmdline())]
