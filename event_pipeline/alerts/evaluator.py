"""One evaluation: every rule looks, alerts go on, and what is to be told is put into the outbox, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson
import structlog

from event_pipeline.alerts.alert import Alert, Condition
from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.delivery.outbox import Outbox
from event_pipeline.alerts.engine import advance, tell
from event_pipeline.alerts.rules import RULES
from event_pipeline.alerts.scene import CannotLook, Scene, Tables
from event_pipeline.alerts.signs import AskDagster, AskTasks, AskWorker
from event_pipeline.alerts.store import AlertStore
from event_pipeline.masking import SecretMask, secrets_of
from event_pipeline.settings import AlertRule, Settings
from event_pipeline.sqlite import from_stamp, stamp

_EVALUATED_AT = "evaluated_at"
_UNSEEN = "unseen"
_HOUR = timedelta(hours=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Looked:
    """What the rules found; ``unseen`` says of each that could not look why."""

    found: dict[str, Sequence[Condition] | None]
    unseen: dict[str, str]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """When rules were last evaluated, and which could not look then."""

    at: datetime | None
    unseen: dict[str, str]

    def is_silent(self, settings: Settings, now: datetime) -> bool:
        """Whether nobody evaluates: what is wrong would not be seen."""
        return self.at is None or now - self.at > timedelta(seconds=settings.alerts.silent_seconds)


def _now() -> datetime:
    return datetime.now(UTC)


def rules_in_force(settings: Settings) -> dict[str, AlertRule]:
    """The rules that are switched on, by name."""
    known = {name: getattr(settings.alerts.rules, name) for name in RULES}
    return {name: rule for name, rule in known.items() if rule.enabled}


class Evaluator:
    """Evaluates for one data folder; its connection to the tables stays open between evaluations."""

    def __init__(
        self,
        settings: Settings,
        database: AlertDatabase,
        ask_worker: AskWorker,
        ask_dagster: AskDagster,
        now: Callable[[], datetime] = _now,
        tasks: AskTasks = dict,
    ) -> None:
        self._settings, self._database, self._now = settings, database, now
        self._ask_tasks = tasks
        self._ask_worker, self._ask_dagster = ask_worker, ask_dagster
        self._store, self._outbox = AlertStore(database), Outbox(database)
        self._tables = Tables(settings)
        self._rules = rules_in_force(settings)
        self._mask = SecretMask(secrets_of(settings))
        self._forgot_at: datetime | None = None

    def look(self) -> Looked:
        """What every rule finds at this moment."""
        self._tables.begin()
        scene = Scene(
            self._settings, self._now(), self._database, self._tables, self._ask_worker(), self._ask_dagster(),
            self._ask_tasks(),
        )  # fmt: skip
        looked = Looked({}, {})
        for name, rule in self._rules.items():
            looked.found[name] = self._judge(name, rule, scene, looked.unseen)
        self._tables.end()
        return looked

    def evaluate(self) -> dict[str, Alert]:
        """The open alerts by fingerprint after this evaluation."""
        looked, now = self.look(), self._now()
        inhibited_by = {name: rule.inhibited_by for name, rule in RULES.items()}
        group = timedelta(minutes=self._settings.alerts.group_minutes)
        with self._database.transaction():
            before, flushed = self._store.open_alerts(), self._store.flushed()
            after = advance(before, looked.found, self._rules, now)
            silences = self._store.silences(active_at=now)
            told = tell(after, self._rules, silences, inhibited_by, flushed, group, now)
            self._store.keep(before, told.alerts)
            self._store.keep_flushed(told.flushed)
            self._outbox.put(told.notices, self._rules, self._settings.alerts.receivers, now)
            self._database.note(_EVALUATED_AT, stamp(now))
            self._database.note(_UNSEEN, orjson.dumps(looked.unseen).decode())
            if self._forgot_at is None or now - self._forgot_at > _HOUR:
                self._store.forget(now, self._settings.alerts.keep_days)
                self._forgot_at = now
        for notice in told.notices:
            log.info("alert", rule=notice.rule, kind=notice.kind, alerts=[alert.summary for alert in notice.alerts])
        return told.alerts

    def close(self) -> None:
        """Give the tables back."""
        self._tables.close()

    def _judge(self, name: str, rule: AlertRule, scene: Scene, unseen: dict[str, str]) -> Sequence[Condition] | None:
        try:
            found = RULES[name].judge(scene, rule)
            return [self._masked(condition) for condition in found]
        except CannotLook as reason:
            unseen[name] = str(reason)
        except Exception as error:
            # A fault of one rule must not keep the others from being told.
            unseen[name] = f"a fault of the rule: {type(error).__name__}"
            log.exception("alert_rule_failed", rule=name)
        return None

    def _masked(self, condition: Condition) -> Condition:
        """What a source or Dagster said may quote an address with its password."""
        return replace(condition, summary=self._mask.mask(condition.summary), link=self._mask.mask(condition.link))


def last_evaluation(database: AlertDatabase) -> Evaluation:
    """The latest, by whichever process."""
    return Evaluation(from_stamp(database.noted(_EVALUATED_AT)), orjson.loads(database.noted(_UNSEEN) or "{}"))
