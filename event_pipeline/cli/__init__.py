"""The ``event-pipeline`` command.

Each module of this package that does not start with an underscore adds its commands by a function
``register(app: typer.Typer) -> None``; putting a file here is all it takes. Such a module imports typer and the
standard library only, and everything else inside its commands, so that ``--help`` answers at once.

Exit codes: 0 done; 1 it ran and failed; 2 wrong settings, names or arguments; 3 the Dagster webserver is away;
130 interrupted.
"""

from __future__ import annotations

import pkgutil
import signal
from collections.abc import Sequence
from importlib import import_module

import typer

from event_pipeline.errors import PipelineError, SettingsError


def build_app() -> typer.Typer:
    """The command with everything that the modules of this package add."""
    app = typer.Typer(
        name="event-pipeline",
        help="Load, refresh and watch the data platform of your events.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def root() -> None:
        """Load, refresh and watch the data platform of your events."""

    for module in sorted(item.name for item in pkgutil.iter_modules(__path__) if not item.name.startswith("_")):
        import_module(f"{__name__}.{module}").register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit; an error that the pipeline expects is one message, never a traceback."""
    if arguments is None:
        _hear_ctrl_c()
    try:
        build_app()(args=None if arguments is None else list(arguments), prog_name="event-pipeline")
    except PipelineError as error:
        typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
        raise SystemExit(exit_code(error)) from None


def _hear_ctrl_c() -> None:
    """SIGINT interrupts the command also where a script's background started it, which has it ignored.

    Nobody sends one who does not want the command to stop, and what it starts must hear it too.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def exit_code(error: PipelineError) -> int:
    """The exit code that tells a script what kind of error this was."""
    from event_pipeline.control.errors import ServerAwayError, WrongRequestError

    if isinstance(error, SettingsError | WrongRequestError):
        return 2
    return 3 if isinstance(error, ServerAwayError) else 1
