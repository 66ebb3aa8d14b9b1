"""``python -m benchmarks.live``: measures latency, rates, memory, sizes and costs; writes tables and plots.

What is measured replaces the same figures of earlier runs in ``live.json``; everything else stays.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.live.measures import MEASURES, PLAN, step
from benchmarks.live.results import write_results
from benchmarks.live.targets import targets_of
from benchmarks.load import watching_load
from benchmarks.machine import describe_machine, machine_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when every target that was measured is met, else 1."""
    options = _options(arguments)
    machine = describe_machine()
    print(machine_line(machine))
    found = _earlier(options.out)
    found["machine"] = machine
    work = options.work or Path(tempfile.mkdtemp(prefix="benchmark-live-"))
    try:
        for registrations in options.sizes:
            _measure(work / str(registrations), registrations, options, found)
    finally:
        if options.work is None:
            shutil.rmtree(work)
    print("\n" + write_results(options.out, found))
    return 0 if all(target.is_met for target in targets_of(found["sizes"])) else 1


def _measure(folder: Path, registrations: int, options: argparse.Namespace, found: dict[str, Any]) -> None:
    print(f"{registrations:,} registrations")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "data" / "stream").exists():
        shutil.rmtree(folder / "data", ignore_errors=True)
        step("grow", folder, registrations=registrations)
    for name in options.measures or PLAN.get(registrations, tuple(MEASURES)):
        with watching_load() as load:
            figures = MEASURES[name](folder, options)
        at = datetime.now(UTC).isoformat(timespec="minutes")
        found["sizes"].setdefault(str(registrations), {})[name] = {**figures, "load": load, "measured_at": at}
        write_results(options.out, found)


def _earlier(folder: Path) -> dict[str, Any]:
    path = folder / "live.json"
    return json.loads(path.read_text()) if path.exists() else {"sizes": {}}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(PLAN), help="registrations")
    parser.add_argument(
        "--measures", nargs="+", choices=list(MEASURES), help="what to measure; by size as planned when left out"
    )
    parser.add_argument("--seconds", type=float, default=30, help="length of the run at each rate")
    parser.add_argument("--soak", type=float, default=600, help="length of the soak; 0 leaves it out")
    parser.add_argument("--sensor-changes", type=int, default=5, help="registrations through the sensor path")
    parser.add_argument("--day-batches", type=int, default=240, help="batches of the compressed day, 24 or more")
    parser.add_argument("--day-size", type=int, default=25, help="changes of each of them")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the results")
    parser.add_argument(
        "--work", type=Path, help="folder that keeps the organisations for the next run, 30 GB for five millions"
    )
    options = parser.parse_args(arguments)
    if any(size < 1_000 for size in options.sizes):
        parser.error(f"--sizes must be 1000 or more, got {options.sizes}")
    if options.day_batches < 24:
        parser.error("--day-batches is at least 24")
    return options


if __name__ == "__main__":
    sys.exit(main())
