"""What passes between a worker and its parent over a socket: a kind of one byte, a length, a body."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass

READY, COLUMNS, ROWS, END, FAULT = b"R", b"C", b"D", b"E", b"F"
"""The worker is warm; names and types of columns; some rows; how it ended; why it failed. JSON but for rows."""

MOST_BYTES = 2**28
"""Of one frame's body; a worker that announces more is not a worker any more."""

_HEAD = struct.Struct("!cI")


@dataclass(frozen=True, slots=True)
class Frame:
    """One message."""

    kind: bytes
    body: bytes


def send(connection: socket.socket, kind: bytes, body: bytes) -> None:
    """Send one. Raises OSError: the other side is gone; TimeoutError by the socket's own timeout."""
    connection.sendall(_HEAD.pack(kind, len(body)))
    connection.sendall(body)


def receive(connection: socket.socket, deadline: float | None = None) -> Frame:
    """The next one. Raises EOFError or OSError when the other side is gone, TimeoutError when ``deadline``, on the
    monotonic clock, comes first."""
    kind, length = _HEAD.unpack(_exactly(connection, _HEAD.size, deadline))
    if length > MOST_BYTES:
        raise EOFError(f"a frame of {length:,} bytes")
    return Frame(kind, _exactly(connection, length, deadline))


def _exactly(connection: socket.socket, length: int, deadline: float | None) -> bytes:
    body = bytearray(length)
    view, taken = memoryview(body), 0
    while taken < length:
        if deadline is not None:
            connection.settimeout(_seconds_until(deadline))
        received = connection.recv_into(view[taken:])
        if not received:
            raise EOFError("the other side is gone")
        taken += received
    return bytes(body)


def _seconds_until(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
