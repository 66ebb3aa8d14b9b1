"""``config check``: what the settings are and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from event_pipeline.cli._output import begin, echo_json

if TYPE_CHECKING:
    from event_pipeline.effective import EffectiveSetting


def register(app: typer.Typer) -> None:
    """Add the commands."""
    config = typer.Typer(help="Look at the settings.", no_args_is_help=True)

    @config.callback()
    def root() -> None:
        """Look at the settings."""

    config.command()(check)
    app.add_typer(config, name="config")


def check(json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False) -> None:
    """Print the settings in force and where each comes from; secrets are shown as ****.

    Exits with 2 and one message naming the setting, its value and what is allowed when a value is wrong.
    """
    from event_pipeline.effective import effective_settings
    from event_pipeline.settings import toml_path

    found = effective_settings(begin())
    if json:
        echo_json(found)
        return
    path = toml_path()
    typer.echo(f"settings file: {path.absolute()}{'' if path.is_file() else ' (there is none)'}\n")
    rows = [("setting", "value", "from"), *((item.name, _text(item.value), _origin(item)) for item in found)]
    widths = [max(len(row[column]) for row in rows if len(row[column]) <= 60) for column in (0, 1)]
    for name, value, origin in rows:
        typer.echo(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {origin}")


def _text(value: Any) -> str:
    """The value on one line."""
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    if isinstance(value, list | dict):
        import orjson

        return orjson.dumps(value).decode()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _origin(item: EffectiveSetting) -> str:
    return f"{item.source} {item.where}" if item.source == "variable" else item.source
