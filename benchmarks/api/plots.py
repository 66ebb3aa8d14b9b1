"""The answers as one SVG: p50 and p95 of either server, quiet and while writing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.api.results import Answered


def plot_answers(path: Path, answers: Sequence[Answered]) -> None:
    """A bar for each question and server, a tick at its p95."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    questions = list(dict.fromkeys(found.question for found in answers))
    series = list(dict.fromkeys((found.server, found.state) for found in answers))
    figure, plot = pyplot.subplots(figsize=(7, 4), layout="constrained")
    plot.set(title="How soon answers come, one client", ylabel="milliseconds", yscale="log")
    plot.grid(visible=True, axis="y", alpha=0.3)
    width = 0.8 / max(1, len(series))
    for number, (server, state) in enumerate(series):
        found = {one.question: one for one in answers if (one.server, one.state) == (server, state)}
        places = [index + (number - (len(series) - 1) / 2) * width for index in range(len(questions))]
        plot.bar(places, [found[name].p50 for name in questions], width, label=f"{server}, {state}")
        plot.plot(places, [found[name].p95 for name in questions], "k_")
    plot.set_xticks(range(len(questions)), [name.replace(", ", ",\n").replace(" as ", "\nas ") for name in questions])
    plot.tick_params(axis="x", labelsize=6)
    plot.legend()
    # Without a date and random ids the file changes only with the figures.
    matplotlib.rcParams["svg.hashsalt"] = "event-pipeline"
    figure.savefig(path, metadata={"Date": None})
