"""Copies of SQLite catalogs for a process that answers people: where nobody commits, nobody waits for a writer.

DuckDB's SQLite opens a catalog anew for each transaction, and where a writer is just closing it, it sleeps a whole
second before it tries again. A copy takes a few milliseconds, is made when the catalog has changed, and takes the
place of the one before at once: whoever reads that one goes on reading it. A catalog in PostgreSQL needs none.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Collection

import structlog

from event_pipeline.contracts.contract import Catalog
from event_pipeline.settings import Settings

NOT_COPIED = "the warehouse's catalog could not be copied; the log says why, such as a full disk"
"""What those are told who asked."""

log = structlog.get_logger(__name__)


class CatalogCopies:
    """The copies of one process, which may be asked by several threads. ``settings`` are those that open them.

    A process of its own copies: two SQLite libraries in one process undo each other's locks on a file.
    """

    def __init__(self, settings: Settings) -> None:
        self._source, self._is_needed = settings.catalog_dir, settings.catalog_url is None
        # The number of the process tells the next one whether somebody still reads these.
        self._folder = settings.data_dir / "api" / "catalogs" / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock = threading.Lock()
        self._copier: subprocess.Popen[bytes] | None = None
        self.settings = settings.model_copy(update={"db_path": self._folder}) if self._is_needed else settings

    def refresh(self, catalogs: Collection[Catalog] = ("lake", "warehouse")) -> None:
        """Afterwards the copies of these catalogs hold everything that was committed before the call.

        A catalog that is not there yet has no copy. Raises OSError when none can be made, such as on a full disk.
        """
        if not self._is_needed:
            return
        with self._lock:
            answer = self._ask(catalogs) or self._ask(catalogs)
        if answer != "ok":
            raise OSError(f"the catalog could not be copied: {answer or 'the process that copies ended'}")

    def close(self) -> None:
        """End the process that copies, which takes the copies with it."""
        with self._lock:
            self._end()

    def _ask(self, catalogs: Collection[Catalog]) -> str:
        """What the copying process answers; nothing when it is gone."""
        try:
            copier = self._running()
            if copier.stdin is None or copier.stdout is None:
                return ""
            copier.stdin.write(" ".join(catalogs).encode() + b"\n")
            answer = copier.stdout.readline().decode().strip()
        except BrokenPipeError:
            answer = ""
        except BaseException:
            # An answer that nobody took would be taken for that of the next question.
            self._end()
            raise
        if not answer:
            log.warning("catalog_copier_ended")
            self._end()
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._copier is None:
            folders = [str(folder.absolute()) for folder in (self._source, self._folder)]
            self._copier = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", "event_pipeline.warehouse.catalog_copier", *folders],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, bufsize=0,
            )  # fmt: skip
        return self._copier

    def _end(self) -> None:
        copier, self._copier = self._copier, None
        if copier is None:
            return
        for pipe in (copier.stdin, copier.stdout):
            if pipe is not None:
                pipe.close()
        copier.wait()
