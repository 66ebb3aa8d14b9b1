"""An evaluation commits alerts and notifications together, and a restart goes on where the last one was."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.delivery.outbox import Outbox
from event_pipeline.alerts.evaluator import Evaluator, last_evaluation
from event_pipeline.alerts.results import note_results
from event_pipeline.alerts.rules import RULES, Rule
from event_pipeline.alerts.signs import DagsterSign
from event_pipeline.alerts.store import AlertStore
from event_pipeline.alerts.watch import AlertWatch, claim
from event_pipeline.settings import AlertRules, Alerts, Receiver, Settings
from event_pipeline.sqlite import stamp

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
RULES_OF = {"dagster_down": {"for_minutes": 0, "clear_minutes": 0}}


def settings_for(folder: Path, **alerts: object) -> Settings:
    receivers = {"ops": Receiver.model_validate({"kind": "webhook", "url": "http://127.0.0.1:9/hook"})}
    rules = AlertRules.model_validate(RULES_OF)
    return Settings(
        data_dir=folder, dagster_url="http://127.0.0.1:9",
        alerts=Alerts.model_validate({"receivers": receivers, "rules": rules, "group_minutes": 0, **alerts}),
    )  # fmt: skip


class Clocked:
    """An evaluator under a clock that the test moves, of a Dagster that is as the test says."""

    def __init__(self, settings: Settings, database: AlertDatabase, now: datetime, is_well: bool) -> None:
        self.now, self.is_well = now, is_well
        sign = self._sign
        self.evaluator = Evaluator(settings, database, lambda: None, sign, lambda: self.now)
        self.database = database

    def _sign(self) -> DagsterSign:
        note_results(self.database, [], [], self.now)
        return DagsterSign(self.is_well, "" if self.is_well else "nothing answers")

    def turn(self, minutes: float = 1) -> list[str]:
        """An evaluation so much later; the states of the alerts that are open then."""
        self.now += timedelta(minutes=minutes)
        return [f"{alert.rule} {alert.state}" for alert in self.evaluator.evaluate().values() if alert.is_open]


@contextmanager
def evaluating(settings: Settings, now: datetime = NOW, is_well: bool = True) -> Iterator[Clocked]:
    with closing(AlertDatabase(settings)) as database:
        clocked = Clocked(settings, database, now, is_well)
        with closing(clocked.evaluator):
            yield clocked


def told(settings: Settings) -> list[str]:
    with closing(AlertDatabase(settings)) as database:
        return [item.kind for item in reversed(Outbox(database).log())]


def test_an_alert_is_told_once_over_restarts_and_once_that_it_is_over(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    now = NOW
    for is_well in (True, False, False, True, True, False):
        with evaluating(settings, now, is_well) as clocked:
            clocked.turn()
            clocked.turn()
            now = clocked.now
    assert told(settings) == ["firing", "resolved", "firing"]
    with closing(AlertDatabase(settings)) as database:
        states = [alert.state for alert in AlertStore(database).alerts(("firing", "resolved"))]
    assert states == ["firing", "resolved"]


def test_what_cannot_be_committed_whole_is_not_committed_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("the disk is full")

    with evaluating(settings, is_well=False) as clocked:
        with monkeypatch.context() as broken:
            broken.setattr(Outbox, "put", refuse)
            with pytest.raises(sqlite3.OperationalError):
                clocked.turn()
        assert AlertStore(clocked.database).open_alerts() == {}
        assert last_evaluation(clocked.database).at is None
        clocked.turn()
    assert told(settings) == ["firing"]


def test_it_works_without_dagster_and_without_a_warehouse(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    with evaluating(settings, is_well=False) as clocked:
        assert clocked.turn() == ["dagster_down firing"]
        evaluation = last_evaluation(clocked.database)
    assert evaluation.at is not None
    assert evaluation.unseen["freshness"] == "nothing was ever loaded"
    assert "dagster_down" not in evaluation.unseen


def test_a_rule_with_a_fault_keeps_no_other_from_being_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def judge(*_: object) -> list[object]:
        raise KeyError("a fault")

    monkeypatch.setitem(RULES, "run_failed", Rule(judge))  # pyright: ignore[reportArgumentType]
    with evaluating(settings_for(tmp_path), is_well=False) as clocked:
        assert clocked.turn() == ["dagster_down firing"]
        assert last_evaluation(clocked.database).unseen["run_failed"] == "a fault of the rule: KeyError"


def test_a_secret_in_a_summary_is_masked(tmp_path: Path) -> None:
    settings = settings_for(tmp_path).model_copy(update={"dagster_url": "http://user:pass4word@127.0.0.1:9"})
    with evaluating(settings) as clocked:
        clocked.evaluator._ask_dagster = lambda: DagsterSign(False, "http://user:pass4word@127.0.0.1:9 is away")
        clocked.turn()
        (alert,) = AlertStore(clocked.database).alerts(("firing",))
    assert "pass4word" not in alert.summary
    assert "is away" in alert.summary


def test_a_silence_is_heeded(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    with evaluating(settings, is_well=False) as clocked:
        store = AlertStore(clocked.database)
        store.silence({"rule": "dagster_*"}, NOW + timedelta(minutes=5), "me", "", NOW)
        clocked.turn()
        assert told(settings) == []
        clocked.turn(5)
    assert told(settings) == ["firing"]


def test_receivers_hear_what_is_severe_enough_for_them_and_theirs(tmp_path: Path) -> None:
    receivers = {
        name: {"kind": "webhook", "url": "http://127.0.0.1:9/", "least_severity": least}
        for name, least in (("all", "info"), ("night", "critical"), ("other", "info"))
    }
    rules = {"dagster_down": {"for_minutes": 0, "severity": "warning", "receivers": ["all", "night"]}}
    settings = settings_for(tmp_path, receivers=receivers, rules=rules)
    with evaluating(settings, is_well=False) as clocked:
        clocked.turn()
        assert [item.receiver for item in Outbox(clocked.database).log()] == ["all"]


def test_what_was_long_over_is_forgotten(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, keep_days=1)
    with evaluating(settings, is_well=False) as clocked:
        clocked.turn()
        clocked.is_well = True
        clocked.turn()
        clocked.database.execute("UPDATE notifications SET state = 'sent'")
        clocked.turn(60 * 49)
        assert AlertStore(clocked.database).alerts(("resolved",)) == []
        assert Outbox(clocked.database).log() == []


def test_of_several_processes_one_evaluates(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    with claim(settings) as first, claim(settings) as second:
        assert (first, second) == (True, False)
    with claim(settings) as again:
        assert again


def test_the_loop_evaluates_delivers_and_stops(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, evaluate_seconds=1)
    watch = AlertWatch(settings, lambda: None)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        with closing(AlertDatabase(settings)) as database:
            waiting = threading.Event()
            tries = 0
            while not any(item.error for item in Outbox(database).log()) and tries < 600:
                waiting.wait(0.1)
                tries += 1
            (notification,) = Outbox(database).log()
            assert (notification.rule, notification.state) == ("dagster_down", "waiting")
            assert "ConnectError" in notification.error
    finally:
        watch.stop()
        thread.join()
    with claim(settings) as is_free:
        assert is_free


def test_a_notification_is_kept_once_however_often_it_is_put(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    with evaluating(settings, is_well=False) as clocked:
        clocked.turn()
        (alert,) = AlertStore(clocked.database).alerts(("firing",))
        outbox = Outbox(clocked.database)
        first = outbox.log()[0].notification_id
        assert outbox.add("ops", "firing", alert.rule, [alert], clocked.now) == first
        assert len(outbox.log()) == 1
        assert stamp(outbox.log()[0].created_at) == stamp(clocked.now)
