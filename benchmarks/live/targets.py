"""What live figures are held against."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.targets import Target

MILLION, SMALL, LARGE = "1000000", "100000", "5000000"

Sizes = Mapping[str, Mapping[str, Any]]


def targets_of(sizes: Sizes) -> list[Target]:
    """The targets whose figures are there."""
    return [*_latency(sizes.get(MILLION, {})), *_batches(sizes), *_memory(sizes.get(MILLION, {})), *_lake(sizes)]


def growth_of_memory(sizes_mb: Sequence[float]) -> float:
    """The worker's memory in the last quarter of a run, of that in its second quarter; the first is warming up."""
    quarter = max(1, len(sizes_mb) // 4)
    return median(sizes_mb[-quarter:]) / median(sizes_mb[quarter : 2 * quarter] or sizes_mb)


def _latency(million: Mapping[str, Any]) -> Iterator[Target]:
    for measure, label in (("emulator", "emulator"), ("server", "Listen server")):
        if measure in million:
            found = next(row for row in million[measure]["latency"] if row["changes_a_second"] == 50)
            yield Target(f"p95 at 50 changes/s and a million registrations, {label}", "at most 2 s",
                         f"{found['p95_seconds']:.2f} s", not found["lost"] and found["p95_seconds"] <= 2)  # fmt: skip
    if {"emulator", "sensors"} <= million.keys():
        slow, fast = million["sensors"]["latency"][0], million["emulator"]["latency"][0]
        ratio = slow["p50_seconds"] / fast["p50_seconds"]
        yield Target(
            "as fast as the sensor path, a million registrations", "at least 5 ×", f"{ratio:.1f} ×", ratio >= 5
        )


def _batches(sizes: Sizes) -> Iterator[Target]:
    if all("batches" in sizes.get(size, {}) for size in (SMALL, LARGE)):
        small, large = (sizes[size]["batches"]["cost"]["100"] for size in (SMALL, LARGE))
        for key, label in (("cpu_median", "CPU"), ("wall_median", "wall time")):
            ratio = large[key] / small[key]
            yield Target(f"{label} of a 100-change batch at 5 million, of that at 100,000", "at most 1.5 ×",
                         f"{ratio:.2f} ×", ratio <= 1.5)  # fmt: skip


def _memory(million: Mapping[str, Any]) -> Iterator[Target]:
    for soak in million.get("server", {}).get("soak", []):
        ratio = growth_of_memory(soak["worker_mb"])
        yield Target("memory at the end of the soak, of that in its second quarter", "at most 1.1 ×",
                     f"{ratio:.2f} ×", ratio <= 1.1)  # fmt: skip


def _lake(sizes: Sizes) -> Iterator[Target]:
    for of_size in sizes.values():
        if "day" in of_size:
            ratio = largest_share(of_size["day"]["10"])
            yield Target("lake over a day of micro-batches, of its compacted size", "at most 1.5 ×",
                         f"{ratio:.2f} ×", ratio <= 1.5)  # fmt: skip


def largest_share(found: Mapping[str, Any]) -> float:
    """The largest size of the day, of the compacted one at its end."""
    return max(size["megabytes"] for size in [*found["hours"], found["night"]]) / found["compacted_mb"]
