"""``alerts``: what is wrong, who was told, and who shall not be for a while."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from event_pipeline.cli._output import begin, echo_json

if TYPE_CHECKING:
    from datetime import datetime

    from event_pipeline.alerts.alert import Alert
    from event_pipeline.alerts.database import AlertDatabase
    from event_pipeline.alerts.silence import Silence
    from event_pipeline.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
_PATIENCE_SECONDS = 20.0
_COLORS = {"critical": typer.colors.RED, "warning": typer.colors.YELLOW}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    alerts = typer.Typer(help="See, check and silence alerts; test who is told.", no_args_is_help=True)
    named = ((list_alerts, "list"), (check, "check"), (run, "run"), (test, "test"))
    for command, name in (*named, (silence, "silence"), (silences, "silences"), (unsilence, "unsilence")):
        alerts.command(name)(command)
    app.add_typer(alerts, name="alerts")


def list_alerts(
    everything: Annotated[bool, typer.Option("--all", help="Resolved ones too, the latest first.")] = False,
    json: Json = False,
) -> None:
    """Show what fires or is pending, and whether alerts are evaluated at all."""
    from datetime import UTC, datetime

    from event_pipeline.alerts.evaluator import last_evaluation
    from event_pipeline.alerts.store import AlertStore, alert_document

    settings = begin()
    states = ("firing", "pending", "resolved") if everything else ("firing", "pending")
    with _database(settings) as database:
        found = AlertStore(database).alerts(states)
        last = last_evaluation(database)
    if json:
        echo_json([alert_document(alert) for alert in found])
        return
    for alert in found:
        _echo(alert)
    if last.is_silent(settings, datetime.now(UTC)):
        heard = f"since {_at(last.at)}" if last.at else "so far"
        typer.secho(f"nobody evaluates alerts {heard}; start `event-pipeline serve`", fg=typer.colors.RED)
    elif not found:
        typer.echo("all is well")


def check(json: Json = False) -> None:
    """Evaluate every rule once, telling nobody, and show what each finds. Exits with 1 when one finds something."""
    from contextlib import closing
    from dataclasses import asdict

    from event_pipeline.alerts.dagster import ask_dagster
    from event_pipeline.alerts.evaluator import Evaluator
    from event_pipeline.stream.sign import worker_sign

    settings = begin()
    with (
        _database(settings) as database,
        closing(
            Evaluator(settings, database, lambda: worker_sign(settings), lambda: ask_dagster(settings))
        ) as all_rules,
    ):
        looked = all_rules.look()
    if json:
        found = {name: None if items is None else [asdict(i) for i in items] for name, items in looked.found.items()}
        echo_json({"found": found, "unseen": looked.unseen})
    else:
        for name, conditions in looked.found.items():
            summaries = (
                [f"cannot look: {looked.unseen[name]}"] if conditions is None else [c.summary for c in conditions]
            )
            for summary in summaries or ["ok"]:
                typer.echo(f"{name:<20} {summary}")
    if any(looked.found.values()):
        raise typer.Exit(1)


def run() -> None:
    """Evaluate and deliver until Ctrl-C; `event-pipeline serve` does the same. It waits while another process does."""
    from event_pipeline.alerts.watch import AlertWatch
    from event_pipeline.stream.sign import worker_sign
    from event_pipeline.stream.signals import stopped_by_signals

    settings = begin()
    watch = AlertWatch(settings, lambda: worker_sign(settings))
    with stopped_by_signals(watch.stop, _PATIENCE_SECONDS):
        watch.run()


def test(receiver: Annotated[str, typer.Argument(help="Its name in alerts.receivers.")]) -> None:
    """Send a test to a receiver at once. Exits with 1 when it did not arrive, 2 when there is no such receiver."""
    from event_pipeline.alerts.delivery.courier import Courier

    settings = begin()
    with _database(settings) as database:
        sent = Courier(settings, database).test(receiver)
    if sent.state != "sent":
        typer.secho(f"{receiver} did not take it: {sent.error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1)
    typer.echo(f"{receiver} took it")


def silence(
    matchers: Annotated[
        list[str], typer.Argument(help="What it is about: rule=off_pace, subject=..., owner=..., with *.")
    ],
    hours: Annotated[float, typer.Option(min=0.01, max=8_760, help="For so long.")] = 2,
    why: Annotated[str, typer.Option(help="Why, for those who wonder.")] = "",
) -> None:
    """Tell nobody of alerts that match all of these, for a while. Exits with 2 for a matcher that is none."""
    from datetime import UTC, datetime, timedelta

    from event_pipeline.alerts.store import AlertStore
    from event_pipeline.errors import SettingsError

    wanted = {name: pattern for name, _, pattern in (matcher.partition("=") for matcher in matchers)}
    if not all(name and pattern for name, pattern in wanted.items()):
        raise SettingsError("a matcher is NAME=PATTERN, such as rule=source_*")
    now = datetime.now(UTC)
    with _database(begin()) as database:
        made = AlertStore(database).silence(wanted, now + timedelta(hours=hours), "command line", why, now)
    typer.echo(f"{made.silence_id} holds until {_at(made.until)}")


def silences(json: Json = False) -> None:
    """Show the silences that hold."""
    from dataclasses import asdict
    from datetime import UTC, datetime

    from event_pipeline.alerts.store import AlertStore

    with _database(begin()) as database:
        found = AlertStore(database).silences(active_at=datetime.now(UTC))
    if json:
        echo_json([asdict(silence) for silence in found])
        return
    for item in found:
        typer.echo(_sentence(item))
    if not found:
        typer.echo("nothing is silenced")


def unsilence(silence_id: Annotated[str, typer.Argument(help="The silence's id, such as s_3f9a1c22b0.")]) -> None:
    """End a silence at once. Exits with 2 when there is none with that id."""
    from datetime import UTC, datetime

    from event_pipeline.alerts.store import AlertStore
    from event_pipeline.errors import SettingsError

    with _database(begin()) as database:
        if AlertStore(database).end_silence(silence_id, datetime.now(UTC)) is None:
            raise SettingsError(f"there is no silence {silence_id!r}; `event-pipeline alerts silences` shows them")
    typer.echo(f"{silence_id} is over")


def _database(settings: Settings) -> AbstractContextManager[AlertDatabase]:
    from contextlib import closing

    from event_pipeline.alerts.database import AlertDatabase

    return closing(AlertDatabase(settings))


def _echo(alert: Alert) -> None:
    since: dict[str, Any] = {"pending": alert.pending_since, "resolved": alert.resolved_at}
    at = _at(since.get(alert.state) or alert.firing_since or alert.pending_since)
    line = f"{alert.fingerprint}  {alert.state} since {at}, {alert.severity}, {alert.rule}: {alert.summary}"
    typer.secho(line, fg=_COLORS.get(alert.severity) if alert.state == "firing" else None)


def _sentence(silence: Silence) -> str:
    what = ", ".join(f"{name}={pattern}" for name, pattern in silence.matchers.items())
    why = f" ({silence.why})" if silence.why else ""
    return f"{silence.silence_id}  {what} until {_at(silence.until)}, by {silence.who}{why}"


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
