"""``docs``: the generated pages of the documentation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(docs)


def docs(
    out: Annotated[Path, typer.Option(help="Folder of the pages.")] = Path("docs"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when a page is out of date.")] = False,
) -> None:
    """Write the pages that are made from code: the data dictionary and the settings.

    With --check, exits with 1 when a page does not say what the code does.
    """
    from event_pipeline.documentation.pages import outdated_pages, write_pages

    changed = outdated_pages(out) if check else write_pages(out)
    for path in changed:
        typer.echo(f"{path} {'is out of date; run `make docs`' if check else 'is written'}")
    if check and changed:
        raise typer.Exit(1)
    if not changed:
        typer.echo(f"the pages in {out} say what the code does")
