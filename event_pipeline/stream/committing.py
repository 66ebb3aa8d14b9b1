"""Commits that do not give up: what fails is tried again, over a fresh connection where the old one may be broken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Protocol

import structlog

from event_pipeline.errors import PipelineError, SettingsError, TransientError
from event_pipeline.settings import Settings
from event_pipeline.sources.change import ChangeBatch
from event_pipeline.stream.committer import Committed
from event_pipeline.stream.sources.follower import backoff_seconds
from event_pipeline.stream.sources.live_source import LiveReport

log = structlog.get_logger()

MOST_WAIT_SECONDS = 20.0
_STOPPING_WAIT_SECONDS = 1.0
_ATTEMPTS_PER_CONNECTION = 5
_FULL = "the disk is full: make room where the data folder is"
_SIGNS = {
    "no space left": _FULL,
    "disk is full": _FULL,
    "file too large": "the system lets this process's files grow no more: raise the limit on the size of a file",
    "database is locked": "the catalog is locked: another process writes to it and does not take turns",
    "permission denied": "the data folder may not be written to: see who owns its files",
}
"""What foreign errors say, and what that means."""


class Commits(Protocol):
    """What commits over one connection; ``Committer`` in earnest."""

    def commit(self, batches: Sequence[ChangeBatch], reports: Sequence[LiveReport]) -> Committed:
        """See ``Committer.commit``."""
        ...


OpenCommits = Callable[[Settings], AbstractContextManager[Commits]]


@contextmanager
def open_committer(settings: Settings) -> Iterator[Commits]:
    """A committer over a connection of its own, closed on leaving."""
    from event_pipeline.stream.committer import Committer
    from event_pipeline.warehouse.connection import connect, ibis_backend

    with connect(settings) as connection:
        committer = Committer(ibis_backend(connection), settings)
        try:
            yield committer
        finally:
            committer.close()


class GaveUpError(PipelineError):
    """The worker had to stop before a commit succeeded; what it held is read again at the next start."""


class Committing:
    """Commits for the loop's thread. ``failing_since`` and ``failure`` tell others how it fares.

    ``stopping`` shortens the waits between tries, ``given_up`` ends them.
    """

    def __init__(
        self, settings: Settings, opened: OpenCommits, stopping: threading.Event, given_up: threading.Event
    ) -> None:
        self._settings, self._open = settings, opened
        self._stopping, self._given_up = stopping, given_up
        self._stack = ExitStack()
        self._commits: Commits | None = None
        self._has_committed = False
        self.failing_since: datetime | None = None
        self.failure = ""

    def commit(self, batches: Sequence[ChangeBatch], reports: Sequence[LiveReport]) -> Committed:
        """What the committer did, at whichever try. Raises GaveUpError, and whatever no further try mends before the
        first commit ever: wrong settings, a catalog that is of somebody else."""
        attempts = 0
        while True:
            try:
                if self._commits is None:
                    self._commits = self._stack.enter_context(self._open(self._settings))
                done = self._commits.commit(batches, reports)
            except Exception as error:
                attempts += 1
                if isinstance(error, SettingsError) or not (self._has_committed or is_passing(error)):
                    raise
                self._failed(error, attempts)
            else:
                if attempts:
                    log.info("commits_again", attempts=attempts)
                self._has_committed, self.failing_since, self.failure = True, None, ""
                return done

    def close(self) -> None:
        """Closes the connection; one that is broken need not do so in order."""
        self._commits = None
        try:
            self._stack.close()
        except Exception as error:  # noqa: BLE001 - a broken connection may fail in any way at its end
            log.warning("connection_not_closed", reason=type(error).__name__)
        self._stack = ExitStack()

    def _failed(self, error: Exception, attempts: int) -> None:
        self.failing_since = self.failing_since or datetime.now(UTC)
        self.failure = in_words(error)
        wait = min(MOST_WAIT_SECONDS, backoff_seconds(attempts))
        log.error(
            "commit_failed", attempts=attempts, retry_seconds=round(wait, 1),
            exc_info=None if is_passing(error) else error, reason=" ".join(str(error).split()),
        )  # fmt: skip
        if not is_passing(error) or attempts % _ATTEMPTS_PER_CONNECTION == 0:
            self.close()
        if self._stopping.is_set() or self._stopping.wait(wait):
            self._given_up.wait(min(wait, _STOPPING_WAIT_SECONDS))
        if self._given_up.is_set():
            raise GaveUpError("the worker stopped before what it held could be committed; it is read again") from error


def is_passing(error: Exception) -> bool:
    """Whether the connection is whole and another try may do: a lock held by others, a full disk."""
    import duckdb

    return isinstance(error, TransientError | OSError | duckdb.IOException | duckdb.TransactionException)


def in_words(error: Exception) -> str:
    """Why it could not be committed, for people; what a foreign error says may hold more than they should see."""
    if isinstance(error, PipelineError):
        return str(error)
    said = str(error).lower()
    for sign, words in _SIGNS.items():
        if sign in said:
            return words
    return f"{type(error).__name__}; see the worker's log"
