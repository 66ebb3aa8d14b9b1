"""The results as ``live.md`` for people, ``live.json`` for programs, and a plot for each figure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.live.measures import MOST_GROWTH
from benchmarks.live.plots import plot_batches, plot_lake, plot_latencies, plot_memory, plot_rates
from benchmarks.live.targets import Sizes, growth_of_memory, largest_share, targets_of
from benchmarks.machine import machine_line

METHOD = (Path(__file__).parent / "method.md").read_text()

_PATHS = {"emulator": "stream worker, emulator", "server": "stream worker, Listen server", "sensors": "sensor and run"}


def write_results(folder: Path, found: Mapping[str, Any]) -> str:
    """Writes everything; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "live.json").write_text(json.dumps(found, indent=1) + "\n")
    sizes: Sizes = {size: found["sizes"][size] for size in sorted(found["sizes"], key=int)}
    parts = ["# Live: how soon, and at what cost\n", f"Machine: {machine_line(found['machine'])}.\n", *_targets(sizes)]
    for section in (_latency, _batches, _rates, _soak, _day):
        parts += section(folder, sizes)
    parts += ["## When, and beside what\n", _loads(sizes), "## Method\n", METHOD]
    page = "\n".join(parts)
    (folder / "live.md").write_text(page)
    return page


def _table(names: str, rows: Iterator[str]) -> str:
    columns = names.split("|")
    return "\n".join([f"| {names} |", f"| {' | '.join(['---'] + ['---:'] * (len(columns) - 1))} |", *rows]) + "\n"


def _targets(sizes: Sizes) -> Iterator[str]:
    rows = [
        f"| {each.name} | {each.wanted} | {each.measured} | {'yes' if each.is_met else 'no'} |"
        for each in targets_of(sizes)
    ]
    if rows:
        yield "## Targets\n"
        yield _table("what | target | measured | met", iter(rows))


def _latency(folder: Path, sizes: Sizes) -> Iterator[str]:
    found = {
        f"{int(size):,}, {path}": (size, path, of_size[path]["latency"])
        for size, of_size in sizes.items()
        for path in _PATHS
        if path in of_size
    }
    if not found:
        return
    plotted = {label: rows for label, (_, path, rows) in found.items() if path != "sensors"}
    plot_latencies(folder / "live-latency.svg", plotted)
    yield "## Commit in Firestore to sight in the warehouse\n"
    names = "registrations | path | changes/s | changes | lost | p50 s | p95 s | p99 s | worker CPU | worker MB"
    yield _table(names, (_latency_row(size, path, row) for size, path, rows in found.values() for row in rows))
    yield "![latency](live-latency.svg)\n"


def _latency_row(size: str, path: str, found: Mapping[str, Any]) -> str:
    rate = f"{found['changes_a_second']:g}" if found["changes_a_second"] else "one at a time"
    memory = f"{min(found['worker_mb']):,}-{max(found['worker_mb']):,}" if found["worker_mb"] else ""
    share = f"{found['worker_cpu_share']:.0%}" if found["worker_mb"] else ""
    return (
        f"| {int(size):,} | {_PATHS[path]} | {rate} | {found['changes']:,} | {found['lost']} | "
        f"{found['p50_seconds']:.2f} | {found['p95_seconds']:.2f} | {found['p99_seconds']:.2f} | {share} | {memory} |"
    )


def _batches(folder: Path, sizes: Sizes) -> Iterator[str]:
    measured = {size: of_size["batches"]["cost"] for size, of_size in sizes.items() if "batches" in of_size}
    if not measured:
        return
    costs: dict[int, list[tuple[int, float]]] = {}
    for registrations, of_size in measured.items():
        for size, cost in of_size.items():
            costs.setdefault(int(size), []).append((int(registrations), cost["cpu_median"]))
    plot_batches(folder / "live-batches.svg", costs)
    yield "## Cost of a batch\n"
    yield _table(
        "registrations | changes a batch | wall s | CPU s | changes/s | peak MB",
        (
            f"| {int(registrations):,} | {int(size):,} | {cost['wall_median']:.2f} | {cost['cpu_median']:.2f} | "
            f"{int(size) / cost['wall_median']:,.0f} | {cost['peak_mb']:,.0f} |"
            for registrations, of_size in measured.items()
            for size, cost in of_size.items()
        ),
    )
    yield "![batches](live-batches.svg)\n"


def _rates(folder: Path, sizes: Sizes) -> Iterator[str]:
    for size, of_size in sizes.items():
        steps = of_size.get("server", {}).get("steps")
        if not steps:
            continue
        plot_rates(folder / "live-rates.svg", steps)
        sustained = max((s["changes_a_second"] for s in steps if s["growth"] <= MOST_GROWTH), default=0)
        yield f"## Sustained rate at {int(size):,} registrations: {sustained:,.0f} changes a second\n"
        names = "changes/s | changes | p50 s | p95 s | lag grows by s each s"
        yield _table(
            names,
            (
                f"| {each['changes_a_second']:,} | {each['changes']:,} | {each['p50_seconds']:.2f} | "
                f"{each['p95_seconds']:.2f} | {each['growth']:.3f} |"
                for each in steps
            ),
        )
        yield "![rates](live-rates.svg)\n"


def _soak(folder: Path, sizes: Sizes) -> Iterator[str]:
    for size, of_size in sizes.items():
        for soak in of_size.get("server", {}).get("soak", []):
            plot_memory(folder / "live-memory.svg", soak["worker_mb"])
            yield f"## Memory of the worker under load at {int(size):,} registrations\n"
            yield (
                f"{soak['changes']:,} changes at {soak['changes_a_second']:g} a second: {soak['worker_mb'][0]:,} MB at "
                f"the start, {max(soak['worker_mb']):,} MB at most, {soak['worker_mb'][-1]:,} MB at the end; the last "
                f"quarter is {growth_of_memory(soak['worker_mb']):.2f} × the second. p50 {soak['p50_seconds']:.2f} s, "
                f"p95 {soak['p95_seconds']:.2f} s, {soak['lost']} lost.\n"
            )
            yield "![memory](live-memory.svg)\n"


def _day(folder: Path, sizes: Sizes) -> Iterator[str]:
    for size, of_size in sizes.items():
        if "day" not in of_size:
            continue
        ways = {"0": "a file for each write", "10": "up to 10 rows in the catalog (in use)", "1000": "up to 1,000 rows"}
        days = {label: of_size["day"][rows] for rows, label in ways.items() if rows in of_size["day"]}
        plot_lake(folder / "live-lake.svg", days)
        yield f"## The lake over a compressed day at {int(size):,} registrations\n"
        yield _table(
            "way | batches | changes each | compacted MB | largest MB | of compacted | files, morning | files, evening",
            (
                f"| {label} | {found['batches']:,} | {found['size']:,} | {found['compacted_mb']:,.1f} | "
                f"{largest_share(found) * found['compacted_mb']:,.1f} | {largest_share(found):.2f} × | "
                f"{found['hours'][0]['files']:,} | {found['hours'][-1]['files']:,} |"
                for label, found in days.items()
            ),
        )
        yield "![lake](live-lake.svg)\n"


def _loads(sizes: Sizes) -> str:
    rows = (
        f"| {int(size):,} | {name} | {found['measured_at']} | {found['load']['load_average']} | "
        f"{found['load'].get('waiting_for_cpu', float('nan')):.0%} |"
        for size, of_size in sizes.items()
        for name, found in of_size.items()
    )
    return _table("registrations | measure | ended (UTC) | load average | time with somebody waiting for a core", rows)
