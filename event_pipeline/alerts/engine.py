"""From what rules found to alerts, and from alerts to what is told: functions without input, output or clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from event_pipeline.alerts.alert import Alert, Condition, Kind, Notice
from event_pipeline.alerts.silence import Silence
from event_pipeline.settings import AlertRule

Found = Mapping[str, Sequence[Condition] | None]
"""By rule, what it found; None when it could not look, so that its alerts stay as they are."""

_WHILE_UNSEEN = AlertRule()


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told now, with the alerts and the instants of the rules' latest notices as they are then."""

    alerts: dict[str, Alert]
    notices: list[Notice]
    flushed: dict[str, datetime]


def advance(
    alerts: Mapping[str, Alert], found: Found, rules: Mapping[str, AlertRule], now: datetime
) -> dict[str, Alert]:
    """The open alerts by fingerprint after a look at everything. A rule that is off or gone has found nothing."""
    seen = {c.fingerprint: c for conditions in found.values() for c in conditions or ()}
    unseen = {rule for rule, conditions in found.items() if conditions is None}
    after: dict[str, Alert] = {}
    for fingerprint, alert in alerts.items():
        rule = rules.get(alert.rule)
        if alert.rule in unseen:
            after[fingerprint] = alert
        elif rule is not None and fingerprint in seen:
            after[fingerprint] = _still(alert, seen[fingerprint], rule, now)
        elif (gone := _without(alert, rule, now)) is not None:
            after[fingerprint] = gone
    for fingerprint, condition in seen.items():
        rule = rules.get(condition.rule)
        if fingerprint not in alerts and rule is not None:
            after[fingerprint] = _still(_new(condition, rule, now), condition, rule, now)
    return after


def _new(condition: Condition, rule: AlertRule, now: datetime) -> Alert:
    return Alert(
        fingerprint=condition.fingerprint,
        rule=condition.rule,
        subject=condition.subject,
        state="pending",
        severity=rule.severity,
        owner=rule.owner,
        summary=condition.summary,
        pending_since=now,
    )


def _still(alert: Alert, condition: Condition, rule: AlertRule, now: datetime) -> Alert:
    """The condition holds. One that was resolved but not told so yet goes on as if it had never ended."""
    alert = replace(
        alert, summary=condition.summary, value=condition.value, labels=condition.labels, link=condition.link,
        severity=rule.severity, owner=rule.owner, absent_since=None,
    )  # fmt: skip
    if alert.state == "resolved":
        return replace(alert, state="firing", resolved_at=None)
    if alert.state == "pending" and _passed(alert.pending_since, now, timedelta(minutes=rule.for_minutes)):
        return replace(alert, state="firing", firing_since=now)
    return alert


def _without(alert: Alert, rule: AlertRule | None, now: datetime) -> Alert | None:
    """The condition does not hold; None when nobody need remember it."""
    if alert.state == "pending":
        return None
    if alert.state == "resolved":
        return alert
    absent_since = alert.absent_since or now
    clear = timedelta(minutes=rule.clear_minutes) if rule is not None else timedelta()
    if _passed(absent_since, now, clear):
        return replace(alert, state="resolved", absent_since=absent_since, resolved_at=now)
    return replace(alert, absent_since=absent_since)


def tell(
    alerts: Mapping[str, Alert],
    rules: Mapping[str, AlertRule],
    silences: Sequence[Silence],
    inhibited_by: Mapping[str, frozenset[str]],
    flushed: Mapping[str, datetime],
    group: timedelta,
    now: datetime,
) -> Told:
    """Who is to hear of what. A rule's alerts are told together, at most once in ``group``.

    Silenced and inhibited alerts are not told that they fire. That one is over is told whenever its firing was, or an
    incident would stay open for good; it is told silently (not at all) where the rule says so.
    """
    after, notices, last = dict(alerts), [], dict(flushed)
    firing = frozenset(alert.rule for alert in alerts.values() if alert.state == "firing")
    due: dict[str, dict[Kind, list[Alert]]] = {}
    for alert in alerts.values():
        rule = rules.get(alert.rule, _WHILE_UNSEEN)
        held = any(s.is_active(now) and s.matches(alert) for s in silences)
        held = held or bool(inhibited_by.get(alert.rule, frozenset()) & firing)
        kind = _due(alert, rule, held, now)
        if kind == "resolved" and not rule.tells_resolved:
            after[alert.fingerprint] = replace(alert, told="resolved", told_at=now)
        elif kind is not None:
            due.setdefault(alert.rule, {}).setdefault(kind, []).append(alert)
    for name, kinds in due.items():
        if name in last and not _passed(last[name], now, group):
            continue
        last[name] = now
        for kind, told in _told(kinds, now):
            after |= {alert.fingerprint: alert for alert in told}
            notices.append(Notice(name, kind, tuple(told)))
    return Told(after, notices, last)


def _due(alert: Alert, rule: AlertRule, held: bool, now: datetime) -> Kind | None:
    if alert.state == "resolved":
        return "resolved" if alert.told == "firing" else None
    if alert.state != "firing" or held or alert.absent_since is not None:
        return None
    if alert.told is None:
        return "firing"
    repeats = rule.repeat_hours > 0 and alert.told_at is not None
    return "repeat" if repeats and _passed(alert.told_at, now, timedelta(hours=rule.repeat_hours)) else None


def _told(kinds: Mapping[Kind, list[Alert]], now: datetime) -> Iterator[tuple[Kind, list[Alert]]]:
    for kind, alerts in kinds.items():
        said = "resolved" if kind == "resolved" else "firing"
        yield kind, [replace(alert, told=said, told_at=now) for alert in alerts]


def _passed(since: datetime | None, now: datetime, span: timedelta) -> bool:
    """Whether so long has passed; also when the clock was set back by more than that, or it would wait for good."""
    return since is None or abs(now - since) >= span
