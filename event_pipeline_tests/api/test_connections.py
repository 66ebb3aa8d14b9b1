"""Idle and slow clients are closed, and a thousand of them keep nobody from being answered."""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from event_pipeline_tests.api.organisation import Api

_SERVER = """
import asyncio, resource, socket, sys
from pathlib import Path
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), most))
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from event_pipeline.api.connections import BACKLOG, Connections, bounded_protocol
from event_pipeline.settings.sections import Api

async def echo(request):
    return PlainTextResponse(await request.body() or b"here")

async def file(request):
    with open(sys.argv[1], "rb") as opened:
        return PlainTextResponse(opened.read())

async def updates(request):
    async def parts():
        for number in range(8):
            yield f"data: {number}\\n\\n"
            await asyncio.sleep(0.25)
    return StreamingResponse(parts(), media_type="text/event-stream")

async def endless(request):
    async def parts():
        try:
            while True:
                yield b"x" * 65536
                await asyncio.sleep(0)
        finally:
            print("ended", flush=True)
    return StreamingResponse(parts())

routes = [
    Route("/", echo, methods=["GET", "POST"]), Route("/file", file), Route("/updates", updates),
    Route("/endless", endless),
]
limits = Connections(Api(header_seconds=float(sys.argv[3]), body_seconds=1, send_seconds=1, idle_seconds=1))
listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
print(listening.getsockname()[1], limits.most, flush=True)
config = uvicorn.Config(
    Starlette(routes=routes), http=bounded_protocol(limits), ws="none", loop="asyncio", backlog=BACKLOG,
    timeout_keep_alive=1, h11_max_incomplete_event_size=32768, log_level="warning",
)
uvicorn.Server(config).run(sockets=[listening])
"""


@dataclass(frozen=True)
class _Server:
    port: int
    most: int
    said: IO[str]

    def next_line(self) -> str:
        return self.said.readline().strip()


@contextmanager
def _server(files: int = 1_024, header_seconds: float = 1) -> Iterator[_Server]:
    """Its port, and how many connections it takes."""
    arguments = [str(Path(__file__)), str(files), str(header_seconds)]
    with subprocess.Popen([sys.executable, "-c", _SERVER, *arguments], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            port, most = process.stdout.readline().split()
            yield _Server(int(port), int(most), process.stdout)
        finally:
            process.kill()


def _connected(port: int, sent: bytes = b"") -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=120)
    if sent:
        opened.sendall(sent)
    return opened


def _rest(opened: socket.socket) -> bytes:
    """What the server still sends until it closes; it fails when it does not."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while part := opened.recv(65_536):
            said += part
    opened.close()
    return said


def test_a_thousand_idle_and_slow_clients_keep_nobody_from_being_answered() -> None:
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, most_files), most_files))
    held: list[socket.socket] = []
    try:
        # They would be patient for longer than the test takes.
        with _server(1_024, header_seconds=3_000) as server:
            assert server.most == 512
            for number in range(1_000):
                held.append(_connected(server.port, b"GET / HTTP/1.1\r\nHost: slow\r\n" if number % 2 else b""))
            url = f"http://127.0.0.1:{server.port}"
            for _ in range(20):
                assert httpx.get(f"{url}/file", timeout=120, trust_env=False).status_code == 200
            with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
                assert [client.post("/", content=b"x" * 100_000).status_code for _ in range(20)] == [200] * 20
    finally:
        for opened in held:
            opened.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_idle_connections_and_slow_headers_and_bodies_are_closed() -> None:
    with _server() as server:
        assert _rest(_connected(server.port)) == b""
        assert _rest(_connected(server.port, b"GET / HTTP/1.1\r\nHost: slow\r\n")).startswith(b"HTTP/1.1 408 ")
        kept = _connected(server.port, b"GET / HTTP/1.1\r\nHost: idle\r\n\r\n")
        assert _rest(kept).endswith(b"\r\n\r\nhere")
        begun = b"POST / HTTP/1.1\r\nHost: slow\r\nContent-Length: 10\r\n\r\nhalf"
        assert b"200 OK" not in _rest(_connected(server.port, begun))


def test_a_client_that_does_not_read_is_let_go() -> None:
    with (
        _server() as server,
        contextlib.closing(_connected(server.port, b"GET /endless HTTP/1.1\r\nHost: deaf\r\n\r\n")),
    ):
        assert server.next_line() == "ended"


def test_open_pages_are_not_taken_for_idle() -> None:
    with _server() as server:
        answer = httpx.get(f"http://127.0.0.1:{server.port}/updates", timeout=120, trust_env=False)
    assert answer.text.count("data: ") == 8


def test_headers_that_never_end_are_refused() -> None:
    with _server(header_seconds=3_000) as server:
        opened = _connected(server.port, b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(10_000):
                opened.sendall(b"X-%d: %s\r\n" % (number, b"x" * 100))
        assert _rest(opened)[:12] in (b"HTTP/1.1 400", b"")


def test_too_many_headers_are_a_problem(api: Api, everything: dict[str, str]) -> None:
    many = everything | {f"X-{number}": "x" for number in range(120)}
    large = everything | {"X-Large": "x" * 40_000}
    for headers in (many, large):
        answer = api.http.get("/livez", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (431, "urn:event-pipeline:problem:headers-too-large")
