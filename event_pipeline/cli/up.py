"""``up``: everything running on this machine, with the demo organisation where there is nothing else to read."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from event_pipeline.cli._count import ShownCount
from event_pipeline.cli._output import ShownProgress, begin, counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from event_pipeline.control import DagsterControl, RunResult
    from event_pipeline.launch.folder import DataFolder
    from event_pipeline.launch.presence import Presence
    from event_pipeline.launch.processes import Child
    from event_pipeline.launch.server import Server
    from event_pipeline.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)


def up(
    stay: Annotated[
        bool, typer.Option("--stay/--no-stay", help="Serve until Ctrl-C, or stop after the first run.")
    ] = True,
    registrations: Annotated[
        int, typer.Option(min=100, max=10_000_000, help="Size of the demo organisation, if one is loaded.")
    ] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the demo organisation, if one is loaded.")] = 7,
) -> None:
    """Create the data folder, run the pipeline once, then serve Dagster and the dashboard and follow the sources.

    Where nothing is configured and nothing was ever loaded, a demo organisation is. A second `up` on the same data
    folder prints the address of the first. Exits with 1 when the run failed, 2 for wrong settings.
    """
    from event_pipeline.launch.demo_data import refuse_mixing
    from event_pipeline.launch.folder import prepare_folder
    from event_pipeline.launch.presence import AlreadyUpError, claim
    from event_pipeline.launch.server import wanted_port

    settings = begin()
    wanted_port(settings)
    refuse_mixing(settings)
    folder = prepare_folder(settings)
    _stop_like_ctrl_c()
    try:
        with claim(folder.root) as presence:
            typer.echo(f"data folder  {folder.root}")
            _load_demo_if_empty(settings, registrations, seed)
            succeeded = _serve(settings, folder, presence, stay)
    except AlreadyUpError as already:
        _echo_already(already, folder)
        return
    except KeyboardInterrupt:
        typer.echo("stopped")
        raise typer.Exit(130) from None
    if not succeeded:
        raise typer.Exit(1)


def _stop_like_ctrl_c() -> None:
    """A service manager's stop and a closed terminal clean up as Ctrl-C does; under ``nohup`` the latter changes
    nothing."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)


def _load_demo_if_empty(settings: Settings, registrations: int, seed: int) -> None:
    from event_pipeline.launch.demo_data import has_source, is_empty, load_demo

    if has_source(settings) or not is_empty(settings):
        return
    if settings.environment == "production":
        typer.echo("sources      none is configured; put exports into exports/, or set firebase or sheets")
        return
    with ShownCount("demo registrations") as shown:
        summary = load_demo(settings.data_dir, registrations, seed, progress=shown)
    made = f"{counted(summary.registrations, 'registration')} for {counted(summary.events, 'event')}"
    typer.echo(f"demo         {made}, made up: no source is configured")


def _serve(settings: Settings, folder: DataFolder, presence: Presence, stay: bool) -> bool:
    """Everything between start and stop; returns whether the first run succeeded."""
    from event_pipeline.launch.processes import ended_error, wait_for_first_end
    from event_pipeline.launch.runs import fail_forgotten_runs
    from event_pipeline.launch.server import running_server, wait_until_ready

    forgotten = fail_forgotten_runs(folder.dagster_home)
    if forgotten:
        typer.echo(f"history      {counted(forgotten, 'run')} cut short when Dagster last stopped, now marked failed")
    with running_server(settings, folder, presence, os.getpid()) as server:
        typer.echo(f"dagster      starting at {server.url}, logs in {folder.logs}")
        wait_until_ready(server)
        try:
            succeeded = _run_once(settings, server)
            if not stay:
                return succeeded
            if settings.stream.is_enabled:
                server.start_worker(_echo_ended)
                typer.echo(f"stream       follows the sources live, log in {folder.logs / 'stream.log'}")
            if settings.api.is_enabled:
                _start_api(settings, folder, server)
            _echo_next_steps(settings, server)
            raise ended_error(wait_for_first_end(server.children))
        except KeyboardInterrupt:
            typer.echo("\nstopping; Ctrl-C again stops at once")
            return True
        finally:
            _cancel_runs(server)


def _start_api(settings: Settings, folder: DataFolder, server: Server) -> None:
    from event_pipeline.api.keys.first import ensure_first_key

    url = server.start_api(settings, _echo_ended)
    typer.echo(f"dashboard    starting at {url}, with the API, log in {folder.logs / 'serve.log'}")
    secret = ensure_first_key(settings)
    if secret is not None:
        typer.secho(f"key          {secret}", bold=True)
        typer.echo(f"{'':<13}signs in and may do everything; it is shown this once, so keep it")


