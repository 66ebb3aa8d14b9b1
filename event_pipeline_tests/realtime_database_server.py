"""A local Realtime Database: its REST protocol for reading, over a tree held in memory, with faults on demand.

Orders, filters, refuses and answers as Google's servers do: 32-bit integer keys before texts, values by type, arrays
where keys look like indexes, ``Index not defined`` where the rules have no index.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Fault:
    """What one request gets instead of its answer; ``body`` None keeps the true one, cut to ``keep`` bytes if set."""

    status: int = 200
    body: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: int | None = None
    announces_length: bool = True


@dataclass
class RealtimeDatabase:
    """``data`` is the tree; ``indexes`` the fields indexed everywhere; ``faults`` are used up in order."""

    data: dict[str, Any] = field(default_factory=dict)
    indexes: set[str] = field(default_factory=lambda: {"updated_at", "timestamp"})
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    largest_answer: int = 256 * 1024 * 1024
    url: str = ""

    def answer(self, target: str) -> tuple[int, str]:
        """Status and JSON body for a GET of this path and query."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
        node: Any = self.data
        for segment in parts.path.removesuffix(".json").strip("/").split("/"):
            if segment:
                node = _children(node).get(unquote(segment))
        if query.get("shallow") == "true":
            return 200, json.dumps(dict.fromkeys(_children(node), True) if isinstance(node, dict | list) else node)
        if "orderBy" in query:
            order = json.loads(query["orderBy"])
            if order != "$key" and order not in self.indexes:
                return 400, json.dumps({"error": f'Index not defined, add ".indexOn": "{order}", to the rules'})
            node = _select(_children(node), order, query) if isinstance(node, dict | list) else None
        body = json.dumps(_as_array(node))
        if len(body) > self.largest_answer:
            error = "Data requested exceeds the maximum size that can be accessed with a single request."
            return 400, json.dumps({"error": error})
        return 200, body


def _children(node: Any) -> dict[str, Any]:
    if isinstance(node, list):
        return {str(index): child for index, child in enumerate(node) if child is not None}
    return node if isinstance(node, dict) else {}


def _select(children: dict[str, Any], order: str, query: Mapping[str, str]) -> dict[str, Any] | None:
    def rank(key: str) -> tuple[Any, ...]:
        if order == "$key":
            return _key_rank(key)
        child = children[key]
        return (*_value_rank(child.get(order) if isinstance(child, dict) else None), *_key_rank(key))

    def bound(name: str) -> tuple[Any, ...]:
        value = json.loads(query[name])
        return _key_rank(value) if order == "$key" else _value_rank(value)

    keys = sorted(children, key=rank)
    if "startAt" in query:
        keys = [key for key in keys if rank(key)[: len(bound("startAt"))] >= bound("startAt")]
    if "endAt" in query:
        keys = [key for key in keys if rank(key)[: len(bound("endAt"))] <= bound("endAt")]
    keys = keys[: int(query.get("limitToFirst", len(keys)))]
    return {key: children[key] for key in sorted(keys, reverse=True)} or None


def _key_rank(key: str) -> tuple[Any, ...]:
    if re.fullmatch(r"-?[0-9]{1,10}", key) and -(2**31) <= int(key) < 2**31:
        return (0, int(key), "")
    return (1, 0, key)


def _value_rank(value: Any) -> tuple[Any, ...]:
    if value is None:
        return (0, 0, "")
    if isinstance(value, bool):
        return (2 if value else 1, 0, "")
    if isinstance(value, int | float):
        return (3, value, "")
    return (4, 0, value) if isinstance(value, str) else (5, 0, "")


def _as_array(node: Any) -> Any:
    """An object whose keys are indexes, more than half of them present, is sent as an array."""
    if not isinstance(node, dict) or not node or not all(re.fullmatch(r"0|[1-9][0-9]{0,8}", key) for key in node):
        return node
    size = max(map(int, node)) + 1
    return [node.get(str(index)) for index in range(size)] if len(node) * 2 > size else node


@contextmanager
def running_realtime_database() -> Iterator[RealtimeDatabase]:
    """A served database, whose ``url`` firebase_admin takes as a database URL."""
    database = RealtimeDatabase()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            database.requests.append(self.path)
            status, text = database.answer(self.path)
            fault = database.faults.pop(0) if database.faults else Fault(status)
            whole = (text if fault.body is None else fault.body).encode()
            self.send_response(fault.status)
            for name, value in fault.headers.items():
                self.send_header(name, value)
            if fault.announces_length:
                self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole[: fault.keep])
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are recorded, not printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    database.url = f"http://127.0.0.1:{server.server_port}/?ns=college"
    try:
        yield database
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
