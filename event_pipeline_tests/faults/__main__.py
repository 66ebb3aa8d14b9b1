"""``make faults``: many moments of kill -9, half over a Firestore that honours tokens, half over the emulator."""

from __future__ import annotations

import argparse
import itertools
import math
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import typer

from benchmarks.machine import describe_machine, machine_line
from event_pipeline_tests.faults.kills import VICTIMS, Killing
from event_pipeline_tests.faults.scenes import emulated_scene, scripted_scene
from event_pipeline_tests.firestore_emulator import running_emulator

_WEIGHTS = (5, 2, 2)
"""How often each of VICTIMS is killed: the worker is the one that holds something."""

_SPARED = 0.1
OpenScene = Callable[[Path, int], AbstractContextManager[Killing]]


@dataclass
class Tally:
    """What a scene came to."""

    moments: int = 0
    verdicts: int = 0
    seconds: float = 0.0
    documents: int = 0
    files: int = 0
    kills: Counter[str] = field(default_factory=Counter)

    def row(self, scene: str) -> str:
        """As a row of the summary."""
        killed = ", ".join(f"{count} {what}" for what, count in sorted(self.kills.items()))
        return (
            f"| {scene} | {self.moments} | {killed} | {self.documents:,} | {self.files:,} | {self.verdicts} | "
            f"{self.seconds / 60:.0f} |"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0; the first verdict that is not right raises, and its folder stays to be looked at."""
    options = _options(arguments)
    machine, seed = describe_machine(), options.seed
    typer.echo(f"{options.count} moments of kill -9, seed {seed}")
    with ExitStack() as stack:
        scenes: dict[str, OpenScene] = {"scripted Firestore": partial(scripted_scene, spared=_SPARED)}
        if not options.without_emulator:
            address = stack.enter_context(running_emulator())
            scenes["Firestore emulator"] = partial(emulated_scene, address=address, spared=_SPARED)
        pool = stack.enter_context(ThreadPoolExecutor(len(scenes)))
        until = time.monotonic() + options.minutes * 60
        kill = partial(_kill, moments=iter(range(options.count)), until=until, every=options.every)
        found = pool.map(kill, scenes, scenes.values(), itertools.count(seed))
        tallies = dict(zip(scenes, found, strict=True))
    page = summary(tallies, machine_line(machine), f"make faults FAULTS='--count {options.count} --seed {seed}'")
    typer.echo(page)
    if options.save:
        options.save.write_text(page)
    return 0


def summary(tallies: dict[str, Tally], machine: str, command: str) -> str:
    """The page about what was killed and what was found."""
    rows = "\n".join(tally.row(name) for name, tally in tallies.items())
    moments, verdicts = (sum(getattr(t, what) for t in tallies.values()) for what in ("moments", "verdicts"))
    return f"""\
# Faults: kill -9 at random moments

Written by `{command}`. Machine: {machine}.

Killed at {moments} moments, while people went on writing. {verdicts} times the pipeline was then left alone until it
had caught up, and each time every table equalled a rebuild from what people had written, the raw tables held the latest
version of every document and no version twice, and every inbox file had been picked up once.

| source | moments | killed | documents | inbox files | verdicts | minutes |
| --- | ---: | --- | ---: | ---: | ---: | ---: |
{rows}
"""


def _kill(name: str, opened: OpenScene, seed: int, moments: Iterator[int], until: float, every: int) -> Tally:
    """Takes moments for as long as there are any: the scenes share them, and the quicker one gets more."""
    tally, began = Tally(), time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    dice = random.Random(seed)
    with opened(folder, seed) as killing:
        for moment in moments:
            if time.monotonic() > until:
                break
            (victim,) = dice.choices(VICTIMS, _WEIGHTS)
            killing.round(victim)
            tally.moments += 1
            if tally.moments % every == 0:
                typer.echo(f"moment {moment + 1}; {name}: {dict(killing.kills)}; looking, in {folder}")
                killing.settle()
        killing.settle()
        tally.kills, tally.verdicts = killing.kills, killing.verdicts
        tally.documents = sum(len(versions) for versions in killing.truth.written.values())
        tally.files = len(killing.truth.files)
    tally.seconds = time.monotonic() - began
    shutil.rmtree(folder)
    return tally


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="moments at which something is killed")
    parser.add_argument("--minutes", type=float, default=math.inf, help="kill nothing more after so long")
    parser.add_argument("--every", type=int, default=10, help="look at everything after so many of a scene")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="repeats what people did")
    parser.add_argument("--without-emulator", action="store_true", help="where there is no Firestore emulator")
    parser.add_argument("--save", type=Path, help="write the summary here")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
