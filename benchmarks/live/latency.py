"""From a commit in Firestore to the moment a reader of the warehouse sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression, quantiles
from typing import Any

from benchmarks.live.databases import Database, Registrations, Written
from benchmarks.live.workload import Workload
from benchmarks.steps import KEY, settings_of
from event_pipeline.settings import Settings
from event_pipeline.warehouse.catalog_copies import CatalogCopies
from event_pipeline.warehouse.connection import connect

POLL_SECONDS = 0.1
"""How often the reader looks; what it adds to a latency is at most this and its own query."""

_TICK_SECONDS = 0.02
_PATIENCE_SECONDS = 60.0
_PREFIX = "-Zseen"


@dataclass(slots=True)
class Latencies:
    """``seen`` are instants of commits and seconds until they were in sight; ``lost`` never came. ``worker_mb`` is the
    worker's resident size every five seconds."""

    rate: float
    seen: list[tuple[float, float]] = field(default_factory=list)
    lost: int = 0
    worker_mb: list[float] = field(default_factory=list)
    worker_cpu_share: float = 0.0

    def quantile(self, percent: int) -> float:
        """The percentile of the latencies in seconds."""
        return quantiles([latency for _, latency in self.seen], n=100, method="inclusive")[percent - 1]

    @property
    def growth(self) -> float:
        """Seconds by which the latency grows each second."""
        return linear_regression(*zip(*self.seen, strict=True)).slope

    def figures(self) -> dict[str, Any]:
        """What programs read of them."""
        return {
            "changes_a_second": self.rate,
            "changes": len(self.seen),
            "lost": self.lost,
            "p50_seconds": round(self.quantile(50), 3),
            "p95_seconds": round(self.quantile(95), 3),
            "p99_seconds": round(self.quantile(99), 3),
            "growth": round(self.growth, 3),
            "worker_cpu_share": round(self.worker_cpu_share, 2),
            "worker_mb": [round(size) for size in self.worker_mb],
        }


class Sight:
    """What was written and is not in sight yet. For the thread that writes and the one that reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[tuple[int, float]]] = {}

    def wrote(self, states: list[Written]) -> None:
        """They are committed as of now."""
        now = time.monotonic()
        with self._lock:
            for state in states:
                self._waiting.setdefault(state.document_id, []).append((state.registered_at, now))

    def oldest(self) -> int | None:
        """The oldest state that is not in sight; None when all are."""
        with self._lock:
            return min((states[0][0] for states in self._waiting.values()), default=None)

    def saw(self, rows: list[tuple[str, int]]) -> list[tuple[float, float]]:
        """States that these rows, or later states of the same document, bring in sight: when they were committed, and
        how long ago."""
        now, found = time.monotonic(), list[tuple[float, float]]()
        with self._lock:
            for document_id, registered_at in rows:
                states = self._waiting.get(document_id, [])
                found += [(at, now - at) for micros, at in states if micros <= registered_at]
                left = [state for state in states if state[0] > registered_at]
                if left:
                    self._waiting[document_id] = left
                else:
                    self._waiting.pop(document_id, None)
        return found

    def missing(self) -> int:
        """States that are not in sight."""
        with self._lock:
            return sum(map(len, self._waiting.values()))


class Organisation:
    """An app's database, and the pipeline's data folder that follows it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.settings = settings_of(folder)
        self.variables = {
            **database.variables,
            "PIPELINE_DATA_DIR": str(folder.resolve()),
            "PIPELINE_IDENTITY_KEY": KEY,
            "PIPELINE_FIREBASE__BACKEND": "firestore",
        }
        self._database = database
        with connect(self.settings, read_only=True) as connection:
            templates = Workload(connection).payloads()
        self._registrations = Registrations(templates, database.most_documents, _PREFIX)

    def commit(self, count: int) -> list[Written]:
        """Writes so many registrations at once; returns their states once they are committed."""
        made = [self._registrations.next() for _ in range(count)]
        self._database.write([document for document, _ in made])
        return [state for _, state in made]


@contextmanager
def running_worker(variables: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``event-pipeline stream`` as a process, and a session, of its own, as a service manager starts it."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PIPELINE_")} | variables
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "event_pipeline.cli", "stream"],
            env=environment, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


def wait_until_seen(organisation: Organisation, seconds: float = 1800.0) -> float:
    """Commits a registration and returns how long it took to come in sight. Raises RuntimeError when it does not."""
    sight, started = Sight(), time.monotonic()
    sight.wrote(organisation.commit(1))
    with _looking(organisation.settings, sight) as look:
        while time.monotonic() - started < seconds:
            if look():
                return time.monotonic() - started
            time.sleep(POLL_SECONDS)
    raise RuntimeError(f"a registration did not come in sight within {seconds:.0f} s")


def measure_latency(organisation: Organisation, rate: float, seconds: float, worker: int | None = None) -> Latencies:
    """Commits so many registrations a second for so long and watches them come in sight; ``worker`` is its process."""
    found, sight, done = Latencies(rate), Sight(), threading.Event()
    reader = threading.Thread(target=_read, args=(organisation.settings, sight, done, found), daemon=True)
    reader.start()
    process = _process(worker)
    started, cpu, written, sized_at = time.monotonic(), _cpu(process), 0, 0.0
    while (elapsed := time.monotonic() - started) < seconds:
        due = int(elapsed * rate) + 1 - written
        if due > 0:
            sight.wrote(organisation.commit(min(due, 500)))
            written += min(due, 500)
        if process is not None and elapsed >= sized_at:
            found.worker_mb.append(process.memory_info().rss / 1e6)
            sized_at += 5.0
        time.sleep(_TICK_SECONDS)
    found.worker_cpu_share = (_cpu(process) - cpu) / (time.monotonic() - started)
    done.set()
    reader.join()
    return found


def _read(settings: Settings, sight: Sight, done: threading.Event, found: Latencies) -> None:
    """Looks at the warehouse until all that was written is in sight."""
    ended_at = 0.0
    with _looking(settings, sight) as look:
        while True:
            found.seen += look()
            if done.is_set():
                ended_at = ended_at or time.monotonic()
                found.lost = sight.missing()
                if not found.lost or time.monotonic() - ended_at > _PATIENCE_SECONDS:
                    return
            time.sleep(POLL_SECONDS)


@contextmanager
def _looking(settings: Settings, sight: Sight) -> Iterator[Callable[[], list[tuple[float, float]]]]:
    """Looks as the API does: at copies of the catalogs, so that no writer holds the reader up."""
    with closing(CatalogCopies(settings)) as copies:
        copies.refresh()
        with connect(copies.settings, ("warehouse",), read_only=True) as connection:

            def look() -> list[tuple[float, float]]:
                copies.refresh(("warehouse",))
                return _look(connection, sight)

            yield look


def _look(connection: Any, sight: Sight) -> list[tuple[float, float]]:
    oldest = sight.oldest()
    if oldest is None:
        return []
    rows = connection.execute(
        "SELECT registration_id, epoch_us(registered_at) FROM warehouse.core.fact_registrations "
        f"WHERE registration_id > '{_PREFIX}' AND registered_at >= make_timestamptz({oldest})"
    ).fetchall()
    return sight.saw(rows)


def _process(pid: int | None) -> Any:
    import psutil

    return psutil.Process(pid) if pid is not None else None


def _cpu(process: Any) -> float:
    return sum(process.cpu_times()[:2]) if process is not None else 0.0
