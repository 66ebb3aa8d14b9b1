"""``keys``: the API's keys."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from event_pipeline.cli._output import begin, echo_json

if TYPE_CHECKING:
    from datetime import datetime

    from event_pipeline.api.database import Database
    from event_pipeline.api.keys import ApiKey

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    keys = typer.Typer(help="Issue, list and revoke keys of the API.", no_args_is_help=True)
    for command, name in ((create, "create"), (list_keys, "list"), (revoke, "revoke")):
        keys.command(name)(command)
    app.add_typer(keys, name="keys")


def create(
    name: Annotated[str, typer.Argument(help="Whose or what it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What it allows: read, sql, export, scan, operate, pii, admin. May be repeated."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="It expires after so many days.")] = None,
    per_minute: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Requests a minute; api.requests_per_minute by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Issue a key and print it this once: it is not kept in clear. Without --scope it may read.

    Exits with 2 for an unknown scope.
    """
    from datetime import UTC, datetime, timedelta

    from event_pipeline.api.audit import COMMAND_LINE, Audit
    from event_pipeline.api.keys import KeyStore

    with _database() as database:
        expires = datetime.now(UTC) + timedelta(days=days) if days else None
        key, secret = KeyStore(database).create(name, scope or ["read"], expires, per_minute)
        Audit(database).record(COMMAND_LINE, "create_key", key.key_id, details={"scopes": sorted(key.scopes)})
    if json:
        echo_json({"key": secret} | _fields(key))
        return
    typer.echo(secret)
    typer.echo(f"key {key.key_id} ({', '.join(sorted(key.scopes))}); it is shown only now, so keep it safe", err=True)


def list_keys(json: Json = False) -> None:
    """Show every key by its id, with its scopes and when it was last used, to the minute."""
    from event_pipeline.api.keys import KeyStore

    with _database() as database:
        found = KeyStore(database).known()
    if json:
        echo_json([_fields(key) for key in found])
        return
    for key in found:
        typer.echo(f"{key.key_id}  {_state(key)}, {', '.join(sorted(key.scopes))}, {_used(key)}: {key.name}")
    if not found:
        typer.echo("there is no key yet; issue one with `event-pipeline keys create NAME`")


def revoke(key_id: Annotated[str, typer.Argument(help="The key's id, such as ep_h3k9x2aa.")]) -> None:
    """Close a key at once and for good. Exits with 2 when there is none with that id."""
    from event_pipeline.api.audit import COMMAND_LINE, Audit
    from event_pipeline.api.keys import KeyStore

    with _database() as database:
        key = KeyStore(database).revoke(key_id)
        Audit(database).record(COMMAND_LINE, "revoke_key", key.key_id)
    typer.echo(f"{key.key_id} ({key.name}) is revoked")


def _database() -> AbstractContextManager[Database]:
    from contextlib import closing

    from event_pipeline.api.database import Database

    return closing(Database(begin()))


def _state(key: ApiKey) -> str:
    from datetime import UTC, datetime

    if key.revoked_at:
        return f"revoked at {_at(key.revoked_at)}"
    if key.expires_at:
        return f"{'expires' if key.is_valid(datetime.now(UTC)) else 'expired'} at {_at(key.expires_at)}"
    return "valid"


def _used(key: ApiKey) -> str:
    return f"last used at {_at(key.last_used_at)}" if key.last_used_at else "never used"


def _fields(key: ApiKey) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(key) | {"scopes": sorted(key.scopes)}


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
