"""Structured logs: structlog and the standard library's loggers through one renderer, with secrets masked.

Console lines in development, one JSON object a line in production, always on standard error, so that what a command
prints on standard output stays its own.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO

import structlog

from event_pipeline.masking import SecretMask, secrets_of

if TYPE_CHECKING:
    from structlog.typing import Processor

    from event_pipeline.settings import Settings

_CHATTY_LIBRARIES = ("httpx", "httpcore", "urllib3", "google", "sqlalchemy.engine", "alembic")


def configure_logging(settings: Settings, stream: TextIO | None = None) -> None:
    """Route every log record of this process to ``stream`` (standard error), as the settings say.

    Calling it again replaces what an earlier call set up.
    """
    mask = SecretMask(secrets_of(settings))
    # Tracebacks become text before the mask, so that a secret inside an exception's message is masked too.
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(settings, handler.stream),
            ],
        )
    )
    level = logging.getLevelNamesMapping()[settings.log_level]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY_LIBRARIES:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A logger made at import must follow a later configuration.
        cache_logger_on_first_use=False,
    )


def _renderer(settings: Settings, stream: TextIO) -> Processor:
    if settings.uses_json_logs:
        return structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(colors=stream.isatty())
