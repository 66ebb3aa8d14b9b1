"""Keeps scanning: ``python -m benchmarks.api.writer FOLDER RATE`` drops scans into the inbox until it is ended."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from benchmarks.live.workload import Workload
from benchmarks.steps import settings_of
from event_pipeline.warehouse.connection import connect

FILES_A_SECOND = 5


def write(folder: Path, rate: float) -> None:
    """That many scans a second, in files as phones at the door upload them."""
    settings = settings_of(folder)
    with connect(settings, read_only=True) as connection:
        workload = Workload(connection, seed=int(time.time()))
    began, written = time.monotonic(), 0
    stamp = time.time_ns()
    for number in range(sys.maxsize):
        time.sleep(max(0.0, began + number / FILES_A_SECOND - time.monotonic()))
        due = int((number + 1) * rate / FILES_A_SECOND) - written
        written += due
        lines = "".join(f"{workload.scan().payload}\n" for _ in range(due))
        part = settings.inbox_dir / f"scans-{stamp}-{number:06d}.part"
        part.write_text(lines)
        part.rename(part.with_suffix(".ndjson"))


if __name__ == "__main__":
    write(Path(sys.argv[1]), float(sys.argv[2]))
