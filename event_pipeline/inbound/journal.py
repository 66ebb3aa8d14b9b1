"""Writes records into the inbox: on disk before it returns, many callers at a time for the price of one.

One thread appends what has gathered to an unfinished file, makes the disk have it, and lets its callers go. The file
gets its final name moments later, so that a burst becomes a few files and not thousands. What a process that was killed
left unfinished is given its name by ``recover``, without the line that was being written: nobody was told it is safe.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import orjson
import structlog

from event_pipeline.errors import TransientError

UNFINISHED = ".part"
_PREFIX = "inbound-"
_PUBLISHED_AFTER_SECONDS = 0.1
_MOST_BYTES = 8 * 1024 * 1024

log = structlog.get_logger()


class InboxJournal:
    """Appends to the inbox of a data folder. Any thread may call it; several processes have files of their own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._changed = threading.Condition()
        self._waiting: list[tuple[bytes, Future[None]]] = []
        self._thread: threading.Thread | None = None
        self._is_closing = False
        self._file: _Unfinished | None = None
        self._numbers = 0

    def append(self, records: Iterable[dict[str, Any]]) -> None:
        """Keep the records; they are on disk when it returns. Raises TransientError when they cannot be."""
        lines = b"".join(orjson.dumps(record) + b"\n" for record in records)
        if not lines:
            return
        done: Future[None] = Future()
        with self._changed:
            if self._is_closing:
                raise TransientError("the process is stopping; send it again")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="inbox-journal", daemon=True)
                self._thread.start()
            self._waiting.append((lines, done))
            self._changed.notify()
        done.result()

    def recover(self) -> int:
        """Finish the files that killed processes left; returns how many."""
        found = sorted(self._directory.glob(f"{_PREFIX}*{UNFINISHED}"))
        recovered = sum(_finish_abandoned(path) for path in found)
        if recovered:
            log.info("inbox_files_recovered", files=recovered)
        return recovered

    def close(self) -> None:
        """Write what waits, finish the file, and take no more."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closing, self._seconds_left())
                batch, self._waiting = self._waiting, []
                is_last = self._is_closing and not batch
            if batch:
                self._write(batch)
            if self._file is not None and (is_last or self._seconds_left() == 0):
                self._publish(self._file)
            if is_last:
                return

    def _seconds_left(self) -> float | None:
        """Until the file is to get its name; None while there is none."""
        if self._file is None:
            return None
        if self._file.size >= _MOST_BYTES:
            return 0.0
        return max(0.0, self._file.began + _PUBLISHED_AFTER_SECONDS - time.monotonic())

    def _write(self, batch: list[tuple[bytes, Future[None]]]) -> None:
        try:
            if self._file is None:
                self._numbers += 1
                self._file = _Unfinished(self._directory, self._numbers)
            self._file.append(b"".join(lines for lines, _ in batch))
        except OSError as error:
            log.error("inbox_not_writable", reason=error.strerror)
            failure = TransientError(f"the inbox cannot be written ({error.strerror}); send it again later")
            for _, done in batch:
                done.set_exception(failure)
            return
        for _, done in batch:
            done.set_result(None)

    def _publish(self, file: _Unfinished) -> None:
        self._file = None
        try:
            file.finish()
        except OSError as error:
            # What is in it is on disk; the next start gives it its name.
            log.error("inbox_file_not_finished", reason=error.strerror)


class _Unfinished:
    """A file that is being appended to, locked so that no other process takes it for abandoned."""

    def __init__(self, directory: Path, number: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.began = time.monotonic()
        self.size = 0
        name = f"{_PREFIX}{time.time_ns() // 1000}-{os.getpid()}-{number}.ndjson{UNFINISHED}"
        self._path = directory / name
        hidden = directory / f".{name}"
        self._descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        # Locked before it has a name that others look for.
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        hidden.rename(self._path)
        _sync_folder(directory)

    def append(self, lines: bytes) -> None:
        """Add whole lines, all of them or none. Raises OSError."""
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(lines)

    def finish(self) -> None:
        """Give it the name by which the inbox is read; nothing of an empty one is left."""
        try:
            _give_name(self._path, self.size)
        finally:
            os.close(self._descriptor)


def _finish_abandoned(path: Path) -> bool:
    """Whether the file was nobody's, and is finished now."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        whole = path.read_bytes().rfind(b"\n") + 1
        os.ftruncate(descriptor, whole)
        os.fsync(descriptor)
        _give_name(path, whole)
    except (BlockingIOError, FileNotFoundError):
        return False
    finally:
        os.close(descriptor)
    return True


def _give_name(path: Path, size: int) -> None:
    if size:
        path.rename(path.with_suffix(""))
    else:
        path.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
