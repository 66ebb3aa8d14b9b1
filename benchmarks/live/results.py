"""The results as ``live.md`` for people, ``live.json`` for programs, and a plot for each figure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.live.plots import plot_batches, plot_latencies, plot_memory
from benchmarks.machine import machine_line

_METHOD = """\
- **Latency.** The Firestore emulator, `event-pipeline stream` and a reader of the warehouse run as they would
  anywhere, on one machine. A registration is committed in the emulator; the clock starts when the emulator has
  answered. The reader asks the warehouse every 100 ms for the registrations of this measurement and notes when each is
  in `fact_registrations`, so its own pause and query are part of every latency. `lost` counts registrations that were
  not in sight a minute after the end.
- **Sensor path.** The same, with the worker switched off: Dagster's sensor sees the change and starts a run. One
  registration at a time, because a run takes in whatever has come meanwhile.
- **Cost of a batch.** 60 % new registrations, 25 % edits and 15 % scans of the twenty newest events, committed as the
  worker commits them: raw rows, every table that they touch, lake and warehouse. Medians, after two batches that warm
  up; a size of the warehouse is a demo organisation of so many registrations, compacted.
- **Sustained rate.** Changes a second of the largest batches: what comes faster makes the lag grow.
"""


def write_results(folder: Path, machine: dict[str, object], found: Mapping[str, Any], command: str) -> str:
    """Writes everything; returns the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "live.json").write_text(json.dumps({"command": command, "machine": machine, **found}, indent=1) + "\n")
    sizes: Mapping[str, Mapping[str, Any]] = found["sizes"]
    parts = [
        "# Live: how soon, and at what cost\n",
        f"Written by `{command}`. Machine: {machine_line(machine)}.\n",
        "## Commit in Firestore to sight in the warehouse\n",
        _latency_table(sizes),
        "![latency](live-latency.svg)\n",
        "## Cost of a batch\n",
        _batch_table(sizes),
        "![batches](live-batches.svg)\n",
        "![memory](live-memory.svg)\n",
        "## Method\n",
        _METHOD,
    ]
    _plot(folder, sizes)
    page = "\n".join(parts)
    (folder / "live.md").write_text(page)
    return page


def _plot(folder: Path, sizes: Mapping[str, Mapping[str, Any]]) -> None:
    costs: dict[int, list[tuple[int, float]]] = {}
    for registrations, of_size in sizes.items():
        for size, cost in of_size.get("batches", {}).items():
            costs.setdefault(int(size), []).append((int(registrations), cost["wall_median"]))
    plot_batches(folder / "live-batches.svg", costs)
    latencies = {f"{int(size):,}": of_size["latency"] for size, of_size in sizes.items() if of_size.get("latency")}
    plot_latencies(folder / "live-latency.svg", latencies)
    longest = max((row for rows in latencies.values() for row in rows), key=lambda row: len(row["worker_mb"]))
    plot_memory(folder / "live-memory.svg", longest["worker_mb"], longest["seconds"])


def _latency_table(sizes: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        "| registrations | path | changes/s | changes | lost | p50 s | p95 s | p99 s | worker CPU | worker MB |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size, of_size in sizes.items():
        rows += [_latency_row(size, "stream worker", found) for found in of_size.get("latency", [])]
        rows += [_latency_row(size, "sensor and run", found) for found in of_size.get("sensor_path", [])]
    return "\n".join(rows) + "\n"


def _latency_row(size: str, path: str, found: Mapping[str, Any]) -> str:
    rate = found["changes_a_second"] or "one at a time"
    memory = f"{min(found['worker_mb']):,}-{max(found['worker_mb']):,}" if found["worker_mb"] else ""
    share = f"{found['worker_cpu_share']:.0%}" if found["worker_mb"] else ""
    return (
        f"| {int(size):,} | {path} | {rate} | {found['changes']:,} | {found['lost']} | {found['p50_seconds']:.2f} | "
        f"{found['p95_seconds']:.2f} | {found['p99_seconds']:.2f} | {share} | {memory} |"
    )


def _batch_table(sizes: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        "| registrations | changes a batch | wall s | CPU s | changes/s | peak MB |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for registrations, of_size in sizes.items():
        for size, cost in of_size.get("batches", {}).items():
            rows.append(
                f"| {int(registrations):,} | {int(size):,} | {cost['wall_median']:.2f} | {cost['cpu_median']:.2f} | "
                f"{int(size) / cost['wall_median']:,.0f} | {cost['peak_mb']:,.0f} |"
            )
    return "\n".join(rows) + "\n"


def latency_rows(figures: Sequence[Mapping[str, Any]], seconds: Sequence[float]) -> list[dict[str, Any]]:
    """Figures with how long each was measured."""
    return [{**figure, "seconds": length} for figure, length in zip(figures, seconds, strict=True)]
