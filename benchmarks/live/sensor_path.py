"""The same journey without the stream worker: a sensor sees the change, a run brings it in."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.live.latency import Latencies, Organisation
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.rows import first_row

_PATIENCE_SECONDS = 600.0


@contextmanager
def running_pipeline(variables: dict[str, str], log: Path) -> Iterator[None]:
    """``event-pipeline up`` with the stream worker switched off: Dagster's webserver and daemon, nothing else."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PIPELINE_")} | variables
    environment |= {"PIPELINE_STREAM__IS_ENABLED": "false", "PIPELINE_DAGSTER_URL": "http://127.0.0.1:3977"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "event_pipeline.cli", "up"], env=environment, stdout=output, stderr=output
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
    """One registration after the other, each committed when the one before is in sight."""
    found = Latencies(rate=0.0)
    with connect(organisation.settings, ("warehouse",), read_only=True) as connection:
        for number in range(changes + 1):
            wanted, written = organisation.commit_one(), time.monotonic()
            query = f"SELECT 1 FROM warehouse.core.fact_registrations WHERE registration_id = '{wanted}'"
            while not first_row(connection.execute(query)):
                if time.monotonic() - written > _PATIENCE_SECONDS:
                    found.lost += 1
                    break
                time.sleep(0.2)
            # The first one also waits for Dagster to start and for its first runs.
            if number and not found.lost:
                found.seconds.append(time.monotonic() - written)
    return found
