"""The latest look at how sources fared: a look into the lake waits for whoever is committing, and pages ask often."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import structlog

from event_pipeline.api.catalog_session import Row
from event_pipeline.api.problems import Problem
from event_pipeline.api.reader import Reader
from event_pipeline.contracts.source_state import SOURCE_STATE

_OLDEST_SECONDS = 30.0
"""What is older than this is not given to anyone; a look is waited for."""

log = structlog.get_logger(__name__)


class SourceLook:
    """Gives what was last seen, and looks again behind whoever asked when that was ``kept_seconds`` ago."""

    def __init__(self, reader: Reader, kept_seconds: float) -> None:
        self._reader, self._kept_seconds = reader, kept_seconds
        self._looking = threading.Lock()
        self._seen: tuple[float, Sequence[Row]] | None = None

    def rows(self) -> Sequence[Row]:
        """The rows of ``ops.source_state``; none while nothing was ever read. Raises Problem."""
        seen, now = self._seen, time.monotonic()
        if seen is None or now - seen[0] > _OLDEST_SECONDS:
            with self._looking:
                return self._look()
        if now - seen[0] > self._kept_seconds and self._looking.acquire(blocking=False):
            try:
                threading.Thread(target=self._look_behind, name="api-sources", daemon=True).start()
            except RuntimeError:
                # The system gives no more threads: the next who asks tries again.
                self._looking.release()
                log.warning("sources_not_looked_at", reason="no more threads")
        return seen[1]

    def _look_behind(self) -> None:
        try:
            self._look()
        except Problem:
            # Whoever asks next is told: nothing is kept of what can no longer be read.
            self._seen = None
        except Exception:
            self._seen = None
            log.exception("sources_not_looked_at")
        finally:
            self._looking.release()

    def _look(self) -> Sequence[Row]:
        with self._reader.session() as session:
            there = session.row(
                "SELECT 1 FROM duckdb_tables() "
                "WHERE database_name = 'lake' AND schema_name = $layer AND table_name = $table",
                {"layer": SOURCE_STATE.layer, "table": SOURCE_STATE.table},
            )
            rows = session.rows(f"SELECT * FROM {SOURCE_STATE.qualified} ORDER BY source") if there else []
        self._seen = time.monotonic(), rows
        return rows