def _echo_ended(child: Child, pause_seconds: float) -> None:
    typer.secho(
        f"{child.name:<11}  ended with exit code {child.process.returncode}, starts again in {pause_seconds:.0f} s; "
        f"its log is {child.log}",
        fg=typer.colors.YELLOW,
    )


def _run_once(settings: Settings, server: Server) -> bool:
    """Reads every source, shows the first numbers, and runs the checks where a table changed."""
    from event_pipeline.control import DagsterControl
    from event_pipeline.launch.figures import source_failures, source_notes
    from event_pipeline.launch.runs import CHECK_JOB, READ_JOB, has_changed_tables
    from event_pipeline.launch.server import START_SECONDS

    # On a busy machine Dagster answers late; that is no reason to give up.
    with DagsterControl(server.url, timeout=START_SECONDS) as control:
        # The daemon comes when the first run waits: its sensors see that and do not read the sources beside it.
        read = _run_shown(control, READ_JOB, server.start_daemon)
        for failure in source_failures(settings):
            typer.secho(f"{'':<13}{failure}", fg=typer.colors.RED)
        for note in source_notes(settings):
            typer.secho(f"{'':<13}{note}", fg=typer.colors.YELLOW)
        if not read.succeeded:
            return False
        _echo_figures(settings)
        return not has_changed_tables(read) or _run_shown(control, CHECK_JOB).succeeded


def _run_shown(control: DagsterControl, job: str, when_queued: Callable[[], object] | None = None) -> RunResult:
    from event_pipeline.launch.runs import run_job

    with ShownProgress() as shown:
        # A bar moves; without a terminal only what came of it is worth a line.
        result = run_job(control, job, shown if sys.stderr.isatty() else None, when_queued)
    _echo_result(job, result)
    return result


def _echo_result(job: str, result: RunResult) -> None:
    how = f"{counted(len(result.materialized), 'table')} in {result.duration_seconds:.1f} s"
    typer.echo(f"{job:<11}  {how if result.succeeded else f'failed: {result.failure}'}")
    for check in result.checks_failed:
        typer.echo(f"{'':<13}check failed: {check}")
    if not result.succeeded:
        typer.echo(f"{'':<13}see {result.url}")


def _echo_figures(settings: Settings) -> None:
    from event_pipeline.launch.figures import read_figures, refusals

    typer.echo(f"warehouse    {read_figures(settings).sentence()}")
    typer.echo(f"quarantine   {refusals(settings)}")


def _echo_next_steps(settings: Settings, server: Server) -> None:
    from event_pipeline.launch.demo_data import holds_demo

    if server.url != settings.dagster_url.rstrip("/").replace("localhost", "127.0.0.1"):
        typer.echo(f"\n{settings.dagster_url} was taken. For other commands: export PIPELINE_DAGSTER_URL={server.url}")
    own = "Read your own Firebase project" if holds_demo(settings) else "See what each command and state means"
    page = "docs/getting-started-firebase.md" if holds_demo(settings) else "docs/operations.md"
    typer.secho(f"\nDagster is up: {server.url}", bold=True)
    refused = "In another terminal, see which documents were refused: .venv/bin/event-pipeline quarantine list"
    first = f"Sign in to the dashboard with a key: {server.api_url}" if server.api_url else refused
    typer.echo(
        "Next:\n"
        f"  1. {first}\n"
        f"  2. See every table, where it comes from and its checks: {server.url}/asset-groups\n"
        f"  3. {own}: {page}\n"
        "Ctrl-C stops it."
    )


def _cancel_runs(server: Server) -> None:
    """Stop the runs under way, as far as Dagster still answers; what is left of them ends with the processes."""
    from event_pipeline.errors import ControlError
    from event_pipeline.launch.runs import cancel_runs

    try:
        cancelled = cancel_runs(server.url)
    except ControlError as error:
        typer.echo(f"runs under way could not be cancelled: {error}", err=True)
        return
    if cancelled:
        typer.echo(f"cancelled {counted(len(cancelled), 'run')} under way; queued ones go on when it is up again")


def _echo_already(already: Exception, folder: DataFolder) -> None:
    typer.echo(f"{already}, for the data folder {folder.root}")
