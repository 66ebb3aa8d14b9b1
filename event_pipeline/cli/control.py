"""Commands that drive the running Dagster: ``trigger``, ``status``, ``start``, ``stop``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from event_pipeline.cli._output import ShownProgress, begin, counted, echo_json
from event_pipeline.cli._worker import echo_worker, worker_status

if TYPE_CHECKING:
    from event_pipeline.control import DagsterControl, Launched, Overview, RunResult, Switched
    from event_pipeline.warehouse.source_states import SourceState

Url = Annotated[
    str | None, typer.Option("--url", help="Address of the Dagster webserver; the setting dagster_url by default.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Sensors, schedules and stream_worker; all by default."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    panel = "Drive the running Dagster"
    for command in (trigger, status, start, stop):
        app.command(rich_help_panel=panel)(command)


def trigger(
    job: Annotated[str | None, typer.Argument(help="Name of a job; may be left out when --assets is given.")] = None,
    assets: Annotated[
        str | None,
        typer.Option(help='Assets, comma-separated: keys such as marts/agg_daily_metrics, or "group:marts".'),
    ] = None,
    partition: Annotated[str | None, typer.Option(help="One partition, such as 2025-06-08.")] = None,
    partitions: Annotated[
        str | None, typer.Option(help="A range A..B, both included; launched as one backfill.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for the end, showing progress.")] = True,
    timeout: Annotated[
        float | None, typer.Option(min=1.0, help="Stop waiting after this many seconds; the run goes on.")
    ] = None,
    json: Json = False,
    url: Url = None,
) -> None:
    """Run a job, or chosen assets, on the running Dagster.

    Exits with 0 when the run succeeded, 1 when it failed, 2 for unknown names, 3 when Dagster is away.
    """
    wanted = [item.strip() for item in (assets or "").split(",") if item.strip()]
    with _control(url) as control:
        launched = control.launch(job, wanted, partition, _range(partitions) if partitions else None)
        if not follow:
            echo_json(launched) if json else typer.echo(f"launched {launched.id}: {launched.url}")
            return
        if not json:
            typer.echo(f"launched {launched.id}: {launched.url}", err=True)
        result = _follow(control, launched, timeout)
    echo_json(result) if json else _echo_result(result)
    if not result.succeeded:
        raise typer.Exit(1)


def status(json: Json = False, url: Url = None) -> None:
    """Show whether the running Dagster is well: daemons, code location, jobs, sensors, schedules, recent runs, sources.

    Exits with 0 when all is well, 1 when a daemon is down or the code location did not load, 3 when Dagster is away.
    A source that refuses, and how the stream worker fares, is shown and changes nothing about that.
    """
    with _control(url) as control:
        overview = control.status()
    sources = _sources()
    if json:
        echo_json({"is_well": overview.is_well} | asdict(overview) | {"sources": sources, "stream": worker_status()})
    else:
        _echo_overview(overview)
        echo_worker()
        _echo_sources(sources)
    if not overview.is_well:
        raise typer.Exit(1)


def start(names: Names = None, json: Json = False, url: Url = None) -> None:
    """Switch sensors, schedules and the stream worker on."""
    _switch(names or (), json, url, on=True)


def stop(names: Names = None, json: Json = False, url: Url = None) -> None:
    """Switch sensors, schedules and the stream worker off; runs that are under way go on."""
    _switch(names or (), json, url, on=False)


def _switch(names: Sequence[str], json: bool, url: str | None, *, on: bool) -> None:
    from event_pipeline.control.worker_switch import switch_pipeline
    from event_pipeline.settings import load_settings

    control = _control(url)
    _echo_switched(switch_pipeline(lambda: control, load_settings(), names, on=on), json)


def _control(url: str | None) -> DagsterControl:
    from event_pipeline.control import DagsterControl

    settings = begin()
    return DagsterControl(url or settings.dagster_url)


def _range(text: str) -> tuple[str, str]:
    first, dots, last = (part.strip() for part in text.partition(".."))
    if not (first and dots and last):
        raise typer.BadParameter(f"{text!r} is not a range; write A..B, such as 2025-06-01..2025-06-30")
    return first, last


def _follow(control: DagsterControl, launched: Launched, timeout: float | None) -> RunResult:
    try:
        with ShownProgress() as shown:
            return control.follow(launched.id, shown, timeout)
    except KeyboardInterrupt:
        typer.echo(f"stopped waiting; {launched.id} goes on: {launched.url}", err=True)
        raise typer.Exit(130) from None


def _echo_result(result: RunResult) -> None:
    for check in result.checks_failed:
        typer.secho(f"check failed: {check}", fg=typer.colors.YELLOW)
    if not result.succeeded:
        typer.secho(
            f"{result.status.lower()} after {result.duration_seconds:.1f} s: {result.failure}", fg="red", err=True
        )
        typer.echo(f"see {result.url}", err=True)
        return
    done = f"{counted(result.steps_done, 'step')}, {counted(result.materializations, 'materialization')}"
    typer.secho(f"succeeded in {result.duration_seconds:.1f} s: {done}", fg=typer.colors.GREEN)


def _echo_switched(switched: list[Switched], json: bool) -> None:
    if json:
        echo_json(switched)
    for item in switched if not json else ():
        before = "" if item.changed else " already"
        typer.echo(f"{item.kind} {item.name} is{before} {_on_off(item.is_running)}")


def _on_off(is_running: bool) -> str:
    return "on" if is_running else "off"


def _echo_overview(overview: Overview) -> None:
    typer.echo(f"Dagster {overview.version} at {overview.address}")
    for daemon in overview.daemons:
        if daemon.is_required and not daemon.is_healthy:
            reason = daemon.error or "no heartbeat; start it with `make up`"
            typer.secho(f"daemon {daemon.name} is not healthy: {reason}", fg=typer.colors.RED)
    if all(daemon.is_healthy for daemon in overview.daemons if daemon.is_required):
        typer.echo("daemons are healthy")
    if overview.location_error:
        typer.secho(overview.location_error, fg=typer.colors.RED)
        return
    typer.echo(f"code location {overview.location} is loaded: {counted(overview.asset_count, 'asset')}")
    typer.echo(f"jobs: {', '.join(overview.jobs)}")
    for item in overview.automations:
        typer.echo(f"{item.kind} {item.name} is {_on_off(item.is_running)} ({item.when})")
    for run in overview.recent_runs:
        took = f", {run.duration_seconds:.1f} s" if run.duration_seconds is not None else ""
        typer.echo(f"run {run.run_id} {run.job} {run.status.lower()} at {run.created_at:%Y-%m-%d %H:%M:%S} UTC{took}")


def _sources() -> list[SourceState]:
    """How each source did; none, with a word on why, when the catalog does not open."""
    import duckdb

    from event_pipeline.settings import load_settings
    from event_pipeline.warehouse.source_states import source_states

    try:
        return source_states(load_settings())
    except duckdb.Error as error:
        # Its message holds the catalog's address, password included.
        typer.echo(f"the states of sources are unknown: the catalog does not open ({type(error).__name__})", err=True)
        return []


def _echo_sources(sources: list[SourceState]) -> None:
    for item in sources:
        name = item.source if item.collection == "*" else f"{item.source} {item.collection}"
        why = f" since {item.changed_at:%Y-%m-%d %H:%M:%S} UTC: {item.message}" if item.message else ""
        color = None if item.state == "ok" else typer.colors.YELLOW
        typer.secho(f"source {name} is {item.state}{why} (read at {item.read_at:%Y-%m-%d %H:%M:%S} UTC)", fg=color)
