"""``demo``: a synthetic organisation of any size, as the app and its helpers would have written it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from event_pipeline.cli._count import ShownCount
from event_pipeline.cli._output import begin

if TYPE_CHECKING:
    from event_pipeline.demo import DemoSummary
    from event_pipeline.settings import Settings

Out = Annotated[
    Path | None,
    typer.Option(help="Folder that exports/ and inbox/ are written to; the data folder of the settings by default."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    registrations: Annotated[int, typer.Option(min=100, max=10_000_000, help="Registration documents.")] = 2_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, size and day give the same bytes.")] = 7,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day on which it is written; today (UTC) by default.")
    ] = None,
    out: Out = None,
) -> None:
    """Write a demo organisation: an export of the app's database and the inbox records that go with it."""
    from event_pipeline.launch.demo_data import load_demo

    settings = begin()
    target = out or _data_folder(settings)
    with ShownCount("registrations") as shown:
        summary = load_demo(target, registrations, seed, as_of, shown)
    _echo(summary)


def _data_folder(settings: Settings) -> Path:
    """The data folder, unless an organisation's own data goes there."""
    from event_pipeline.errors import SettingsError
    from event_pipeline.launch.demo_data import has_source, holds_demo, is_empty

    is_own = settings.environment == "production" or has_source(settings)
    if is_own or not (is_empty(settings) or holds_demo(settings)):
        raise SettingsError(
            f"the data folder {settings.data_dir} is for an organisation's own data, which the demo would be mixed "
            "with; name another folder with --out"
        )
    return settings.data_dir


def _echo(summary: DemoSummary) -> None:
    for path in summary.files:
        typer.echo(path)
    typer.echo(
        f"{summary.registrations:,} registrations for {summary.events:,} events of {summary.clubs:,} clubs, "
        f"{summary.scans:,} scans, {summary.email_events:,} mail events, {summary.payment_events:,} payment events"
    )
