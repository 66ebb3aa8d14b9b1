"""Measures exporting ``core.fact_registrations`` (19 columns) in every format, small and large, beside named peers."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine, machine_line
from benchmarks.measure import Measured, run_step

FORMATS = ("csv", "json", "ndjson", "xlsx", "parquet", "arrow")
COPIED = ("csv", "ndjson", "parquet")
FRAMED = ("csv", "ndjson", "parquet", "xlsx")
MOST_EXCEL = 1_000_000
"""Rows up to which pandas writes a worksheet."""

FLAT = 1.25
"""Peak memory may grow by a quarter from the small table to the large one."""

_WHO = {"ours": "Event Pipeline", "duckdb_copy": "DuckDB COPY TO", "pandas_write": "pandas"}
_METHOD = """\
- The table is `core.fact_registrations` as the pipeline stores it, in DuckLake, 19 columns; the rows are made up.
- **Event Pipeline** is a background export: read in one process, written by another, onto disk. Peak memory is of both
  processes; starting the second is part of the time. CSV and Excel are formula-safe.
- **DuckDB COPY TO** and **pandas** (read into a frame, then `to_csv`, `to_json`, `to_parquet`, `to_excel`) write the
  same table by themselves; neither neutralises formulas. pandas has no worksheet of more than 1,048,576 rows.
- Each runs in a process of its own; imports and opening the catalog are left out.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when memory stayed flat in every format, else 1."""
    options = _options(arguments)
    machine = describe_machine()
    print(machine_line(machine))
    found: list[dict[str, Any]] = []
    for rows in options.sizes:
        folder = Path(tempfile.mkdtemp(prefix="benchmark-exports-", dir=options.work))
        try:
            run_step("fill", folder, {"rows": rows}, module="benchmarks.exports.steps")
            found += [_measured(folder, rows, who, name) for who, name in _wanted(rows)]
        finally:
            shutil.rmtree(folder)
    command = f"python -m benchmarks.exports --sizes {' '.join(str(size) for size in options.sizes)}"
    _write(options.out, machine, found, command)
    grown = _grown(found)
    print("\n".join(f"{name}: peak memory grew {factor:.2f} times" for name, factor in grown.items()))
    return 1 if any(factor > FLAT for factor in grown.values()) else 0


def _wanted(rows: int) -> list[tuple[str, str]]:
    framed = [name for name in FRAMED if name != "xlsx" or rows <= MOST_EXCEL]
    return [
        *(("ours", name) for name in FORMATS),
        *(("duckdb_copy", name) for name in COPIED),
        *(("pandas_write", name) for name in framed),
    ]


def _measured(folder: Path, rows: int, who: str, name: str) -> dict[str, Any]:
    measured = run_step(who, folder, {"name": name}, module="benchmarks.exports.steps")
    if measured.rows != rows:
        raise RuntimeError(f"{who} wrote {measured.rows:,} of {rows:,} rows as {name}")
    print(_line(rows, who, name, measured), flush=True)
    return {"rows": rows, "who": who, "format": name, **asdict(measured)}


def _line(rows: int, who: str, name: str, measured: Measured) -> str:
    return (
        f"| {rows:,} | {name} | {_WHO[who]} | {measured.wall_seconds:.1f} | {measured.cpu_seconds:.1f} | "
        f"{measured.rows_a_second:,.0f} | {_peak(asdict(measured)):,.0f} | {measured.details['file_mb']:,.0f} |"
    )


def _peak(row: dict[str, Any]) -> float:
    """Megabytes of both processes together, at their largest."""
    return row["peak_mb"] + row["details"]["writer_mb"]


def _grown(found: list[dict[str, Any]]) -> dict[str, float]:
    """By format, how much more memory the largest table took than the smallest."""
    grown = {}
    for name in FORMATS:
        peaks = {row["rows"]: _peak(row) for row in found if (row["who"], row["format"]) == ("ours", name)}
        grown[name] = peaks[max(peaks)] / peaks[min(peaks)]
    return grown


def _write(folder: Path, machine: dict[str, object], found: list[dict[str, Any]], command: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    results = {"command": command, "machine": machine, "results": found}
    (folder / "exports.json").write_text(json.dumps(results, indent=1) + "\n")
    fields = ("rows", "wall_seconds", "cpu_seconds", "peak_mb", "details")
    lines = [
        _line(row["rows"], row["who"], row["format"], Measured(**{field: row[field] for field in fields}))
        for row in found
    ]
    page = "\n".join([
        "# Exports\n",
        f"Written by `{command}`. Machine: {machine_line(machine)}.\n",
        "| rows | format | by | wall s | CPU s | rows/s | peak MB | file MB |",
        "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |",
        *lines,
        "\n## Method\n",
        _METHOD,
    ])  # fmt: skip
    (folder / "exports.md").write_text(page)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 5_000_000], help="rows of the table")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the results")
    parser.add_argument("--work", type=Path, help="folder for the data, 15 GB for five millions")
    options = parser.parse_args(arguments)
    if any(size < 1 for size in options.sizes):
        parser.error(f"--sizes must be 1 or more, got {options.sizes}")
    return options


if __name__ == "__main__":
    sys.exit(main())
