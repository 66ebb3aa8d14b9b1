"""Encoding in a process of its own, as seen by who asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import IO

import pyarrow as pa

from event_pipeline.errors import PipelineError
from event_pipeline.exports.formats import FormatName
from event_pipeline.exports.writer import WriteOptions

_CHUNK = 256_000
_LONGEST_REASON = 500
_ENDED = "the process that writes files was ended"
_SECRETS = "PIPELINE_"


class EncodingError(PipelineError):
    """The file could not be written; the message says why."""


class Encoder:
    """A process that writes a file of this format to ``output``, or to a pipe that ``chunks`` reads."""

    def __init__(self, name: FormatName, options: WriteOptions, output: IO[bytes] | None = None) -> None:
        command = [sys.executable, "-m", "event_pipeline.exports.encoder", name]
        command += ["--byte-order-mark"] if options.byte_order_mark else []
        command += ["--scratch", str(options.scratch)] if options.scratch else []
        with ExitStack() as opened:
            self._said = opened.enter_context(tempfile.TemporaryFile())
            self._process = subprocess.Popen(  # noqa: S603 - a module of ours, and no shell
                command,
                env={key: value for key, value in os.environ.items() if not key.startswith(_SECRETS)},
                stdin=subprocess.PIPE,
                stdout=output or subprocess.PIPE,
                stderr=self._said,
                start_new_session=True,
            )
            opened.pop_all()

    def feed(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """Hand every batch over, then say that this was all. Raises EncodingError when the process has ended."""
        stream = _pipe(self._process.stdin)
        try:
            with pa.ipc.new_stream(stream, schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
            stream.close()
        except BrokenPipeError:
            self.finish()
            raise EncodingError(_ENDED) from None

    def chunks(self) -> Iterator[bytes]:
        """What it writes, as it comes."""
        descriptor = _pipe(self._process.stdout).fileno()
        while chunk := os.read(descriptor, _CHUNK):
            yield chunk

    def finish(self, seconds: float | None = None) -> None:
        """Wait until it has written everything. Raises EncodingError when it failed or takes longer."""
        try:
            if self._process.wait(seconds) == 0:
                return
        except subprocess.TimeoutExpired:
            raise EncodingError("writing the file took too long") from None
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        raise EncodingError(lines[-1][:_LONGEST_REASON] if lines else _ENDED)

    def kill(self) -> None:
        """End it, whatever it is doing; nothing happens when it has ended."""
        self._process.kill()

    def close(self) -> None:
        """End it and give back its pipes."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            # What is still buffered for a process that has ended is of no use.
            with suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()


def encoded_elsewhere(
    name: FormatName, options: WriteOptions, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[bytes]:
    """The file's bytes, made in another process; batches are read in a thread. Raises what reading them raises."""
    encoder = Encoder(name, options)

    def kill_after_failure(fed: Future[None]) -> None:
        if fed.exception() is not None:
            encoder.kill()

    try:
        with ThreadPoolExecutor(1, "export-feeder") as feeder:
            fed = feeder.submit(encoder.feed, schema, batches)
            fed.add_done_callback(kill_after_failure)
            try:
                yield from encoder.chunks()
                fed.result()
                encoder.finish()
            finally:
                encoder.kill()
    finally:
        encoder.close()


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise EncodingError("the process that writes files has no such pipe")
    return stream
