"""One stream worker per data folder: a lock that the system lets go of however the worker ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from event_pipeline.errors import PipelineError, SettingsError
from event_pipeline.settings import Settings
from event_pipeline.stream.heartbeat import read_heartbeat


class AlreadyFollowingError(PipelineError):
    """Another worker follows this data folder's sources."""


@contextmanager
def claim_worker(settings: Settings) -> Iterator[None]:
    """Held for as long as the block runs. Raises AlreadyFollowingError while another process holds it.

    Raises SettingsError when the data folder cannot be used.
    """
    path = settings.data_dir / "stream" / "worker.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(
            f"setting data_dir (PIPELINE_DATA_DIR) names {settings.data_dir}, which cannot be used: {error.strerror} "
            f"({error.filename}); name a folder on a disk that is there and that this user may write to"
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = read_heartbeat(settings)
            who = f"process {running.pid}" if running else "a process that is still starting"
            raise AlreadyFollowingError(
                f"another stream worker follows the data folder {settings.data_dir} already ({who}); stop that one "
                "first, or set data_dir (PIPELINE_DATA_DIR) to another folder"
            ) from None
        yield
    finally:
        os.close(descriptor)
