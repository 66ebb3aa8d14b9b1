"""Runs the API in the foreground, with alerts evaluated beside it."""

from __future__ import annotations

import math
from types import FrameType

import uvicorn

from event_pipeline.alerts.watch import watching
from event_pipeline.api.app import create_app
from event_pipeline.api.connections import BACKLOG, Connections, bounded_protocol
from event_pipeline.api.dashboard.live import LiveFeed
from event_pipeline.api.services import Services
from event_pipeline.settings import Settings
from event_pipeline.stream.sign import worker_sign

_GRACE_SECONDS = 10
_KILOBYTE = 1024
_FAILED_TO_START = 1


class _Server(uvicorn.Server):
    """Ends the updates of open pages before it waits for requests under way: they would go on for ever."""

    def __init__(self, config: uvicorn.Config, feed: LiveFeed) -> None:
        super().__init__(config)
        self._feed = feed

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take in SIGTERM or Ctrl-C."""
        self._feed.close()
        super().handle_exit(sig, frame)


def serve(settings: Settings) -> None:
    """Answer until SIGTERM or Ctrl-C, finishing requests under way. Raises SystemExit when the port is taken."""
    services = Services.of(settings)
    services.sandbox.warm()
    app = create_app(settings, services)
    config = uvicorn.Config(
        app,
        host=settings.api.host,
        port=settings.api.port,
        # The process's own logging, with its masks, is set up already.
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        loop="asyncio",
        http=bounded_protocol(Connections(settings.api)),
        ws="none",
        backlog=BACKLOG,
        timeout_keep_alive=math.ceil(settings.api.idle_seconds),
        h11_max_incomplete_event_size=settings.api.header_kilobytes * _KILOBYTE,
    )
    server = _Server(config, app.state.dashboard.feed)
    try:
        with watching(settings, lambda: worker_sign(settings), services.tasks):
            server.run()
    except KeyboardInterrupt:
        return
    if not server.started:
        raise SystemExit(_FAILED_TO_START)
