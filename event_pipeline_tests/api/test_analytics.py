"""GET analytics says what the facts say."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from event_pipeline.settings import Settings
from event_pipeline_tests.api.organisation import AS_OF, NOW, Api, ask

TODAY = NOW.astimezone(ZoneInfo("Asia/Kolkata")).date()
DAYS = {"today": 1, "week": 7, "month": 30, "year": 365}
FACTS = """
SELECT
    (SELECT count(*) FROM warehouse.core.fact_registrations
     WHERE is_counted AND ($1 OR registered_date BETWEEN $2 AND $3)),
    (SELECT coalesce(sum(team_size), 0)::BIGINT FROM warehouse.core.fact_registrations
     WHERE is_counted AND ($1 OR registered_date BETWEEN $2 AND $3)),
    (SELECT count(*) FROM warehouse.core.fact_attendance
     WHERE is_counted AND ($1 OR occurred_date BETWEEN $2 AND $3)),
    (SELECT coalesce(sum(amount_minor), 0)::BIGINT FROM warehouse.core.fact_payment_entries
     WHERE currency = 'INR' AND ($1 OR occurred_date BETWEEN $2 AND $3))
"""
ATTENDANCE = """
SELECT count(DISTINCT e.event_id), count(r.registration_id), count(r.registration_id) FILTER (r.is_attended)
FROM warehouse.core.dim_events e
    LEFT JOIN warehouse.core.fact_registrations r ON r.event_id = e.event_id AND r.is_counted
