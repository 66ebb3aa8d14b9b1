"""From a commit in the Firestore emulator to the moment a reader of the warehouse sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any
from uuid import uuid4

from google.api_core import exceptions, retry

from benchmarks.live.workload import Workload
from benchmarks.steps import KEY, settings_of
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.rows import first_row

POLL_SECONDS = 0.1
"""How often the reader looks; what it adds to a latency is at most this and its own query."""

_PATIENCE_SECONDS = 60.0
_PREFIX = "-Zseen"


@dataclass(slots=True)
class Latencies:
    """Seconds from commit to sight, and the worker's resident size over time in MB. ``lost`` never came in sight."""

    rate: float
    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    worker_mb: list[float] = field(default_factory=list)
    worker_cpu_share: float = 0.0

    def quantile(self, percent: int) -> float:
        """The percentile of the latencies in seconds."""
        return quantiles(self.seconds, n=100, method="inclusive")[percent - 1]


class Organisation:
    """An app's Firestore on the emulator, and the pipeline's data folder that follows it."""

    def __init__(self, folder: Path, emulator: str) -> None:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.firestore import Client

        project = f"bench-{uuid4().hex[:12]}"
        os.environ["FIRESTORE_EMULATOR_HOST"] = emulator
        self.settings = settings_of(folder)
        self.variables = {
            "FIRESTORE_EMULATOR_HOST": emulator,
            "PIPELINE_DATA_DIR": str(folder.resolve()),
            "PIPELINE_IDENTITY_KEY": KEY,
            "PIPELINE_FIREBASE__BACKEND": "firestore",
            "PIPELINE_FIREBASE__PROJECT_ID": project,
        }
        self._client: Any = Client(project=project, credentials=AnonymousCredentials())
        with connect(self.settings, read_only=True) as connection:
            self._workload = Workload(connection, seed=int(time.time()))

    def commit_one(self) -> str:
        """Writes a registration; returns its id once the emulator has committed it."""
        change = self._workload.registration()
        document_id = change.document_id.replace("-Zlive", _PREFIX) + uuid4().hex[:4]
        document, payload = self._client.collection("registrations").document(document_id), change.payload or "{}"
        # The emulator now and then answers UNKNOWN under load; the write is the same however often it is done.
        retrying = retry.Retry(retry.if_exception_type(exceptions.Unknown, exceptions.ServiceUnavailable))
        retrying(document.set)(json.loads(payload))
        return document_id


@contextmanager
def running_worker(variables: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``event-pipeline stream`` as a process of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PIPELINE_")} | variables
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "event_pipeline.cli", "stream"], env=environment, stdout=output, stderr=output
        )
        try:
            yield process
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()


def wait_until_live(organisation: Organisation, seconds: float = 900.0) -> None:
    """Returns when a registration written now comes in sight. Raises RuntimeError when none does."""
    with connect(organisation.settings, ("warehouse",), read_only=True) as connection:
        wanted, deadline = organisation.commit_one(), time.monotonic() + seconds
        while time.monotonic() < deadline:
            query = f"SELECT 1 FROM warehouse.core.fact_registrations WHERE registration_id = '{wanted}'"
            if first_row(connection.execute(query)):
                return
            time.sleep(0.5)
    raise RuntimeError("the first registration never came in sight")


def measure_latency(organisation: Organisation, rate: float, seconds: float, watched: int | None = None) -> Latencies:
    """Commits so many registrations a second for so long and watches them come in sight."""
    found, written = Latencies(rate), dict[str, float]()
    done, lock = threading.Event(), threading.Lock()
    reader = threading.Thread(target=_read, args=(organisation.settings, written, lock, done, found), daemon=True)
    reader.start()
    process = _process(watched)
    started, cpu = time.monotonic(), _cpu(process)
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, started + number / rate - time.monotonic()))
        document_id = organisation.commit_one()
        with lock:
            written[document_id] = time.monotonic()
        if process is not None and number % max(1, int(rate * 5)) == 0:
            found.worker_mb.append(process.memory_info().rss / 1e6)
    found.worker_cpu_share = (_cpu(process) - cpu) / (time.monotonic() - started)
    done.set()
    reader.join()
    return found


def _read(
    settings: Settings, written: dict[str, float], lock: threading.Lock, done: threading.Event, found: Latencies
) -> None:
    """Looks at the warehouse as any reader would, until all that was written is in sight."""
    seen: set[str] = set()
    ended_at = 0.0
    with connect(settings, ("warehouse",), read_only=True) as connection:
        while True:
            rows = connection.execute(
                f"SELECT registration_id FROM warehouse.core.fact_registrations WHERE registration_id > '{_PREFIX}'"
            ).fetchall()
            now = time.monotonic()
            visible = {key for (key,) in rows} - seen
            with lock:
                came = visible & written.keys()
                found.seconds += [now - written[key] for key in came]
                missing = len(written.keys() - seen - came)
            seen |= came
            if done.is_set():
                ended_at = ended_at or now
                if not missing or now - ended_at > _PATIENCE_SECONDS:
                    found.lost = missing
                    return
            time.sleep(POLL_SECONDS)


def _process(pid: int | None) -> Any:
    import psutil

    return psutil.Process(pid) if pid is not None else None


def _cpu(process: Any) -> float:
    return sum(process.cpu_times()[:2]) if process is not None else 0.0


def figures(latencies: Sequence[Latencies]) -> list[dict[str, object]]:
    """What programs read of them."""
    return [
        {
            "changes_a_second": found.rate,
            "changes": len(found.seconds),
            "lost": found.lost,
            "p50_seconds": round(found.quantile(50), 3),
            "p95_seconds": round(found.quantile(95), 3),
            "p99_seconds": round(found.quantile(99), 3),
            "worker_cpu_share": round(found.worker_cpu_share, 2),
            "worker_mb": [round(size) for size in found.worker_mb],
        }
        for found in latencies
    ]
