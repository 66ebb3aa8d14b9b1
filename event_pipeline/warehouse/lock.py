"""One writer at a time: the inter-process lock and the transaction every write goes through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from event_pipeline.errors import TransientError
from event_pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

LOCK_TIMEOUT_SECONDS = 600.0
_POLL_SECONDS = 0.01


@contextmanager
def write_lock(settings: Settings) -> Iterator[None]:
    """Holds the write lock of the data folder.

    SQLite catalogs answer two committing processes with "database is locked", so writers queue here instead. Who waits
    for the lock holds the turnstile before it, so that a writer that comes back at once lets the one that waits go
    first: neither a run nor the stream worker starves the other. Raises TransientError when others write for longer
    than ten minutes.
    """
    settings.catalog_dir.mkdir(parents=True, exist_ok=True)
    lock, turnstile = (
        FileLock(settings.catalog_dir / name, timeout=LOCK_TIMEOUT_SECONDS, poll_interval=_POLL_SECONDS)
        for name in ("write.lock", "write.turnstile")
    )
    try:
        with turnstile:
            lock.acquire()
    except Timeout:
        raise TransientError(
            f"another process has been writing for {LOCK_TIMEOUT_SECONDS:.0f} s (lock {lock.lock_file}); "
            "see `event-pipeline status` for the run that holds it"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """A transaction: committed on leaving, rolled back on any error."""
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def write_transaction(connection: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[None]:
    """A transaction under the write lock; raises as ``write_lock`` does."""
    with write_lock(settings), transaction(connection):
        yield
