"""The results as ``api.md`` for people, ``api.json`` for programs, and a plot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.api.plots import plot_answers
from benchmarks.api.viewers import VIEWERS, Looked
from benchmarks.machine import machine_line
from benchmarks.targets import Target

QUIET, WRITING = "quiet", "writing"
ANALYTICS_MILLISECONDS = 50.0
WRITING_FACTOR = 1.5
FIRST_PAGE_MILLISECONDS = 1_000.0
VIEWERS_SHARE = 0.05

_METHOD = """\
- **Servers.** `event-pipeline serve` over the warehouse; Datasette over an SQLite file with the same tables, with a
  unique index on each table's key and indexes on events and days, opened as immutable, which is when it is fastest.
- **Questions** have the same figures as answers. Datasette computes each in one SQL statement that makes the JSON. What
  was asked before (analytics of four periods, twenty events) the API has at hand until the warehouse changes; what was
  not is asked for another number of top events, or another event, each time. A point query is asked about 4,000
  registrations in turn.
- **Latency** is measured with one client that asks again as soon as it is answered, over a connection that is kept,
  from a process of its own on the same machine; answers a second with four such clients. *CPU* is the server's own for
  an answer, its worker processes included: it depends little on what else the machine does.
- **Writing** means that the stream worker follows the inbox, into which scans are dropped all the while. Datasette's
  file is not written to: its figures tell what the worker's use of the machine alone costs a reader.
- **The dashboard's first page** is the overview in Chromium with an empty cache, from the address to the last chart;
  the median of seven. What those who look cost is the server's share of a core with five overviews open, less its share
  with none.
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """How one server answered one question: milliseconds alone, answers and megabytes a second with several clients.

    ``cpu_milliseconds`` are the server's own for an answer, which depend little on what else the machine does.
    """

    question: str
    server: str
    state: str
    answers: int
    p50: float
    p95: float
    p99: float
    cpu_milliseconds: float
    a_second: float
    megabytes_a_second: float

    @classmethod
    def of(
        cls, question: str, server: str, state: str, alone: Mapping[str, Any], together: Mapping[str, Any],
        cpu_seconds: float,
    ) -> Answered:  # fmt: skip
        """From what the load generator found."""
        seconds = sorted(alone["seconds"])
        cuts = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 99
        return cls(
            question, server, state, len(seconds),
            *(round(cuts[percent - 1] * 1000, 2) for percent in (50, 95, 99)),
            cpu_milliseconds=round(cpu_seconds / len(seconds) * 1000, 2),
            a_second=round(len(together["seconds"]) / together["wall_seconds"], 1),
            megabytes_a_second=round(together["bytes_read"] / together["wall_seconds"] / 1e6, 2),
        )  # fmt: skip

    @property
    def line(self) -> str:
        """For whoever watches."""
        return (
            f"{self.state:8} {self.question:32} {self.server:10} p50 {self.p50:>9,.1f} ms  p95 {self.p95:>9,.1f}  "
            f"p99 {self.p99:>9,.1f}  "
            f"CPU {self.cpu_milliseconds:>7,.1f} ms  {self.a_second:>8,.1f}/s"
        )


def targets_of(answers: Sequence[Answered], looks: Sequence[Looked]) -> list[Target]:
    """The promises that these can tell about."""
    return [*_answering(answers), *_looking(looks)]


def _looking(looks: Sequence[Looked]) -> Iterator[Target]:
    for seen in looks:
        if seen.first_page is not None:
            yield Target(f"the dashboard's first page, {seen.state}", f"under {FIRST_PAGE_MILLISECONDS / 1000:g} s",
                         f"{seen.first_page / 1000:.2f} s", seen.first_page < FIRST_PAGE_MILLISECONDS)  # fmt: skip
        cost = seen.followed - seen.alone
        yield Target(f"CPU of {VIEWERS} viewers, {seen.state}", f"under {VIEWERS_SHARE:.0%}", f"{cost:.1%}",
                     cost < VIEWERS_SHARE)  # fmt: skip


