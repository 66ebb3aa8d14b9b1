"""A local Realtime Database: its REST protocol for reading and its events, over a tree in memory, faults on demand.

Orders, filters, refuses and answers as Google's servers do: 32-bit integer keys before texts, values by type, arrays
where keys look like indexes, ``Index not defined`` where the rules have no index.
"""

from __future__ import annotations

import json
import queue
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


@dataclass(eq=False)
class EventStream:
    """An open stream of the node at ``path``; ``events`` are (name, data), None closes the connection."""

    path: tuple[str, ...]
    events: queue.Queue[tuple[str, Any] | None] = field(default_factory=queue.Queue)


@dataclass
class RealtimeDatabase:
    """``data`` is the tree; ``indexes`` the fields indexed everywhere; ``faults`` are used up in order."""

    data: dict[str, Any] = field(default_factory=dict)
    indexes: set[str] = field(default_factory=lambda: {"updated_at", "timestamp"})
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    largest_answer: int = 256 * 1024 * 1024
    url: str = ""
    streams: list[EventStream] = field(default_factory=list)
    opened: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, path: str, value: Any) -> None:
        """Write a node, or delete it with None, and tell who listens."""
        with self._changed:
            self._tell("put", _path(path), value, {(): value})

    def patch(self, path: str, values: Mapping[str, Any]) -> None:
        """Write several nodes below a path at once and tell who listens."""
        with self._changed:
            self._tell("patch", _path(path), dict(values), {_path(name): value for name, value in values.items()})

    def say(self, event: str, data: Any = None) -> None:
        """The same event to everyone who listens."""
        with self._changed:
            for stream in self.streams:
                stream.events.put((event, data))

    def cut(self) -> None:
        """Close every stream."""
        with self._changed:
            for stream in self.streams:
                stream.events.put(None)

    def wait_opened(self, count: int) -> None:
        """Wait until so many streams were opened in all."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.opened >= count, 20), f"{self.opened} streams were opened"

    def open_stream(self, target: str) -> EventStream:
        """A new stream, which begins with all that its node holds."""
        path = _path(urlsplit(target).path.removesuffix(".json"))
        with self._changed:
            stream = EventStream(tuple(map(unquote, path)))
            stream.events.put(("put", {"path": "/", "data": _as_array(self._node(stream.path))}))
            self.streams.append(stream)
            self.opened += 1
            self._changed.notify_all()
        return stream

    def close_stream(self, stream: EventStream) -> None:
        """Tell it nothing any more."""
        with self._changed:
            self.streams.remove(stream)

    def _tell(self, event: str, path: tuple[str, ...], data: Any, writes: Mapping[tuple[str, ...], Any]) -> None:
        for below, value in writes.items():
            self.data = _written(self.data, (*path, *below), value) or {}
        for stream in self.streams:
            depth = len(stream.path)
            if path[:depth] == stream.path:
                stream.events.put((event, {"path": "/" + "/".join(path[depth:]), "data": data}))
            elif stream.path[: len(path)] == path:
                stream.events.put(("put", {"path": "/", "data": _as_array(self._node(stream.path))}))

    def _node(self, path: tuple[str, ...]) -> Any:
        node: Any = self.data
        for segment in path:
            node = _children(node).get(segment)
        return node

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


def _path(text: str) -> tuple[str, ...]:
    return tuple(segment for segment in text.split("/") if segment)


def _written(node: Any, path: tuple[str, ...], value: Any) -> Any:
    """The node with a value put at a path; what is empty does not exist."""
    if not path:
        return value if value not in ({}, []) else None
    children = dict(_children(node))
    child = _written(children.pop(path[0], None), path[1:], value)
    return {**children, **({path[0]: child} if child is not None else {})} or None


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
            if self.headers.get("Accept") == "text/event-stream" and not database.faults:
                self._stream()
                return
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

        def _stream(self) -> None:
            stream = database.open_stream(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            try:
                while (event := stream.events.get()) is not None:
                    data = json.dumps(event[1], separators=(",", ":"))
                    self.wfile.write(f"event: {event[0]}\ndata: {data}\n\n".encode())
            except OSError:
                database.requests.append(f"{self.path} was left")
            database.close_stream(stream)
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
        database.cut()
        server.shutdown()
        server.server_close()
        thread.join()
