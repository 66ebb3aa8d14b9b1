"""The results as ``spine.md`` for people and ``spine.json`` for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_line
from benchmarks.measure import Measured, middle
from benchmarks.targets import core_cpu_seconds, targets_of

_STEPS = {
    "load": "load: export and inbox into the lake",
    "load_documents": "load: registrations as NDJSON into the lake",
    "dlt_load": "peer (c): dlt into DuckDB, nested values normalised",
    "dlt_json": "peer (c'): dlt into DuckDB, one JSON column",
    "refresh": "refresh: all tables",
    "handwritten": "peer (a): the same tables by hand-written SQL",
    "pandas_refresh": "peer (b): the core by pandas, stock IO manager",
    "checks": "all checks of all tables",
    "location": "code location in a fresh interpreter",
}
_METHOD = """\
Every step runs in a process of its own; imports come before the clock starts, except for the checks, which pay for
Great Expectations, and the code location, which is nothing but imports. CPU is user and system time of all threads; the
peak is the largest resident size of the process. Rows are documents and records for loading, registrations for the
rest, assets for the location. Each run loads into a fresh lake and refreshes empty tables; figures are medians of the
runs.

- (a) makes the same tables from the same raw tables in the same lake; a test holds them equal cell by cell, and here
  the count and the sum of the row hashes of every table were compared again.
- (b) parses registrations, makes a registration fact and three aggregates, each frame written to and read back from a
  DuckDB file by the stock IO manager. It has no quarantine, scans, mail, payments, corrections or dimensions.
- (c) loads the first documents of the same NDJSON file as dlt does unless told otherwise: it infers a column for each
  field and a table for each list. (c') keeps each document in one JSON column, as the pipeline's raw tables do.
"""


def write_results(
    folder: Path, machine: dict[str, object], runs: Mapping[str, Sequence[Measured]], command: str
) -> dict[str, Measured]:
    """Writes both files and returns the medians by step."""
    results = {name: middle(list(of_step)) for name, of_step in runs.items()}
    folder.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {
        "command": command,
        "machine": machine,
        "targets": [asdict(target) for target in targets_of(results)],
        "medians": {name: asdict(measured) for name, measured in results.items()},
        "runs": {name: [asdict(measured) for measured in of_step] for name, of_step in runs.items()},
    }
    (folder / "spine.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "spine.md").write_text(_page(machine, results, len(runs["refresh"]), command))
    return results


def _page(machine: dict[str, object], results: Mapping[str, Measured], runs: int, command: str) -> str:
    registrations = results["refresh"].rows
    parts = [
        f"# Loading and refreshing {registrations:,} registrations",
        f"Written by `{command}`; {runs} run{'s' if runs > 1 else ''}. Machine: {machine_line(machine)}.",
        "## Targets",
        target_table(results),
        "## Steps",
        step_table(results),
        _core_line(results),
        _agreement_line(results),
        "## Method",
        _METHOD.rstrip(),
        "## CPU-seconds by table",
        _by_table(results),
    ]
    return "\n\n".join(parts) + "\n"


def target_table(results: Mapping[str, Measured]) -> str:
    """Promises and whether they are kept, as Markdown."""
    rows = [[t.name, t.wanted, t.measured, "yes" if t.is_met else "**no**"] for t in targets_of(results)]
    return _table(["what", "target", "measured", "met"], rows)


def step_table(results: Mapping[str, Measured]) -> str:
    """What each step used, as Markdown."""
    head = ["step", "rows", "wall s", "CPU s", "rows/s", "rows/CPU-s", "peak MB"]
    rows = [
        [
            title, f"{m.rows:,}", f"{m.wall_seconds:,.1f}", f"{m.cpu_seconds:,.1f}", f"{m.rows_a_second:,.0f}",
            f"{m.rows_a_cpu_second:,.0f}", f"{m.peak_mb:,.0f}",
        ]
        for name, title in _STEPS.items()
        for m in [results[name]]
    ]  # fmt: skip
    return _table(head, rows)


def _core_line(results: Mapping[str, Measured]) -> str:
    refresh, frames = results["refresh"], results["pandas_refresh"]
    ours = core_cpu_seconds(refresh) / refresh.rows * 1e6
    theirs = frames.cpu_seconds / frames.rows * 1e6
    return (
        f"A million registrations cost pandas {theirs:,.0f} CPU-seconds for that core; the refresh spends {ours:,.0f} "
        "on the tables it stands for, row rules, quarantine and corrections included."
    )


def _agreement_line(results: Mapping[str, Measured]) -> str:
    differing = results["agreement"].details["differing"]
    tables = results["agreement"].rows
    if differing:
        return f"**The hand-written tables differ from the models' in {', '.join(differing)}.**"
    return f"All {tables} hand-written tables hold the same rows as the models'."


def _by_table(results: Mapping[str, Measured]) -> str:
    ours = results["refresh"].details["cpu_seconds_by_table"]
    theirs = results["handwritten"].details["cpu_seconds_by_table"]
    names = sorted(ours | theirs, key=lambda name: -max(ours.get(name, 0), theirs.get(name, 0)))
    rows = [[f"`{name}`", _seconds(ours.get(name)), _seconds(theirs.get(name))] for name in names]
    return _table(["table", "models", "hand-written"], rows)


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
