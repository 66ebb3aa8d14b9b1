"""The same journey without the stream worker: a sensor sees the change, a run brings it in."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.live.latency import Latencies, Organisation, wait_until_seen

_PATIENCE_SECONDS = 900.0


@contextmanager
def running_pipeline(variables: dict[str, str], log: Path) -> Iterator[None]:
    """``event-pipeline up`` with the stream worker switched off: Dagster's webserver and daemon, nothing else."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PIPELINE_")} | variables
    environment |= {"PIPELINE_STREAM__IS_ENABLED": "false", "PIPELINE_DAGSTER_URL": "http://127.0.0.1:3977"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "event_pipeline.cli", "up"],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(60)
            process.kill()
            process.wait()


def measure_sensor_path(organisation: Organisation, changes: int) -> Latencies:
    """One registration after the other, each committed when the one before is in sight.

    Raises RuntimeError when one never comes.
    """
    found = Latencies(rate=0.0)
    # The first one also waits for Dagster to start and for its first runs.
    wait_until_seen(organisation, _PATIENCE_SECONDS)
    for _ in range(changes):
        at = time.monotonic()
        found.seen.append((at, wait_until_seen(organisation, _PATIENCE_SECONDS)))
    return found
