"""One SVG a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def _axes(title: str, x: str, y: str) -> tuple[Any, Any]:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.set(title=title, xlabel=x, ylabel=y)
    axes.grid(visible=True, alpha=0.3)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    # Without a date and random ids the file changes only with the figures.
    import matplotlib
    from matplotlib import pyplot

    matplotlib.rcParams["svg.hashsalt"] = "event-pipeline"
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def plot_batches(path: Path, costs: Mapping[int, Sequence[tuple[int, float]]]) -> None:
    """CPU-seconds of a batch by registrations in the warehouse, a line for each batch size."""
    figure, axes = _axes("Cost of a batch as the warehouse grows", "registrations", "CPU-seconds a batch")
    for size, points in costs.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=f"{size:,} changes")
    axes.set(xscale="log", yscale="log")
    axes.legend()
    _save(figure, path)


def plot_latencies(path: Path, found: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """p50 and p95 by rate, a pair of lines for each size of the warehouse and kind of database."""
    figure, axes = _axes("Commit in Firestore to sight in the warehouse", "changes a second", "seconds")
    for number, (label, rows) in enumerate(found.items()):
        rates = [row["changes_a_second"] for row in rows]
        for key, style in (("p50_seconds", "--"), ("p95_seconds", "-")):
            named = f"{key[:3]}, {label}"
            axes.plot(rates, [row[key] for row in rows], style, color=f"C{number}", marker="o", label=named)
    axes.set(xscale="log", ylim=(0, None))
    axes.legend(fontsize="small")
    _save(figure, path)


def plot_rates(path: Path, steps: Sequence[Mapping[str, Any]]) -> None:
    """Median latency and its growth at each rate that was tried."""
    figure, axes = _axes("Changes a second, stepped up until lag grows", "changes a second", "seconds")
    rates = [step["changes_a_second"] for step in steps]
    axes.plot(rates, [step["p50_seconds"] for step in steps], marker="o", label="p50")
    axes.plot(rates, [step["p95_seconds"] for step in steps], marker="o", label="p95")
    axes.set(xscale="log", ylim=(0, None))
    axes.legend()
    _save(figure, path)


def plot_memory(path: Path, sizes_mb: Sequence[float]) -> None:
    """The worker's resident size, taken every five seconds of the soak."""
    figure, axes = _axes("Memory of the worker under load", "minutes", "MB")
    axes.plot([number * 5 / 60 for number in range(len(sizes_mb))], sizes_mb)
    axes.set(ylim=(0, None))
    _save(figure, path)


def plot_lake(path: Path, days: Mapping[str, Mapping[str, Any]]) -> None:
    """Size of lake and warehouse over the hours of a day, of their compacted size."""
    figure, axes = _axes("The lake over a day of micro-batches", "hours", "of its compacted size")
    for label, found in days.items():
        sizes = [size["megabytes"] / found["compacted_mb"] for size in [*found["hours"], found["night"]]]
        axes.plot(range(len(sizes)), sizes, label=label)
    axes.axhline(1.5, linestyle=":", color="grey", label="target")
    axes.set(ylim=(0, None))
    axes.legend()
    _save(figure, path)
