"""``stream``: the stream worker in the foreground."""

from __future__ import annotations

import os

import typer

from event_pipeline.cli._output import begin

_AFTER_DRAIN_SECONDS = 3.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(stream)


def stream() -> None:
    """Follow the sources live and keep every table up to date within seconds; `make up` starts this too.

    Runs until SIGTERM or Ctrl-C, which let it commit what it holds; a second one ends it at once. While it is switched
    off, by `event-pipeline stop` or the dashboard, it stands by. Exits with 0 when
    everything was committed, 1 when another worker follows this data folder or it could not stop in time.
    """
    settings = begin()
    os.nice(settings.stream.niceness)

    from event_pipeline.control.materializations import MaterializationReporter
    from event_pipeline.stream.signals import stopped_by_signals
    from event_pipeline.stream.standby import SwitchedWorker
    from event_pipeline.stream.worker import DRAIN_SECONDS, Worker

    worker = SwitchedWorker(settings, lambda: Worker(settings, reporter=MaterializationReporter(settings)))
    with stopped_by_signals(worker.stop, DRAIN_SECONDS + _AFTER_DRAIN_SECONDS):
        is_whole = worker.run()
    if not is_whole:
        raise typer.Exit(1)
