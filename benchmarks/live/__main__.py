"""``python -m benchmarks.live``: measures latency and the cost of batches, prints tables and writes the results."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.live.latency import Organisation, figures, measure_latency, running_worker, wait_until_live
from benchmarks.live.results import latency_rows, write_results
from benchmarks.live.sensor_path import measure_sensor_path, running_pipeline
from benchmarks.live.steps import BATCHES
from benchmarks.machine import describe_machine, machine_line
from benchmarks.measure import Measured, run_step
from event_pipeline_tests.firestore_emulator import running_emulator

RATES = (1.0, 10.0, 50.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when everything was measured and nothing was lost, else 1."""
    options = _options(arguments)
    machine = describe_machine()
    print(machine_line(machine))
    found: dict[str, Any] = {"sizes": {}}
    for registrations in options.sizes:
        folder = Path(tempfile.mkdtemp(prefix="benchmark-live-", dir=options.work))
        try:
            found["sizes"][str(registrations)] = _measure(folder, registrations, options)
        finally:
            shutil.rmtree(folder)
    sizes = " ".join(str(size) for size in options.sizes)
    command = f"python -m benchmarks.live --sizes {sizes} --seconds {options.seconds:g} --soak {options.soak:g}"
    print("\n" + write_results(options.out, machine, found, command))
    lost = sum(row["lost"] for size in found["sizes"].values() for row in size.get("latency", []))
    return 1 if lost else 0


def _measure(folder: Path, registrations: int, options: argparse.Namespace) -> dict[str, Any]:
    print(f"{registrations:,} registrations")
    _step("grow", folder, registrations=registrations)
    result: dict[str, Any] = {"batches": {}}
    for size in BATCHES:
        cost = _step("batches", folder, size=size)
        result["batches"][str(size)] = {**cost.details, "peak_mb": cost.peak_mb}
    result["open_copy"] = asdict(_step("open_copy", folder))
    if registrations in (options.latency_sizes or options.sizes):
        with running_emulator() as emulator:
            result |= _latencies(folder, emulator, options)
    return result


def _latencies(folder: Path, emulator: str, options: argparse.Namespace) -> dict[str, Any]:
    organisation = Organisation(folder / "data", emulator)
    lengths = [options.seconds, options.seconds, options.soak]
    with running_worker(organisation.variables, folder / "worker.log") as worker:
        wait_until_live(organisation)
        measured = []
        for rate, seconds in zip(RATES, lengths, strict=True):
            measured.append(measure_latency(organisation, rate, seconds, worker.pid))
            print(f"  {rate:g} changes/s: {figures(measured[-1:])[0]}", flush=True)
    result: dict[str, Any] = {"latency": latency_rows(figures(measured), lengths)}
    if options.sensor_changes:
        with running_pipeline(organisation.variables, folder / "up.log"):
            path = measure_sensor_path(organisation, options.sensor_changes)
        result["sensor_path"] = figures([path])
        print(f"  sensor path: {result['sensor_path'][0]}", flush=True)
    return result


def _step(name: str, folder: Path, **arguments: object) -> Measured:
    shown = " ".join(f"{value:,}" for value in arguments.values() if isinstance(value, int))
    print(f"  {name:10} {shown:>12}", end="", flush=True)
    measured = run_step(name, folder, arguments, module="benchmarks.live.steps")
    print(
        f"{measured.wall_seconds:>9.1f} s {measured.cpu_seconds:>8.1f} CPU-s {measured.peak_mb:>7,.0f} MB", flush=True
    )
    return measured


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 5_000_000], help="registrations"
    )
    parser.add_argument("--latency-sizes", type=int, nargs="*", help="sizes to measure latency at; all when left out")
    parser.add_argument("--seconds", type=float, default=60, help="length of the runs at 1 and 10 changes/s")
    parser.add_argument("--soak", type=float, default=600, help="length of the run at 50 changes/s")
    parser.add_argument("--sensor-changes", type=int, default=5, help="registrations through the sensor path")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the results")
    parser.add_argument("--work", type=Path, help="folder for the data, 30 GB for five millions")
    options = parser.parse_args(arguments)
    if any(size < 1_000 for size in options.sizes):
        parser.error(f"--sizes must be 1000 or more, got {options.sizes}")
    return options


if __name__ == "__main__":
    sys.exit(main())
