"""``quarantine``: rows that broke a rule, why, and what to do; ``retry`` judges them again by the present rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from event_pipeline.cli._output import begin, counted, echo_json

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(help="Rows that broke a rule, and the way out.", no_args_is_help=True)
    group.command("list")(list_rows)
    # Firebase's own ids begin with a dash, and none of their letters may be taken for an option.
    group.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})(show)
    group.command()(retry)
    app.add_typer(group, name="quarantine")


def list_rows(
    table: Annotated[str | None, typer.Option(help="Only this staging table, such as registrations.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only this rule, such as event_id.required.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows shown.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List documents in quarantine with the rule each broke."""
    from event_pipeline.warehouse.quarantine import broken_rules

    settings = begin()
    name = None if table is None else _known(table)
    found = broken_rules(settings, table=name, rule=rule, limit=limit)
    rows = found.rows
    if as_json:
        echo_json(rows)
        return
    _echo(rows)
    if not rows:
        filtered = "" if table is None and rule is None else " that fits"
        typer.echo(f"nothing{filtered} is in quarantine")
        return
    documents = f"{counted(found.documents, 'document')}, {counted(found.total, 'broken rule')}"
    typer.echo(documents if found.total == len(rows) else f"{documents}; {len(rows):,} shown, --limit shows more")


def show(
    table: Annotated[str, typer.Argument(help="Staging table, such as registrations.")],
    document_id: Annotated[str, typer.Argument(help="Its id, as `list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Show every rule that one document broke, and what to do."""
    from event_pipeline.warehouse.quarantine import broken_rules

    settings = begin()
    rows = broken_rules(settings, table=_known(table), document_id=document_id).rows
    if not rows:
        typer.echo(f"{document_id} of {table} is not in quarantine", err=True)
        raise typer.Exit(1)
    echo_json(rows) if as_json else _echo(rows)


def retry(table: Annotated[str | None, typer.Argument(help="Staging table; all when left out.")] = None) -> None:
    """Judge the documents again by the rules now in force; those that pass leave quarantine."""
    from event_pipeline.models.registry import STAGING_MODELS
    from event_pipeline.quality.contract_check import require_contract
    from event_pipeline.warehouse.connection import connect, ibis_backend
    from event_pipeline.warehouse.refresh import Refreshed, refresh_tables

    def say(done: Refreshed) -> None:
        judged = f"{counted(done.rows, 'row')}, {done.rejected:,} in quarantine, {done.noted:,} lost a value"
        typer.echo(f"{done.table}: {judged}")

    settings = begin()
    name = None if table is None else _known(table)
    names = [model.name for model in STAGING_MODELS if name in (None, model.contract.table)]
    with connect(settings) as connection:
        refresh_tables(
            ibis_backend(connection),
            settings,
            datetime.now(UTC),
            names,
            on_refreshed=say,
            verify=lambda contract: require_contract(connection, contract, settings.validation),
        )
    typer.echo("run `event-pipeline trigger refresh` to bring the warehouse up to date")


def _known(table: str) -> str:
    """The table's own name. Exits with 2 when no documents are meant for such a table."""
    from event_pipeline.contracts.staging import STAGING_FIREBASE
    from event_pipeline.contracts.staging_inbox import STAGING_PARSED

    names = sorted({*STAGING_FIREBASE, *STAGING_PARSED})
    name = table.removeprefix("staging.").removeprefix("staging/")
    if name not in names:
        typer.secho(f"error: there is no staging table {table!r}; there are {', '.join(names)}", fg="red", err=True)
        raise typer.Exit(2)
    return name


def _echo(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        value = "" if row["offending_value"] is None else f", found {row['offending_value']}"
        typer.echo(f"{row['table_name']} {row['document_id']} ({row['consequence']}): {row['rule']}{value}")
        typer.echo(f"  {row['what_to_do']}")
