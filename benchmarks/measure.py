"""Runs one step in a fresh interpreter and reads what it used."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

_TO_KIB = 1 if sys.platform != "darwin" else 1024
_ANSWER = "BENCHMARK "


@dataclass(slots=True)
class Measured:
    """What a step used: CPU is user and system time of all its threads; the peak is of the whole process.

    ``details`` are the step's own figures, such as the CPU-seconds of each table.
    """

    rows: int = 0
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def rows_a_second(self) -> float:
        """Rows a second of wall time."""
        return self.rows / self.wall_seconds if self.wall_seconds else 0.0

    @property
    def rows_a_cpu_second(self) -> float:
        """Rows a second of CPU."""
        return self.rows / self.cpu_seconds if self.cpu_seconds else 0.0


@contextmanager
def measuring(measured: Measured) -> Iterator[None]:
    """Adds what the block uses; imports and preparations stay outside it."""
    wall, cpu = perf_counter(), cpu_seconds()
    try:
        yield
    finally:
        measured.wall_seconds += perf_counter() - wall
        measured.cpu_seconds += cpu_seconds() - cpu


def cpu_seconds() -> float:
    """User and system seconds of this process so far, all threads, and of children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def report(measured: Measured) -> None:
    """Tells the parent, from within the step's process."""
    measured.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _TO_KIB / 1024
    print(_ANSWER + json.dumps(asdict(measured)))


def run_step(name: str, folder: Path, arguments: Mapping[str, object], *, module: str = "benchmarks.steps") -> Measured:
    """Runs one step of the module in its own process, its settings all at their defaults.

    Raises RuntimeError with what the step wrote when it fails.
    """
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PIPELINE_")} | {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "DAGSTER_HOME": "",
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DO_NOT_TRACK": "1",
    }
    command = [sys.executable, "-W", "ignore", "-m", module, name, json.dumps(arguments)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    answers = [line for line in done.stdout.splitlines() if line.startswith(_ANSWER)]
    if done.returncode != 0 or not answers:
        raise RuntimeError(f"step {name} failed with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return Measured(**json.loads(answers[-1].removeprefix(_ANSWER)))


def middle(runs: list[Measured]) -> Measured:
    """The median of each figure; details are those of the run whose CPU-seconds are the median."""
    by_cpu = sorted(runs, key=lambda run: run.cpu_seconds)
    return Measured(
        rows=runs[0].rows,
        wall_seconds=median(run.wall_seconds for run in runs),
        cpu_seconds=median(run.cpu_seconds for run in runs),
        peak_mb=median(run.peak_mb for run in runs),
        details=by_cpu[(len(by_cpu) - 1) // 2].details,
    )