def _answering(answers: Sequence[Answered]) -> list[Target]:
    by = {(found.question, found.server, found.state): found for found in answers}
    targets = [
        Target(
            f"{question}: p95 while quiet", f"under {ANALYTICS_MILLISECONDS:g} ms", f"{found.p95:.1f} ms",
            found.p95 < ANALYTICS_MILLISECONDS,
        )
        for (question, server, state), found in by.items()
        if question.startswith("analytics") and (server, state) == ("API", QUIET)
    ]  # fmt: skip
    for (question, server, state), found in by.items():
        peer = by.get((question, "Datasette", state))
        if server == "API" and peer is not None:
            ratio = found.p50 / peer.p50
            targets.append(
                Target(f"{question}, {state}: p50, of Datasette's", "at most 1 ×", f"{ratio:.2f} ×", ratio <= 1)
            )
    for (question, server, state), found in by.items():
        quiet = by.get((question, server, QUIET))
        if (server, state) == ("API", WRITING) and quiet is not None:
            ratio = found.p50 / quiet.p50
            name, wanted = f"{question}: p50 while writing, of quiet", f"at most {WRITING_FACTOR:g} ×"
            targets.append(Target(name, wanted, f"{ratio:.2f} ×", ratio <= WRITING_FACTOR))
    return targets


def write_results(folder: Path, machine: dict[str, object], found: Mapping[str, Any], command: str) -> str:
    """Writes everything; returns the page."""
    answers: Sequence[Answered] = found["answers"]
    looks: Sequence[Looked] = found["looks"]
    folder.mkdir(parents=True, exist_ok=True)
    kept = {"command": command, "machine": machine, **found, "answers": [asdict(answered) for answered in answers]}
    kept["looks"] = [asdict(seen) for seen in looks]
    (folder / "api.json").write_text(json.dumps(kept, indent=1) + "\n")
    plot_answers(folder / "api.svg", answers)
    page = "\n".join(
        [
            "# The API: how soon it answers\n",
            f"Written by `{command}`. Machine: {machine_line(machine)}; after: {machine['load_average_after']}.\n",
            f"While writing, the worker took in {found['changes_a_second']:g} changes a second "
            f"of {found['wanted_changes_a_second']:g} that were dropped.\n",
            _table(answers),
            "![answers](api.svg)\n",
            "## The dashboard\n",
            _look_table(looks),
            "## Targets\n",
            _target_table(targets_of(answers, looks)),
            "## Method\n",
            _METHOD,
        ]
    )
    (folder / "api.md").write_text(page)
    return page


def _table(answers: Sequence[Answered]) -> str:
    rows = [
        "| question | server | state | p50 ms | p95 ms | p99 ms | CPU ms | answers/s | MB/s |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for found in sorted(answers, key=lambda one: [a.question for a in answers].index(one.question)):
        rows.append(
            f"| {found.question} | {found.server} | {found.state} | {found.p50:,.1f} | {found.p95:,.1f} | "
            f"{found.p99:,.1f} | {found.cpu_milliseconds:,.1f} | {found.a_second:,.1f} | "
            f"{found.megabytes_a_second:,.1f} |"
        )
    return "\n".join(rows) + "\n"


def _look_table(looks: Sequence[Looked]) -> str:
    rows = [
        f"| state | first page s | CPU, nobody looks | CPU, {VIEWERS} overviews open |",
        "| --- | ---: | ---: | ---: |",
    ]
    for seen in looks:
        page = "no Chromium" if seen.first_page is None else f"{seen.first_page / 1000:.2f}"
        rows.append(f"| {seen.state} | {page} | {seen.alone:.1%} | {seen.followed:.1%} |")
    return "\n".join(rows) + "\n"


def _target_table(targets: Sequence[Target]) -> str:
    rows = ["| what | target | measured | met |", "| --- | ---: | ---: | ---: |"]
    for target in targets:
        rows.append(f"| {target.name} | {target.wanted} | {target.measured} | {'yes' if target.is_met else 'no'} |")
    return "\n".join(rows) + "\n"
