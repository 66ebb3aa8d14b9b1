"""The machine and the versions that a result was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

_PACKAGES = ("duckdb", "ibis-framework", "pyarrow", "dagster", "pandas", "great-expectations", "dlt")


def describe_machine(packages: Sequence[str] = _PACKAGES) -> dict[str, object]:
    """Cores, memory, system, versions, and the load average before measuring, which tells whether others ran too."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in packages},
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def machine_line(machine: dict[str, object]) -> str:
    """The description as a sentence."""
    versions = machine["versions"]
    assert isinstance(versions, dict)
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB, {machine['system']}, "
        f"Python {machine['python']}; {named}; load average before: {machine['load_average']}"
    )


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line.split(":", 1)[1].strip() for line in information.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()
