"""A worker as its parent sees it: started with what it must know, asked, killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog

from event_pipeline.masking import secrets_of
from event_pipeline.settings import Settings
from event_pipeline.sql import frames
from event_pipeline.sql.errors import UnreadyWarehouseError
from event_pipeline.sql.frames import Frame
from event_pipeline.warehouse.connection import catalogs_exist

_START_SECONDS = 60.0
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "VIRTUAL_ENV")
_UNREADY = "the warehouse was never made or cannot be opened; see `event-pipeline status`, and start it with `make up`"

log = structlog.get_logger(__name__)


class WorkerProcess:
    """One process, which can be started again after it was killed. Not for two threads at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._is_asked = False

    @property
    def is_started(self) -> bool:
        """Whether there is a process, dead or alive."""
        return self._process is not None

    @property
    def is_warm(self) -> bool:
        """Whether it lives and waits for a request."""
        return self._process is not None and self._process.poll() is None and not self._is_asked

    def start(self) -> None:
        """Start it and wait until it is warm. Raises UnreadyWarehouseError."""
        self.kill()
        if not catalogs_exist(self._settings, ("warehouse",)):
            raise UnreadyWarehouseError(_UNREADY)
        ours, theirs = socket.socketpair()
        with theirs:
            self._socket = ours
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "event_pipeline.sql.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()], env=_environment(), cwd="/", stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        try:
            frames.send(ours, b"S", orjson.dumps(_told(self._settings)))
            first = frames.receive(ours, time.monotonic() + _START_SECONDS)
        except (OSError, EOFError) as error:
            first = Frame(frames.FAULT, str(error).encode())
        if first.kind != frames.READY:
            self.kill()
            log.warning("sql_worker_not_started", reason=first.body.decode(errors="replace"))
            raise UnreadyWarehouseError(_UNREADY)

    def ask(self, request: dict[str, Any], deadline: float) -> Iterator[Frame]:
        """Its frames, the last of which is END or FAULT. Raises EOFError or OSError when it dies, TimeoutError at the
        deadline of the monotonic clock."""
        if self._socket is None:
            raise EOFError("the worker was never started")
        self._is_asked = True
        self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
        frames.send(self._socket, b"Q", orjson.dumps(request))
        while True:
            frame = frames.receive(self._socket, deadline)
            self._is_asked = frame.kind not in (frames.END, frames.FAULT)
            yield frame
            if not self._is_asked:
                return

    def spoil(self) -> None:
        """Never ask it again."""
        self._is_asked = True

    def kill(self) -> None:
        """End it at once, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._socket is not None:
            self._socket.close()
        self._process = self._socket = None
        self._is_asked = False


def _environment() -> dict[str, str]:
    """The least that Python needs: no setting and no secret of this process."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # Arrow's own allocator reserves more address space than a worker may have, and its first allocation then fails.
    fixed = {"ARROW_DEFAULT_MEMORY_POOL": "system"}
    return kept | fixed | {"PIPELINE_CONFIG_FILE": os.devnull, "PYTHONDONTWRITEBYTECODE": "1"}


def _told(settings: Settings) -> dict[str, Any]:
    """What a worker must know: where the warehouse is and how it is signed in to; not the key of the pseudonyms."""
    storage = settings.storage if "://" in settings.storage else str(Path(settings.storage).absolute())
    known: dict[str, Any] = {
        "data_dir": str(settings.data_dir.absolute()),
        "db_path": str(settings.catalog_dir.absolute()),
        "storage_url": storage,
        "storage_endpoint": settings.storage_endpoint,
        "storage_region": settings.storage_region,
        "is_storage_encrypted": settings.is_storage_encrypted,
        "sql": settings.sql.model_dump(),
    }
    for name in ("catalog_url", "storage_key_id", "storage_secret"):
        secret = getattr(settings, name)
        known[name] = secret.get_secret_value() if secret is not None else None
    return {"settings": known, "hidden": sorted(_hidden(settings, known))}


def _hidden(settings: Settings, known: dict[str, Any]) -> set[str]:
    """Texts that no message may hold."""
    places = {known[name] for name in ("data_dir", "db_path", "storage_url", "storage_endpoint", "catalog_url")}
    host = urlsplit(known["catalog_url"]).hostname if known["catalog_url"] else None
    return {text for text in (*places, *secrets_of(settings), host) if text}