WHERE e.starts_at <= $4 AND coalesce(e.event_status, '') <> 'cancelled' AND ($1 OR e.start_date BETWEEN $2 AND $3)
"""


def _get(api: Api, headers: dict[str, str], **query: Any) -> dict[str, Any]:
    answer = api.http.get("/api/pipeline/analytics", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _said(totals: dict[str, Any]) -> tuple[int, ...]:
    return totals["registrations"], totals["participants"], totals["check_ins"], totals["revenue"]["amount_minor"]


@pytest.mark.parametrize("period", [*DAYS, "all"])
def test_totals_are_those_of_the_facts(api: Api, everything: dict[str, str], settings: Settings, period: str) -> None:
    said = _get(api, everything, period=period)
    first = TODAY - timedelta(days=DAYS.get(period, 1) - 1)
    assert _said(said["totals"]) == ask(settings, FACTS, [period == "all", first, TODAY])[0]
    attendance = said["totals"]["attendance"]
    ((started, expected, attended),) = ask(settings, ATTENDANCE, [period == "all", first, TODAY, AS_OF])
    assert (attendance["events_started"], attendance["expected"], attendance["attended"]) == (
        started,
        expected,
        attended,
    )
    assert attendance["rate"] == (round(attended / expected, 4) if expected else None)


def test_the_organisation_is_not_empty(api: Api, everything: dict[str, str]) -> None:
    assert min(_said(_get(api, everything, period="year")["totals"])) > 0


@pytest.mark.parametrize("period", DAYS)
def test_the_comparison_is_with_the_days_before(
    api: Api, everything: dict[str, str], settings: Settings, period: str
) -> None:
    said = _get(api, everything, period=period)
    before, days = said["comparison"], DAYS[period]
    first, last = TODAY - timedelta(days=2 * days - 1), TODAY - timedelta(days=days)
    assert (before["first_day"], before["last_day"]) == (first.isoformat(), last.isoformat())
    assert _said(before["totals"]) == ask(settings, FACTS, [False, first, last])[0]


@pytest.mark.parametrize("period", ["week", "month", "year"])
def test_a_change_is_between_whole_days(api: Api, everything: dict[str, str], settings: Settings, period: str) -> None:
    compared, days = _get(api, everything, period=period)["comparison"], DAYS[period]
    now, before = compared["whole_days"]["now"], compared["whole_days"]["before"]
    assert (now["first_day"], now["last_day"]) == (str(TODAY - timedelta(days=days)), str(TODAY - timedelta(days=1)))
    assert (before["first_day"], before["last_day"]) == (
        str(TODAY - timedelta(days=2 * days)), str(TODAY - timedelta(days=days + 1)),
    )  # fmt: skip
    was, had = (ask(settings, FACTS, [False, span["first_day"], span["last_day"]])[0] for span in (now, before))
    assert (_said(now), _said(before)) == (was, had)
    assert compared["change"]["registrations"] == (round((was[0] - had[0]) / had[0], 4) if had[0] else None)


def test_today_is_compared_with_nothing_because_it_is_not_over(api: Api, everything: dict[str, str]) -> None:
    comparison = _get(api, everything, period="today")["comparison"]
    assert comparison["whole_days"] is None
    assert set(comparison["change"].values()) == {None}


def test_days_and_weeks_that_are_not_whole_say_so(api: Api, everything: dict[str, str]) -> None:
    by_day = _get(api, everything, period="month")["trend"]
    assert [point["is_partial"] for point in by_day] == [False] * 29 + [True]
    by_week = _get(api, everything, period="month", granularity="week")["trend"]
    # 30 June 2026 is a Tuesday, and so is 2 June: the first week lacks its Monday.
    first = TODAY - timedelta(days=29)
    assert [point["is_partial"] for point in by_week] == [first.weekday() > 0, False, False, False, True]


def test_everything_has_nothing_before_it(api: Api, everything: dict[str, str]) -> None:
    assert _get(api, everything, period="all")["comparison"] is None


@pytest.mark.parametrize("granularity", ["day", "week"])
def test_the_trend_has_no_gaps_and_adds_up_to_the_totals(
    api: Api, everything: dict[str, str], granularity: str
) -> None:
    said = _get(api, everything, period="year", granularity=granularity)
    days = [date.fromisoformat(point["date"]) for point in said["trend"]]
    step = timedelta(days=7 if granularity == "week" else 1)
    assert all(after - before == step for before, after in pairwise(days))
    assert days[-1] == (TODAY - timedelta(days=TODAY.weekday()) if granularity == "week" else TODAY)
    for name in ("registrations", "participants", "check_ins"):
        assert sum(point[name] for point in said["trend"]) == said["totals"][name]
    assert sum(point["revenue_minor"] for point in said["trend"]) == said["totals"]["revenue"]["amount_minor"]


def test_top_events_are_those_with_most_registrations(api: Api, everything: dict[str, str], settings: Settings) -> None:
    said = _get(api, everything, period="all", top=5)["top_events"]
    assert [(event["event_id"], event["registrations"]) for event in said] == ask(
        settings,
        "SELECT event_id, count(*) n FROM warehouse.core.fact_registrations WHERE is_counted AND event_id <> 'unknown' "
        "GROUP BY 1 ORDER BY 2 DESC, (SELECT count(*) FROM warehouse.core.fact_attendance a "
        "WHERE a.event_id = fact_registrations.event_id AND a.is_counted) DESC, 1 LIMIT 5",
    )


def test_figures_say_as_of_when_and_how_far_to_trust_them(
    api: Api, everything: dict[str, str], settings: Settings
) -> None:
    said = _get(api, everything)
    ((committed,),) = ask(settings, "SELECT epoch_us(committed_at) FROM warehouse.ops.warehouse_progress")
    assert said["as_of"].endswith("Z")
    assert api.services.mirror.current.committed_at.timestamp() * 1_000_000 == pytest.approx(committed, abs=1)
    assert said["quality"] == {
        "score": 0.75, "checked_at": "2026-06-30T00:00:00Z", "failed": 1, "tables_failing": ["core.dim_users"],
    }  # fmt: skip


@pytest.mark.parametrize("query", [{"period": "decade"}, {"granularity": "hour"}, {"top": 0}, {"top": "many"}])
def test_values_that_are_not_allowed_are_named(api: Api, everything: dict[str, str], query: dict[str, Any]) -> None:
    answer = api.http.get("/api/pipeline/analytics", params=query, headers=everything)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (name,) = query
    assert [error["location"] for error in answer.json()["errors"]] == [f"query.{name}"]
