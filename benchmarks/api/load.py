"""Asks over loopback, as ``python -m benchmarks.api.load``: so many clients, each waiting for its answer before it asks
again, for so many seconds or until everything was asked once.

Reads what to do as JSON from standard input and prints what was found as JSON.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from time import perf_counter
from typing import Any

_TIMEOUT_SECONDS = 120
_PIECE = 1 << 20


@dataclass
class Found:
    """Seconds of each answer, bytes read, and the first answer that was not 200."""

    seconds: list[float] = field(default_factory=list)
    bytes_read: int = 0
    wall_seconds: float = 0.0
    failure: str | None = None


def ask(
    port: int,
    asks: Sequence[Mapping[str, Any]],
    headers: Mapping[str, str],
    clients: int,
    least: float,
    *,
    once: bool,
) -> Found:
    """At least ``least`` seconds of asking, and one answer a client; stops at the first answer that is not 200.

    Stops also when everything was asked ``once``.
    """
    found, lock, stop = Found(), threading.Lock(), threading.Event()
    turns = iter(asks) if once else cycle(asks)
    began = perf_counter()

    def client() -> None:
        for seconds, size in _answers(port, _in_turn(turns, lock), headers, found, stop):
            with lock:
                found.seconds.append(seconds)
                found.bytes_read += size
            if perf_counter() - began >= least:
                return

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.wall_seconds = perf_counter() - began
    return found


def _in_turn(turns: Iterator[Any], lock: threading.Lock) -> Iterator[Any]:
    while True:
        with lock:
            turn = next(turns, None)
        if turn is None:
            return
        yield turn


def _answers(
    port: int, turns: Iterator[Mapping[str, Any]], headers: Mapping[str, str], found: Found, stop: threading.Event
) -> Iterator[tuple[float, int]]:
    """Seconds and bytes of each answer, over one connection that is kept."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS)
    for turn in turns:
        if stop.is_set():
            return
        body = turn["body"]
        sent = {**headers, "Content-Type": "application/json"} if body is not None else dict(headers)
        began = perf_counter()
        connection.request("POST" if body is not None else "GET", turn["path"], body, sent)
        answer = connection.getresponse()
        size, first = 0, b""
        while piece := answer.read(_PIECE):
            size, first = size + len(piece), first or piece
        if answer.status != 200:
            found.failure = f"{turn['path'][:200]} answered {answer.status}: {first[:500].decode(errors='replace')}"
            stop.set()
            return
        yield perf_counter() - began, size


if __name__ == "__main__":
    print(json.dumps(asdict(ask(**json.load(sys.stdin)))))
