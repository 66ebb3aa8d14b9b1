"""What is measured of an organisation, each measure by its name; a measure returns what is kept of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.live.databases import EMULATED, SERVED, running_database
from benchmarks.live.latency import Latencies, Organisation, measure_latency, running_worker, wait_until_seen
from benchmarks.live.sensor_path import measure_sensor_path, running_pipeline
from benchmarks.live.steps import BATCHES
from benchmarks.measure import Measured, run_step

RATES = (1.0, 10.0, 50.0)

STEPS_OF_RATE = (50, 100, 200, 400, 800, 1_600, 3_200, 6_400)
"""Changes a second that are tried for the sustained rate, until lag grows."""

MOST_GROWTH = 0.1
"""Lag grows when each second adds more than this to it, in seconds."""

SOAK_RATE = 60.0
"""Changes a second of the soak: an hour at ten a second in ten minutes."""

INLINED_ROWS = (0, 10, 1_000)
"""Rows of a write that may wait in the catalog; DuckLake's own choice, which the pipeline keeps, is ten."""

Measure = Callable[[Path, argparse.Namespace], dict[str, Any]]


def batches(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The cost of batches by their size, and of starting where a working copy is there."""
    cost: dict[str, Any] = {}
    for size in BATCHES:
        done = step("batches", folder, size=size)
        cost[str(size)] = {**done.details, "peak_mb": done.peak_mb}
    return {"cost": cost, "open_copy_seconds": step("open_copy", folder).wall_seconds}


def emulator(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Latency by rate with Google's emulator."""
    with running_database(EMULATED) as database:
        organisation = Organisation(folder / "data", database)
        with running_worker(organisation.variables, folder / "worker.log") as worker:
            wait_until_seen(organisation)
            return {"latency": [_shown(measure_latency(organisation, r, options.seconds, worker.pid)) for r in RATES]}


def server(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Latency by rate, the sustained rate and a soak with a server that speaks as Firestore does."""
    with running_database(SERVED) as database:
        organisation = Organisation(folder / "data", database)
        with running_worker(organisation.variables, folder / "worker.log") as worker:
            wait_until_seen(organisation)
            found = {"latency": [_shown(measure_latency(organisation, r, options.seconds, worker.pid)) for r in RATES]}
            if options.soak:
                found["soak"] = [_shown(measure_latency(organisation, SOAK_RATE, options.soak, worker.pid))]
            found["steps"] = []
            for rate in STEPS_OF_RATE:
                found["steps"].append(_shown(measure_latency(organisation, rate, options.seconds, worker.pid)))
                if found["steps"][-1]["growth"] > MOST_GROWTH:
                    break
            return found


def sensors(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The same journey by Dagster's sensor and a run."""
    with running_database(EMULATED) as database:
        organisation = Organisation(folder / "data", database)
        with running_pipeline(organisation.variables, folder / "up.log"):
            return {"latency": [_shown(measure_sensor_path(organisation, options.sensor_changes))]}


def day(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The lake's size over a day of micro-batches, by how many rows of a write wait in the catalog."""
    arguments = {"batches": options.day_batches, "size": options.day_size}
    return {
        str(rows): {**arguments, **step("day", folder, inlined_rows=rows, **arguments).details} for rows in INLINED_ROWS
    }


MEASURES: dict[str, Measure] = {
    "batches": batches, "emulator": emulator, "server": server, "sensors": sensors, "day": day,
}  # fmt: skip

PLAN: dict[int, tuple[str, ...]] = {
    10_000: ("batches", "emulator", "sensors"),
    100_000: ("batches", "day"),
    1_000_000: ("batches", "emulator", "server", "sensors"),
    5_000_000: ("batches", "emulator"),
}
"""What `make bench-live` measures, by registrations."""


def step(name: str, folder: Path, **arguments: object) -> Measured:
    """A step in its own process, with a line that says what it cost."""
    shown = " ".join(f"{value:,}" for value in arguments.values() if isinstance(value, int))
    print(f"  {name:10} {shown:>14}", end="", flush=True)
    done = run_step(name, folder, arguments, module="benchmarks.live.steps")
    print(f"{done.wall_seconds:>9.1f} s {done.cpu_seconds:>8.1f} CPU-s {done.peak_mb:>7,.0f} MB", flush=True)
    return done


def _shown(found: Latencies) -> dict[str, Any]:
    figures = found.figures()
    told = {key: value for key, value in figures.items() if key != "worker_mb"}
    print(f"  {told}", flush=True)
    return figures
