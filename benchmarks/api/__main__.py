"""``python -m benchmarks.api``: asks the API and Datasette the same, prints tables and writes the results."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.api.asked import Ask, Question, as_json, questions
from benchmarks.api.results import QUIET, WRITING, Answered, targets_of, write_results
from benchmarks.api.servers import Server, changes_taken, running_api, running_datasette, running_writer
from benchmarks.api.sqlite_copy import copy_to_sqlite
from benchmarks.api.viewers import Looked, look
from benchmarks.live.steps import DATA
from benchmarks.machine import describe_machine, machine_line
from benchmarks.measure import run_step
from benchmarks.steps import settings_of
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when every target is met, else 1."""
    options = _options(arguments)
    machine = describe_machine(("duckdb", "fastapi", "uvicorn", "datasette"))
    print(machine_line(machine))
    with _organisation(options) as folder:
        settings = settings_of(folder / DATA)
        database = folder / "warehouse.db"
        with connect(settings, ("warehouse",), read_only=True) as connection:
            if not database.exists():
                print("copying the tables to SQLite", flush=True)
                copy_to_sqlite(connection, database)
            asked = questions(connection, settings.organisation.time_zone)
        wanted = [question for question in asked if not options.only or options.only in question.name]
        found = _measure(settings, database, wanted, options)
    load = [round(value, 2) for value in os.getloadavg()]
    machine["load_average_after"] = load
    command = f"python -m benchmarks.api --registrations {options.registrations} --seconds {options.seconds:g}"
    print("\n" + write_results(options.out, machine, found, command))
    return 0 if all(target.is_met for target in targets_of(found["answers"], found["looks"])) else 1


@contextmanager
def _organisation(options: argparse.Namespace) -> Iterator[Path]:
    """A folder with a demo organisation of that size, every table made; one that was kept is used again."""
    if options.folder is not None and (options.folder / DATA).exists():
        yield options.folder
        return
    folder = options.folder or Path(tempfile.mkdtemp(prefix="benchmark-api-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        print(f"making an organisation of {options.registrations:,} registrations", flush=True)
        run_step("grow", folder, {"registrations": options.registrations}, module="benchmarks.live.steps")
        yield folder
    finally:
        if options.folder is None:
            shutil.rmtree(folder)


def _measure(
    settings: Settings, database: Path, asked: Sequence[Question], options: argparse.Namespace
) -> dict[str, Any]:
    answers: list[Answered] = []
    looks: list[Looked] = []
    with running_api(settings) as api, running_datasette(database) as datasette:
        paths = json.loads(api.get("/openapi.json"))["paths"]

        def both(state: str) -> None:
            for question in asked:
                if not question.is_answered_by(paths):
                    print(f"  {state:8} {question.name:32} has no route in this API", flush=True)
                    continue
                for server, asks in ((api, question.api), (datasette, question.datasette)):
                    answers.append(_ask(question, server, state, asks, options))
                    print(f"  {answers[-1].line}", flush=True)
            looks.append(look(api, state, options.viewing))
            print(f"  {looks[-1].line}", flush=True)

        both(QUIET)
        before = changes_taken(settings)
        with running_writer(settings, options.rate) as seconds_since:
            both(WRITING)
            taken = (changes_taken(settings) - before) / seconds_since()
    return {
        "answers": answers,
        "looks": looks,
        "changes_a_second": round(taken, 1),
        "wanted_changes_a_second": options.rate,
    }


def _ask(question: Question, server: Server, state: str, asks: Sequence[Ask], options: argparse.Namespace) -> Answered:
    """First alone, for how long an answer takes; then several at a time, for how many there are a second."""
    # What must be new to the server is not asked again by several.
    first = len(asks) * 3 // 4 if question.is_new else len(asks)
    used = server.cpu_seconds()
    alone = _load(server, asks[:first], 1, options.seconds, once=question.is_new)
    used = server.cpu_seconds() - used
    rest = asks[first:] if question.is_new else asks
    together = _load(server, rest, options.clients, options.seconds / 2, once=question.is_new)
    return Answered.of(question.name, server.name, state, alone, together, used)


def _load(server: Server, asks: Sequence[Ask], clients: int, least: float, *, once: bool) -> dict[str, Any]:
    """What the load generator found. Raises RuntimeError when an answer was not 200."""
    wanted = {
        "port": server.port, "asks": json.loads(as_json(asks)), "headers": dict(server.headers), "clients": clients,
        "least": least, "once": once,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.api.load"], input=json.dumps(wanted), capture_output=True, text=True,
        check=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    found = json.loads(done.stdout)
    if found["failure"]:
        raise RuntimeError(found["failure"])
    return found


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument("--registrations", type=int, default=1_000_000, help="size of the organisation")
    parser.add_argument("--seconds", type=float, default=8, help="how long each question is asked at least")
    parser.add_argument("--clients", type=int, default=4, help="clients at a time, for the throughput")
    parser.add_argument("--viewing", type=float, default=30, help="how long the dashboard is followed, in seconds")
    parser.add_argument("--rate", type=float, default=50, help="changes a second dropped into the inbox")
    parser.add_argument("--only", default="", help="only questions whose name holds this")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="folder of the results")
    parser.add_argument("--folder", type=Path, help="folder that keeps the organisation for the next time")
    options = parser.parse_args(arguments)
    if options.registrations < 1_000:
        parser.error(f"--registrations must be 1000 or more, got {options.registrations}")
    return options


if __name__ == "__main__":
    sys.exit(main())
