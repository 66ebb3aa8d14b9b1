"""Exports that are answered at once: a few at a time, cut off when they take too long, closed whoever leaves first."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from event_pipeline.api.exports.source import Source
from event_pipeline.api.problems import Problem
from event_pipeline.exports.encoding import encoded_elsewhere
from event_pipeline.exports.formats import FORMATS, FormatName
from event_pipeline.exports.writer import WriteOptions

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_SLOW = frozenset({"json", "ndjson", "xlsx"})
"""Formats whose rows are made one by one, which would keep other requests waiting."""

_MANY_ROWS = 20_000


_PATIENCE_SECONDS = 1.0
"""A place is given back a moment after its answer has been read, by when the same client may ask for the next."""


class Places:
    """So many at a time; who comes when all are taken, and stay so, is told."""

    def __init__(self, count: int) -> None:
        self._free = threading.BoundedSemaphore(count)

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place. Raises Problem busy."""
        if not self._free.acquire(timeout=_PATIENCE_SECONDS):
            detail = "as many exports as may be answered at a time are; try again, or POST /api/pipeline/exports"
            raise Problem("busy", detail, {"Retry-After": "5"})
        try:
            yield
        finally:
            self._free.release()


class ExportStream(StreamingResponse):
    """The file as it is made. It takes over ``resources`` and gives them back at its end, whatever that is."""

    def __init__(
        self,
        chunks: Generator[bytes, None, None],
        resources: ExitStack,
        seconds: float,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        # The first chunk is made before anything is answered, so that what fails is a problem document.
        first = next(chunks, b"")
        super().__init__(chain((first,), chunks), media_type=media_type, headers=dict(headers))
        # From here on it is for the answer to give them back.
        self._chunks, self._resources, self._seconds = chunks, resources.pop_all(), seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it. Raises TimeoutError when it, or who reads it, is too slow."""
        try:
            with anyio.fail_after(self._seconds):
                await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._close)

    def _close(self) -> None:
        with self._resources:
            self._chunks.close()


def encoded(name: FormatName, options: WriteOptions, source: Source) -> Generator[bytes, None, None]:
    """The file's bytes."""
    if name in _SLOW and (source.rows is None or source.rows > _MANY_ROWS):
        yield from encoded_elsewhere(name, options, source.schema, source.batches)
    else:
        yield from FORMATS[name].write(source.schema, source.batches, options)


def attachment(file_name: str) -> dict[str, str]:
    """Headers by which a browser saves the answer under that name, which is plain ASCII."""
    return {"Content-Disposition": f'attachment; filename="{file_name}"'}
