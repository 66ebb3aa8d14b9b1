"""``quarantine``: rows that broke a rule, why, and what to do; ``retry`` judges them again by the present rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from event_pipeline.cli._output import begin, echo_json

if TYPE_CHECKING:
    from event_pipeline.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
_COLUMNS = ("table_name", "document_id", "field", "rule", "consequence", "offending_value", "what_to_do", "source")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Rows that broke a rule, and the way out.", no_args_is_help=True)
    group.command("list")(list_rows)
    group.command()(show)
    group.command()(retry)
    app.add_typer(group, name="quarantine")


def list_rows(
    table: Annotated[str | None, typer.Option(help="Only this staging table, such as registrations.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only this rule, such as event_id.required.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows shown.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List documents in quarantine with the rule each broke."""
    condition = "(?::VARCHAR IS NULL OR table_name = ?) AND (?::VARCHAR IS NULL OR rule = ?)"
    _print(_read(begin(), condition, [table, table, rule, rule], limit), as_json)


def show(table: str, document_id: str, as_json: AsJson = False) -> None:
    """Show every rule that one document broke, and what to do."""
    rows = _read(begin(), "table_name = ? AND document_id = ?", [table, document_id], 1_000)
    if not rows:
        typer.echo(f"{document_id} of {table} is not in quarantine", err=True)
        raise typer.Exit(1)
    _print(rows, as_json)


def retry(table: Annotated[str | None, typer.Argument(help="Staging table; all when left out.")] = None) -> None:
    """Judge the documents again by the rules now in force; those that pass leave quarantine."""
    from event_pipeline.models.registry import STAGING_MODELS
    from event_pipeline.warehouse.connection import connect, ibis_backend
    from event_pipeline.warehouse.refresh import refresh_tables

    settings = begin()
    names = [model.name for model in STAGING_MODELS if table in (None, model.contract.table)]
    if not names:
        typer.echo(f"there is no staging table {table}", err=True)
        raise typer.Exit(2)
    with connect(settings) as connection:
        for done in refresh_tables(ibis_backend(connection), settings, datetime.now(UTC), names):
            typer.echo(f"{done.table}: {done.rows} rows, {done.rejected} in quarantine, {done.noted} lost a value")
    typer.echo("run `event-pipeline trigger refresh` to bring the warehouse up to date")


def _read(settings: Settings, condition: str, parameters: list[Any], limit: int) -> list[dict[str, Any]]:
    from event_pipeline.warehouse.connection import connect, lake_exists

    if not lake_exists(settings):
        return []
    with connect(settings, ("lake",), read_only=True) as connection:
        rows = connection.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM lake.quarantine.rows WHERE {condition} "
            f"ORDER BY table_name, document_id, rule LIMIT {limit}",
            parameters,
        ).fetchall()
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        echo_json(rows)
        return
    for row in rows:
        value = "" if row["offending_value"] is None else f", found {row['offending_value']}"
        typer.echo(f"{row['table_name']} {row['document_id']} ({row['consequence']}): {row['rule']}{value}")
        typer.echo(f"  {row['what_to_do']}")
    typer.echo(f"{len(rows)} broken rules shown" if rows else "nothing is in quarantine")
