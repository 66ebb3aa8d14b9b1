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

from event_pipeline.background_task import BackgroundTask, TaskStates
from event_pipeline.errors import TransientError

UNFINISHED = ".part"
_PREFIX = "inbound-"
_PUBLISHED_AFTER_SECONDS = 0.1
_MOST_BYTES = 8 * 1024 * 1024
_LONGEST_SECONDS = 20.0
"""So long a caller waits at most for the disk; then it is told to send again, whatever becomes of what it sent."""

_RECOVERED_EVERY_SECONDS = 30.0
WRITING = "inbox-writing"
"""The name under which it is known whether the disk takes what comes."""

_STOPPING = "the process is stopping; send it again"

log = structlog.get_logger()


class InboxJournal:
    """Appends to the inbox of a data folder. Any thread may call it; several processes have files of their own."""

    def __init__(self, directory: Path, states: TaskStates | None = None) -> None:
        """``states`` hears how the thread that writes fares."""
        self._directory = directory
        self._states = states or TaskStates()
        self._changed = threading.Condition()
        self._waiting: list[tuple[bytes, Future[None]]] = []
        self._thread: BackgroundTask | None = None
        self._is_closing = False
        self._ended = threading.Event()
        self._file: _Unfinished | None = None
        self._left_at: float | None = None
        self._numbers = 0

    def append(self, records: Iterable[dict[str, Any]]) -> None:
        """Keep the records; they are on disk when it returns.

        Raises TransientError when they are not, within a bounded time; they may be there all the same, so whoever reads
        the inbox counts a record that was sent again once.
        """
        lines = b"".join(orjson.dumps(record) + b"\n" for record in records)
        if not lines:
            return
        done: Future[None] = Future()
        with self._changed:
            if self._is_closing:
                raise TransientError(_STOPPING)
            self._require_thread()
            self._waiting.append((lines, done))
            self._changed.notify()
        try:
            done.result(_LONGEST_SECONDS)
        except TimeoutError:
            with self._changed:
                self._waiting = [item for item in self._waiting if item[1] is not done]
            raise TransientError(f"the disk did not take it within {_LONGEST_SECONDS:g} s; send it again") from None

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

    def _require_thread(self) -> None:
        """Start the thread that writes. Raises TransientError when the system gives no more threads."""
        if self._thread is None or not self._thread.is_alive():
            thread = BackgroundTask("inbox-journal", self._turn, self._states, self._ended, expected=(OSError,))
            try:
                thread.start()
            except RuntimeError:
                raise TransientError("the system gives this process no more threads; send it again later") from None
            self._thread = thread

    def _turn(self) -> float:
        """Write what waits, and finish the file when its time has come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closing, self._seconds_left())
            batch, self._waiting = self._waiting, []
            is_last = self._is_closing and not batch
            if is_last:
                self._ended.set()
        if batch:
            self._write(batch)
        if self._file is not None and (is_last or self._seconds_left() == 0):
            self._publish(self._file)
        if self._left_at is not None and (is_last or time.monotonic() - self._left_at > _RECOVERED_EVERY_SECONDS):
            self._left_at = time.monotonic()
            self.recover()
            self._left_at = None
        return 0.0

    def _seconds_left(self) -> float | None:
        """Until there is something to do even if nothing comes; None where there is not."""
        if self._file is None:
            left = self._left_at
            return None if left is None else max(0.0, left + _RECOVERED_EVERY_SECONDS - time.monotonic())
        if self._file.size >= _MOST_BYTES:
            return 0.0
        return max(0.0, self._file.began + _PUBLISHED_AFTER_SECONDS - time.monotonic())

    def _write(self, batch: list[tuple[bytes, Future[None]]]) -> None:
        """Every caller gets an answer, whatever happens."""
        try:
            if self._file is None:
                self._numbers += 1
                self._file = _Unfinished(self._directory, self._numbers)
            self._file.append(b"".join(lines for lines, _ in batch))
        except Exception as error:
            reason = (isinstance(error, OSError) and error.strerror) or type(error).__name__
            failure = TransientError(f"the inbox cannot be written ({reason}); send it again later")
            for _, done in batch:
                done.set_exception(failure)
            self._states.failed(WRITING, str(failure))
            if self._file is not None and self._file.is_spoilt:
                self._leave(self._file)
            log.error("inbox_not_writable", reason=reason, exc_info=None if isinstance(error, OSError) else error)
        else:
            for _, done in batch:
                done.set_result(None)
            self._states.succeeded(WRITING)

    def _publish(self, file: _Unfinished) -> None:
        try:
            self._file = None
            file.finish()
        except OSError as error:
            # What is in it is on disk; it is given its name a little later.
            self._left_at = time.monotonic()
            log.error("inbox_file_not_finished", reason=error.strerror)

    def _leave(self, file: _Unfinished) -> None:
        """Write to it no more; what is whole in it is given its name a little later."""
        self._file, self._left_at = None, time.monotonic()
        file.leave()


class _Unfinished:
    """A file that is being appended to, locked so that no other process takes it for abandoned."""

    def __init__(self, directory: Path, number: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.began = time.monotonic()
        self.size = 0
        self.is_spoilt = False
        name = f"{_PREFIX}{time.time_ns() // 1000}-{os.getpid()}-{number}.ndjson{UNFINISHED}"
        self._path = directory / name
        hidden = directory / f".{name}"
        self._descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            # Locked before it has a name that others look for.
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            hidden.rename(self._path)
            _sync_folder(directory)
        except BaseException:
            os.close(self._descriptor)
            raise

    def append(self, lines: bytes) -> None:
        """Add whole lines, all of them or none. Raises OSError; it is spoilt when half of them may be left."""
        rest = memoryview(lines)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except BaseException:
            self.is_spoilt = True
            os.ftruncate(self._descriptor, self.size)
            self.is_spoilt = False
            raise
        self.size += len(lines)

    def leave(self) -> None:
        """Give up the claim to it."""
        os.close(self._descriptor)

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
