"""``load``: history from export files anywhere on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from event_pipeline.cli._count import ShownCount
from event_pipeline.cli._output import ShownProgress, begin, counted

if TYPE_CHECKING:
    from event_pipeline.launch.presence import Running
    from event_pipeline.settings import Settings
    from event_pipeline.warehouse.lake import Lake
    from event_pipeline.warehouse.load import LoadedFile

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE",
        help="Exports of the Realtime Database or of Firestore (.json), or documents one a line (.ndjson, .jsonl); "
        "also gzipped.",
    ),
]


_REFRESH_JOB = "refresh"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(load)


def load(
    files: Files,
    snapshot: Annotated[
        bool, typer.Option("--snapshot", help="Delete what earlier exports held and the file lacks.")
    ] = False,
    place: Annotated[
        str | None,
        typer.Option(
            "--path", help="Where in the database the files belong, such as registrations or event_chat/-Nx1."
        ),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh/--no-refresh", help="Bring every table up to date afterwards.")
    ] = True,
) -> None:
    """Load export files from anywhere on disk, each once: loading a file again changes nothing.

    Exits with 1 when a file could not be loaded whole, 2 when one is missing, unreadable or of no known format.
    """
    from event_pipeline.launch.folder import prepare_folder

    settings = begin()
    _refuse(files, settings)
    place = None if place is None else _checked(place)
    prepare_folder(settings)
    loaded = _load(files, settings, snapshot, place)
    is_refreshed = _refresh(settings) if refresh else True
    if refresh and is_refreshed:
        _echo_quarantine(settings)
    elif not refresh:
        typer.echo("tables are as they were; bring them up to date with `event-pipeline trigger refresh`")
    if not is_refreshed or any(file.failure for file in loaded):
        raise typer.Exit(1)


def _refuse(files: list[Path], settings: Settings) -> None:
    """Everything that is wrong with the arguments, before anything is loaded."""
    from event_pipeline.launch.demo_data import holds_demo
    from event_pipeline.warehouse.load import why_not_loadable

    wrong = [reason for path in files if (reason := why_not_loadable(path))]
    exports = settings.exports_dir.resolve()
    if not wrong and holds_demo(settings) and any(path.resolve().parent != exports for path in files):
        wrong = [
            f"the data folder {settings.data_dir} holds the demo organisation, which these files would be mixed with; "
            "set data_dir (PIPELINE_DATA_DIR) to a new folder"
        ]
    for reason in wrong:
        typer.secho(f"error: {reason}", fg=typer.colors.RED, err=True)
    if wrong:
        raise typer.Exit(2)


def _checked(place: str) -> str:
    """The path as it is used. Exits with 2 when it is none of the app's database."""
    from event_pipeline.errors import PermanentError
    from event_pipeline.sources.export_path import checked_path

    try:
        return checked_path(place)
    except PermanentError as error:
        typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from None


def _load(files: list[Path], settings: Settings, is_snapshot: bool, place: str | None) -> list[LoadedFile]:
    """The files, the oldest first: a snapshot deletes what is known when it is loaded."""
    from event_pipeline.warehouse.connection import connect
    from event_pipeline.warehouse.lake import Lake

    ordered = sorted(dict.fromkeys(files), key=lambda path: path.stat().st_mtime_ns)
    with connect(settings, ("lake",)) as connection:
        lake = Lake.prepared(connection, settings)
        return [_load_one(lake, settings, path, is_snapshot, place) for path in ordered]


def _load_one(lake: Lake, settings: Settings, path: Path, is_snapshot: bool, place: str | None) -> LoadedFile:
    from event_pipeline.warehouse.load import load_file

    kilobytes = path.stat().st_size // 1024
    with ShownCount(f"{path.name}, KB") as shown:
        done = load_file(
            lake,
            settings,
            path,
            is_snapshot=is_snapshot,
            place=place,
            on_read=lambda count: shown(count // 1024, kilobytes),
        )
    _echo_loaded(done)
    return done


def _echo_loaded(file: LoadedFile) -> None:
    if not file.was_read and not file.failure:
        typer.echo(f"{file.path}: loaded before, nothing new")
    elif file.documents or not file.failure:
        new = f"{file.changes - file.deletes:,} new or changed"
        gone = f", {file.deletes:,} deleted" if file.deletes else ""
        typer.echo(f"{file.path}: {counted(file.documents, 'document')} read, {new}{gone}")
    for collection, count in file.not_followed.items() if file.documents else ():
        typer.echo(
            f"  left out: {counted(count, 'document')} of {collection}, which firebase.collections does not list"
        )
    for note in file.notes:
        typer.echo(f"  {note}")
    if file.failure:
        typer.secho(f"error: {file.failure}", fg=typer.colors.RED, err=True)


def _refresh(settings: Settings) -> bool:
    """Every table brought up to date; whether that succeeded.

    Where Dagster serves the data folder it does this, for its runs that write take turns.
    """
    from event_pipeline.control import ServerAwayError
    from event_pipeline.launch.presence import read_running

    running = read_running(settings.data_dir.absolute())
    if running is not None and running.url is not None:
        try:
            return _refresh_by_dagster(running, running.url)
        except ServerAwayError:
            # An `up` that was killed leaves its note behind.
            typer.echo("Dagster does not answer; refreshing here", err=True)
    return _refresh_here(settings)


def _refresh_by_dagster(running: Running, url: str) -> bool:
    from event_pipeline.control import DagsterControl

    with DagsterControl(url) as control:
        launched = control.launch(_REFRESH_JOB)
        typer.echo(f"refresh runs in Dagster: {launched.url}", err=True)
        with ShownProgress() as shown:
            result = control.follow(launched.id, shown)
    if not result.succeeded:
        typer.secho(f"error: refresh failed: {result.failure}; see {result.url}", fg=typer.colors.RED, err=True)
        return False
    typer.echo(f"refreshed {counted(len(result.materialized), 'table')} in {result.duration_seconds:.1f} s")
    return True


def _refresh_here(settings: Settings) -> bool:
    from datetime import UTC, datetime
    from time import perf_counter

    from event_pipeline.increments.kept import Kept
    from event_pipeline.increments.rebuild import rebuilding
    from event_pipeline.models.registry import MODELS
    from event_pipeline.warehouse.connection import connect, ibis_backend

    started = perf_counter()
    kept: list[Kept] = []
    as_of = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with connect(settings) as connection, ShownCount("tables") as shown:
        for number, done in enumerate(rebuilding(ibis_backend(connection), settings, as_of), start=1):
            shown(number, len(MODELS))
            kept += [done] if isinstance(done, Kept) else []
    typer.echo(f"refreshed {counted(len(MODELS) - len(kept), 'table')} in {perf_counter() - started:.1f} s")
    for table in kept:
        typer.secho(f"error: {table.message}", fg=typer.colors.RED, err=True)
    return not kept


def _echo_quarantine(settings: Settings) -> None:
    from event_pipeline.sources.export_files import ExportFilesSource
    from event_pipeline.warehouse.quarantine import rejected_documents

    rejected = rejected_documents(settings, ExportFilesSource.name)
    see = "; see `event-pipeline quarantine list`" if rejected else ""
    typer.echo(f"in quarantine: {counted(rejected, 'document')} of exports{see}")
