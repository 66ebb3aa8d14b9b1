"""What the pipeline promises of its cost, and whether what was measured keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.measure import Measured
from benchmarks.pandas_assets import COVERED

MEMORY_MB = 4_096
LOCATION_CPU_SECONDS = 5.0
REFRESH_FACTOR = 1.3
LOAD_FACTOR = 20.0


@dataclass(frozen=True, slots=True)
class Target:
    """One promise: what is compared, what was wanted, what was measured."""

    name: str
    wanted: str
    measured: str
    is_met: bool


def targets_of(results: Mapping[str, Measured]) -> list[Target]:
    """The promises that these steps, by name, can tell about."""
    refresh, handwritten, checks = results["refresh"], results["handwritten"], results["checks"]
    ratio = refresh.cpu_seconds / handwritten.cpu_seconds
    check_ratio = checks.cpu_seconds / refresh.cpu_seconds
    speed_up = results["load_documents"].rows_a_second / results["dlt_load"].rows_a_second
    peaks = {name: results[name].peak_mb for name in ("load", "refresh", "load_documents")}
    highest = max(peaks, key=lambda name: peaks[name])
    location = results["location"].cpu_seconds
    return [
        Target(
            "CPU of the refresh, of the hand-written SQL's", f"at most {REFRESH_FACTOR:g} ×", f"{ratio:.2f} ×",
            ratio <= REFRESH_FACTOR,
        ),
        Target(
            "rows a second loaded, of dlt's, same documents", f"at least {LOAD_FACTOR:g} ×", f"{speed_up:.1f} ×",
            speed_up >= LOAD_FACTOR,
        ),
        Target(
            "peak memory of load and refresh", f"under {MEMORY_MB:,} MB", f"{peaks[highest]:,.0f} MB",
            peaks[highest] < MEMORY_MB,
        ),
        Target("CPU of all checks, of the refresh's", "at most 1 ×", f"{check_ratio:.2f} ×", check_ratio <= 1),
        Target(
            "CPU to load the code location", f"under {LOCATION_CPU_SECONDS:g} s", f"{location:.1f} s",
            location < LOCATION_CPU_SECONDS,
        ),
    ]  # fmt: skip


def core_cpu_seconds(refresh: Measured) -> float:
    """CPU-seconds that the refresh spent on the tables that the pandas peer's work corresponds to."""
    by_table = refresh.details["cpu_seconds_by_table"]
    return sum(by_table[name] for name in COVERED)
