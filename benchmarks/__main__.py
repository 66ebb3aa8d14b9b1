"""``python -m benchmarks``: measures every step, prints a table and writes the results."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.machine import describe_machine, machine_line
from benchmarks.measure import Measured, run_step
from benchmarks.spine import step_table, target_table, write_results
from benchmarks.targets import targets_of

_SMALLEST, _LARGEST = 100, 10_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when every target is met, else 1."""
    options = _options(arguments)
    machine = describe_machine()
    print(machine_line(machine))
    folder = Path(tempfile.mkdtemp(prefix="benchmark-", dir=options.work))
    try:
        runs = _measure(folder, options)
    finally:
        shutil.rmtree(folder)
    command = f"python -m benchmarks --registrations {options.registrations} --runs {options.runs}"
    results = write_results(options.out, machine, runs, command)
    print(f"\n{step_table(results)}\n\n{target_table(results)}\n\nwritten: {options.out}/spine.md, spine.json")
    return 0 if all(target.is_met for target in targets_of(results)) else 1


def _measure(folder: Path, options: argparse.Namespace) -> dict[str, list[Measured]]:
    """Every step ``runs`` times, a whole run after the other, so that a busy minute does not hit one step only."""
    rows = options.registrations
    _step("demo", "demo", folder, registrations=rows)
    runs: dict[str, list[Measured]] = {}

    def measure(key: str, step: str, **step_arguments: object) -> None:
        runs.setdefault(key, []).append(_step(key, step, folder, **step_arguments))

    for number in range(1, options.runs + 1):
        print(f"run {number} of {options.runs}")
        measure("load", "load")
        measure("refresh", "refresh", registrations=rows)
        measure("handwritten", "handwritten", registrations=rows)
        measure("agreement", "agreement")
        measure("checks", "checks", registrations=rows)
        measure("location", "location")
        documents = _step("documents", "documents", folder).rows
        measure("load_documents", "load_documents")
        measure("dlt_load", "dlt_load", limit=min(documents, options.dlt_documents), is_nested=True)
        measure("dlt_json", "dlt_load", limit=min(documents, options.dlt_documents), is_nested=False)
        measure("pandas_refresh", "pandas_refresh", limit=min(documents, options.pandas_documents))
    return runs


def _step(key: str, step: str, folder: Path, **step_arguments: object) -> Measured:
    print(f"  {key:16}", end="", flush=True)
    measured = run_step(step, folder, step_arguments)
    print(
        f"{measured.rows:>12,} rows {measured.wall_seconds:>8.1f} s {measured.cpu_seconds:>8.1f} CPU-s "
        f"{measured.peak_mb:>7,.0f} MB",
        flush=True,
    )
    return measured


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--registrations", type=int, default=1_000_000, help="size of the demo organisation")
    parser.add_argument("--runs", type=int, default=1, help="runs of every step; medians are reported")
    parser.add_argument(
        "--out", type=Path, default=Path("benchmarks/results"), help="folder of spine.md and spine.json"
    )
    parser.add_argument("--work", type=Path, help="folder for the data, 6 GB for a million; the system's when left out")
    parser.add_argument("--dlt-documents", type=int, default=100_000, help="most documents that dlt loads")
    parser.add_argument("--pandas-documents", type=int, default=1_000_000, help="most documents that pandas reads")
    options = parser.parse_args(arguments)
    if not _SMALLEST <= options.registrations <= _LARGEST:
        parser.error(f"--registrations is {_SMALLEST} to {_LARGEST}")
    if options.runs < 1:
        parser.error("--runs is at least 1")
    if find_spec("dlt") is None:
        parser.error("dlt is not installed: run `make bench`, or `uv sync --group bench` once")
    return options


if __name__ == "__main__":
    sys.exit(main())
