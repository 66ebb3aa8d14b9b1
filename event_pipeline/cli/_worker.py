"""What `status` says of the stream worker, by its heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from event_pipeline.stream.heartbeat import Heartbeat, SourceBeat


def worker_status() -> dict[str, Any] | None:
    """The latest heartbeat and whether it is fresh; None when no worker runs."""
    from dataclasses import asdict

    from event_pipeline.settings import load_settings
    from event_pipeline.stream.heartbeat import read_heartbeat

    settings = load_settings()
    heartbeat = read_heartbeat(settings)
    return None if heartbeat is None else {"is_fresh": heartbeat.is_fresh(settings)} | asdict(heartbeat)


def echo_worker() -> None:
    """A line for the worker, and one for each source, or each collection of it that does not fare well."""
    from event_pipeline.settings import load_settings
    from event_pipeline.stream.heartbeat import read_heartbeat

    settings = load_settings()
    heartbeat = read_heartbeat(settings)
    if heartbeat is None:
        typer.echo("no stream worker runs: sensors look at the sources; start it with `event-pipeline stream`")
        return
    if not heartbeat.is_fresh(settings):
        typer.secho(
            f"stream worker was last heard at {_at(heartbeat.at)}: it was killed or hangs, and sensors look at the "
            f"sources; see whether process {heartbeat.pid} is there, and its log",
            fg=typer.colors.RED,
        )
        return
    if heartbeat.phase == "switched_off":
        typer.echo("stream worker is switched off; `event-pipeline start stream_worker` switches it on")
        return
    typer.echo(_sentence(heartbeat))
    if heartbeat.failing_since is not None:
        since = _at(heartbeat.failing_since)
        typer.secho(f"stream worker cannot commit since {since}: {heartbeat.failure}", fg=typer.colors.RED)
    for beat in heartbeat.sources.values():
        _echo_source(beat)


def _sentence(heartbeat: Heartbeat) -> str:
    lag = f", last seen to committed in {heartbeat.lag_seconds:.1f} s" if heartbeat.lag_seconds is not None else ""
    waiting = f", {heartbeat.waiting_changes:,} changes wait" if heartbeat.waiting_changes else ""
    return (
        f"stream worker is {heartbeat.phase} since {_at(heartbeat.started_at)} (process {heartbeat.pid}): "
        f"{heartbeat.rows:,} changes in {heartbeat.batches:,} batches{lag}{waiting}"
    )


def _echo_source(beat: SourceBeat) -> None:
    last = f", last change at {_at(beat.last_change_at)}" if beat.last_change_at else ""
    ill = {name: standing for name, standing in beat.collections.items() if standing.state != "live"}
    if not ill:
        typer.echo(f"stream {beat.name} is live{last}")
    for collection, standing in ill.items():
        name = beat.name if collection == "*" else f"{beat.name} {collection}"
        why = f": {standing.message}" if standing.message else ""
        color = None if standing.state == "connecting" else typer.colors.YELLOW
        typer.secho(f"stream {name} is {standing.state} since {_at(standing.since)}{why}{last}", fg=color)


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
