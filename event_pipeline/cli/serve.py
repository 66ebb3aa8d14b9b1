"""``serve``: the REST API in the foreground."""

from __future__ import annotations

from typing import Annotated

import typer

from event_pipeline.cli._output import begin


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; the setting api.host by default.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65_535, help="Port to listen on; the setting api.port by default.")
    ] = None,
) -> None:
    """Serve the REST API, with its documentation at /docs, until Ctrl-C.

    Exits with 1 when the port is taken.
    """
    from event_pipeline.api.server import serve as serve_api

    settings = begin()
    chosen = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    serve_api(settings.model_copy(update={"api": settings.api.model_copy(update=chosen)}))
