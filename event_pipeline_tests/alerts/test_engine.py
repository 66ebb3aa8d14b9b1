"""Pending, firing, resolved; and what is told of it, whatever happens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.alerts.alert import Alert, Condition, Notice
from event_pipeline.alerts.engine import advance, tell
from event_pipeline.alerts.silence import Silence
from event_pipeline.settings import AlertRule
from event_pipeline_tests.effort import scaled

BEGIN = datetime(2026, 6, 1, tzinfo=UTC)
RULE = AlertRule(for_minutes=2, clear_minutes=3, repeat_hours=1)
GROUP = timedelta(minutes=5)


@dataclass
class Course:
    """Alerts over time, as the evaluator drives them."""

    rules: Mapping[str, AlertRule] = field(default_factory=lambda: {"r": RULE})
    group: timedelta = GROUP
    inhibited_by: Mapping[str, frozenset[str]] = field(default_factory=dict)
    now: datetime = BEGIN
    alerts: dict[str, Alert] = field(default_factory=dict)
    flushed: dict[str, datetime] = field(default_factory=dict)
    notices: list[tuple[datetime, Notice]] = field(default_factory=list)

    def step(
        self, minutes: float, found: Mapping[str, Iterable[str] | None], silences: Sequence[Silence] = ()
    ) -> list[str]:
        """So much later these subjects are found; what is told then, such as 'firing a'."""
        self.now += timedelta(minutes=minutes)
        conditions = {
            rule: None if subjects is None else [Condition(rule, subject, f"{subject} is ill") for subject in subjects]
            for rule, subjects in found.items()
        }
        after = advance(self.alerts, conditions, self.rules, self.now)
        told = tell(after, self.rules, silences, self.inhibited_by, self.flushed, self.group, self.now)
        # As the store does: what is closed is not looked at again.
        self.alerts = {name: alert for name, alert in told.alerts.items() if alert.is_open}
        self.flushed = told.flushed
        self.notices += [(self.now, notice) for notice in told.notices]
        return [f"{notice.kind} {alert.subject}" for notice in told.notices for alert in notice.alerts]

    def states(self) -> dict[str, str]:
        return {alert.subject: alert.state for alert in self.alerts.values()}


def silence(minutes: float, now: datetime = BEGIN, **matchers: str) -> Silence:
    return Silence("s_1", matchers, now, now + timedelta(minutes=minutes), "me", "")


def test_it_is_pending_until_it_has_held_for_long_enough() -> None:
    course = Course()
    assert course.step(0, {"r": "a"}) == []
    assert course.states() == {"a": "pending"}
    assert course.step(1, {"r": "a"}) == []
    assert course.step(1, {"r": "a"}) == ["firing a"]


def test_what_passes_while_pending_is_forgotten() -> None:
    course = Course()
    course.step(0, {"r": "a"})
    course.step(1, {"r": ""})
    assert course.states() == {}
    assert course.step(1, {"r": "a"}) == []


def test_it_is_resolved_when_it_has_been_over_for_long_enough_and_can_fire_again() -> None:
    course = Course(group=timedelta())
    course.step(0, {"r": "a"})
    assert course.step(2, {"r": "a"}) == ["firing a"]
    assert course.step(1, {"r": ""}) == []
    assert course.states() == {"a": "firing"}
    assert course.step(3, {"r": ""}) == ["resolved a"]
    assert course.states() == {}
    course.step(1, {"r": "a"})
    assert course.step(2, {"r": "a"}) == ["firing a"]


def test_a_rule_that_cannot_look_leaves_its_alerts_as_they_are() -> None:
    course = Course()
    course.step(0, {"r": "a"})
    course.step(2, {"r": "a"})
    assert course.step(600, {"r": None}) == ["repeat a"]
    assert course.states() == {"a": "firing"}


def test_a_rule_that_is_switched_off_ends_its_alerts() -> None:
    course = Course()
    course.step(0, {"r": "a"})
    course.step(2, {"r": "a"})
    course.rules = {}
    assert course.step(6, {}) == ["resolved a"]


def test_it_is_told_again_after_a_while() -> None:
    course = Course()
    course.step(0, {"r": "a"})
    course.step(2, {"r": "a"})
    assert course.step(59, {"r": "a"}) == []
    assert course.step(1, {"r": "a"}) == ["repeat a"]


def test_alerts_of_a_rule_are_told_together() -> None:
    course = Course(rules={"r": RULE.model_copy(update={"for_minutes": 0})})
    assert course.step(0, {"r": "ab"}) == ["firing a", "firing b"]
    assert len(course.notices) == 1
    assert course.step(1, {"r": "abc"}) == []
    assert course.step(1, {"r": "abcd"}) == []
    assert course.step(3, {"r": "abcd"}) == ["firing c", "firing d"]


def test_what_began_and_ended_between_two_notices_is_not_told() -> None:
    course = Course(rules={"r": AlertRule(clear_minutes=0)})
    course.step(0, {"r": "a"})
    course.step(1, {"r": "ab"})
    course.step(1, {"r": "a"})
    assert course.step(10, {"r": "a"}) == []


def test_what_returns_before_its_end_is_told_never_ended() -> None:
    course = Course(rules={"r": AlertRule(clear_minutes=0)}, group=timedelta(minutes=5))
    course.step(0, {"r": "a"})
    assert course.step(1, {"r": ""}) == []
    assert course.step(1, {"r": "a"}) == []
    assert course.step(10, {"r": "a"}) == []
    assert course.step(1, {"r": ""}) == ["resolved a"]


def test_where_a_rule_says_so_its_end_is_not_told() -> None:
    course = Course(rules={"r": AlertRule(clear_minutes=0, tells_resolved=False)}, group=timedelta())
    assert course.step(0, {"r": "a"}) == ["firing a"]
    assert course.step(1, {"r": ""}) == []
    assert course.states() == {}


def test_a_consequence_is_not_told_while_its_cause_fires() -> None:
    rule = AlertRule(clear_minutes=0)
    course = Course(rules={"r": rule, "cause": rule}, inhibited_by={"r": frozenset({"cause"})}, group=timedelta())
    assert course.step(0, {"r": "a", "cause": "x"}) == ["firing x"]
    assert course.states() == {"a": "firing", "x": "firing"}
    assert course.step(1, {"r": "a", "cause": ""}) == ["firing a", "resolved x"]


def test_a_silence_holds_the_telling_back_until_it_ends() -> None:
    course = Course(rules={"r": AlertRule()})
    quiet = [silence(10, rule="r", subject="a*")]
    assert course.step(0, {"r": ["a1", "b"]}, quiet) == ["firing b"]
    assert course.states() == {"a1": "firing", "b": "firing"}
    assert course.step(10, {"r": ["a1", "b"]}, quiet) == ["firing a1"]


def test_the_end_of_what_was_told_is_told_in_spite_of_a_silence() -> None:
    course = Course(rules={"r": AlertRule(clear_minutes=0)}, group=timedelta())
    course.step(0, {"r": "a"})
    assert course.step(1, {"r": ""}, [silence(100, rule="*")]) == ["resolved a"]


@pytest.mark.parametrize(
    ("matchers", "expected"),
    [
        ({}, False),
        ({"rule": "disk"}, True),
        ({"rule": "d?sk", "severity": "crit*"}, True),
        ({"rule": "disk", "owner": "organisers"}, False),
        ({"table": "core.*"}, True),
        ({"table": "marts.*"}, False),
        ({"nothing_of_the_kind": "*x"}, False),
    ],
)
def test_a_silence_matches_when_all_of_it_does(matchers: dict[str, str], expected: bool) -> None:
    alert = Alert(
        "f" * 16, "disk", "data", "firing", "critical", "operators", "it is full", BEGIN, labels={"table": "core.x"}
    )
    assert silence(1, BEGIN, **matchers).matches(alert) is expected


def test_a_clock_that_was_set_back_does_not_hold_an_alert_for_good() -> None:
    course = Course()
    course.step(0, {"r": "a"})
    course.step(2, {"r": "a"})
    course.now -= timedelta(days=1)
    course.step(1, {"r": ""})
    assert course.step(3, {"r": ""}) == ["resolved a"]


_SUBJECTS = st.one_of(st.none(), st.sets(st.sampled_from("abc")))
_STEPS = st.lists(st.tuples(st.integers(0, 9), _SUBJECTS, st.booleans()), max_size=60)


@given(_STEPS, st.integers(0, 6), st.integers(0, 6), st.integers(0, 10))
@settings(max_examples=scaled(300), deadline=None)
def test_whatever_happens_tellings_alternate(
    steps: list[tuple[int, set[str] | None, bool]], for_minutes: int, clear_minutes: int, group_minutes: int
) -> None:
    """Each firing is told at most once, each end exactly once for a firing that was told; silences are heeded."""
    rule = AlertRule(for_minutes=for_minutes, clear_minutes=clear_minutes, repeat_hours=0)
    course = Course(rules={"r": rule}, group=timedelta(minutes=group_minutes))
    said: dict[str, list[str]] = {}
    for minutes, found, is_silent in steps:
        silences = [silence(10_000, rule="r")] if is_silent else []
        for line in course.step(minutes, {"r": found}, silences):
            kind, subject = line.split()
            assert not (is_silent and kind == "firing")
            said.setdefault(subject, []).append(kind)
    for kinds in said.values():
        assert kinds == (["firing", "resolved"] * len(kinds))[: len(kinds)]
    at = [when for when, _ in course.notices]
    moments = sorted(set(at))
    assert all(later - earlier >= course.group for earlier, later in pairwise(moments))
    # Once all is well for long enough, whoever heard of an alert has heard of its end.
    for minutes in (60, 60, 60):
        for line in course.step(minutes, {"r": ""}):
            kind, subject = line.split()
            said[subject].append(kind)
    assert all(kinds[-1] == "resolved" for kinds in said.values())
    assert course.states() == {}


@given(st.integers(0, 10), st.integers(0, 10), st.integers(1, 5))
@settings(max_examples=scaled(100), deadline=None)
def test_what_holds_is_told_in_time(for_minutes: int, group_minutes: int, pause: int) -> None:
    course = Course(rules={"r": AlertRule(for_minutes=for_minutes)}, group=timedelta(minutes=group_minutes))
    course.step(0, {"r": "a"})
    course.step(for_minutes, {"r": "ab"})
    waited = 0
    while waited < for_minutes + group_minutes:
        waited += pause
        course.step(pause, {"r": "ab"})
    assert sorted(alert.subject for _, notice in course.notices for alert in notice.alerts) == ["a", "b"]
