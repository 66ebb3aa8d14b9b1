"""Runs the API in the foreground."""

from __future__ import annotations

from event_pipeline.settings import Settings

_GRACE_SECONDS = 10


def serve(settings: Settings) -> None:
    """Answer until SIGTERM or Ctrl-C, finishing requests under way. Raises SystemExit when the port is taken."""
    import uvicorn

    from event_pipeline.api.app import create_app
    from event_pipeline.api.services import Services

    services = Services.of(settings)
    services.sandbox.warm()
    uvicorn.run(
        create_app(settings, services),
        host=settings.api.host,
        port=settings.api.port,
        # The process's own logging, with its masks, is set up already.
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
