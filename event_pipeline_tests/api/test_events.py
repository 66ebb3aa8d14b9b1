"""Events page by page, and how one goes."""

from __future__ import annotations

from typing import Any

import pytest

from event_pipeline.settings import Settings
from event_pipeline_tests.api.organisation import Api, ask

EVENTS = "/api/pipeline/events"


def _pages(api: Api, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = api.http.get(EVENTS, params=query | ({"cursor": cursor} if cursor else {}), headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= query.get("limit", 50)
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize("limit", [1, 3, 50, 500])
def test_pages_hold_every_event_once_the_latest_first(
    api: Api, everything: dict[str, str], settings: Settings, limit: int
) -> None:
    found = _pages(api, everything, limit=limit)
    expected = ask(
        settings,
        "SELECT event_id FROM warehouse.core.dim_events WHERE event_id <> 'unknown' "
        "ORDER BY starts_at DESC NULLS LAST, event_id",
    )
    assert [event["event_id"] for event in found] == [event_id for (event_id,) in expected]


def test_an_events_figures_are_those_of_the_facts(api: Api, everything: dict[str, str], settings: Settings) -> None:
    said = {
        e["event_id"]: (e["registrations"], e["check_ins"], e["revenue"]["amount_minor"])
        for e in _pages(api, everything)
    }
    expected = ask(
        settings,
        """
        SELECT event_id,
            (SELECT count(*) FROM warehouse.core.fact_registrations r WHERE r.event_id = e.event_id AND is_counted),
            (SELECT count(*) FROM warehouse.core.fact_attendance a WHERE a.event_id = e.event_id AND is_counted),
            (SELECT coalesce(sum(revenue_minor), 0)::BIGINT FROM warehouse.core.fact_payments p
             WHERE p.event_id = e.event_id AND currency = 'INR')
        FROM warehouse.core.dim_events e WHERE event_id <> 'unknown'
        """,
    )
    assert said == {event_id: tuple(figures) for event_id, *figures in expected}


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ({"status": "completed"}, "event_status = 'completed'"),
        ({"status": "upcoming"}, "event_status = 'upcoming'"),
        ({"starts_from": "2026-05-01T00:00:00Z"}, "starts_at >= '2026-05-01T00:00:00Z'"),
        ({"starts_before": "2026-05-01T05:30:00+05:30"}, "starts_at < '2026-05-01T00:00:00Z'"),
        ({"archived": "true"}, "is_archived"),
        ({"q": "A"}, "contains(lower(title), 'a')"),
        ({"q": "%"}, "contains(title, '%')"),
    ],
)
def test_filters_choose_events(
    api: Api, everything: dict[str, str], settings: Settings, query: dict[str, str], condition: str
) -> None:
    found = {event["event_id"] for event in _pages(api, everything, **query)}
    expected = ask(
        settings, f"SELECT event_id FROM warehouse.core.dim_events WHERE event_id <> 'unknown' AND ({condition})"
    )
    assert found == {event_id for (event_id,) in expected}


def test_a_cursor_is_for_its_own_filters_alone(api: Api, everything: dict[str, str]) -> None:
    cursor = api.http.get(EVENTS, params={"limit": 1}, headers=everything).json()["next_cursor"]
    other = api.http.get(EVENTS, params={"limit": 1, "q": "a", "cursor": cursor}, headers=everything)
    assert other.status_code == 422
    assert "cursor" in other.json()["detail"]


@pytest.mark.parametrize("cursor", ["x", "e30", "W10", "WyJhIl0", "AA==", "é", "a" * 1000, "a" * 1001])
def test_a_garbled_cursor_is_refused(api: Api, everything: dict[str, str], cursor: str) -> None:
    assert api.http.get(EVENTS, params={"cursor": cursor}, headers=everything).status_code == 422


def test_what_the_client_has_is_not_sent_again(api: Api, everything: dict[str, str]) -> None:
    first = api.http.get(EVENTS, headers=everything)
    etag = first.headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = api.http.get(EVENTS, headers=everything | {"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == etag
    assert api.http.get(EVENTS, headers=everything | {"If-None-Match": '"other"'}).status_code == 200
    assert api.http.get(EVENTS, params={"limit": 3}, headers=everything).headers["etag"] != etag


def _busiest(settings: Settings, condition: str) -> str:
    ((event_id,),) = ask(
        settings,
        "SELECT event_id FROM warehouse.core.dim_events JOIN warehouse.marts.agg_email_funnel USING (event_id) "
        f"WHERE event_id <> 'unknown' AND {condition} ORDER BY registered DESC, event_id LIMIT 1",
    )
    return event_id


def test_a_past_event_is_told_as_the_facts_tell_it(api: Api, everything: dict[str, str], settings: Settings) -> None:
    event_id = _busiest(settings, "event_status = 'completed' AND is_paid")
    said = api.http.get(f"{EVENTS}/{event_id}/analytics", headers=everything).json()
    ((registered, attended, people, came),) = ask(
        settings,
        "SELECT count(*), count(*) FILTER (is_attended), sum(team_size)::BIGINT, "
        "coalesce(sum(team_size) FILTER (is_attended), 0)::BIGINT FROM warehouse.core.fact_registrations "
        "WHERE event_id = ? AND is_counted",
        [event_id],
    )
    assert said["no_shows"] == {
        "expected": registered, "attended": attended, "no_shows": registered - attended,
        "rate": round((registered - attended) / registered, 4),
        "expected_people": people, "attended_people": came, "no_show_people": people - came,
        "people_rate": round((people - came) / people, 4),
    }  # fmt: skip
    assert said["event"]["attended_people"] == came
    assert said["pace"]["points"][-1]["cumulative_registrations"] == registered
    assert said["pace"]["days_before_start"] < 0
    payments = ask(
        settings,
        "SELECT payment_status, count(*), coalesce(sum(amount_minor), 0)::BIGINT, sum(revenue_minor)::BIGINT "
        "FROM warehouse.core.fact_payments WHERE event_id = ? GROUP BY 1 ORDER BY 1",
        [event_id],
    )
    assert payments
    assert payments == [
        (p["payment_status"], p["payments"], p["amount"]["amount_minor"], p["revenue"]["amount_minor"])
        for p in said["payments"]
    ]
    ((timed,),) = ask(
        settings,
        "SELECT count(*) FROM warehouse.core.fact_attendance "
        "WHERE event_id = ? AND is_counted AND occurred_at NOT NULL",
        [event_id],
    )
    assert sum(arrival["check_ins"] for arrival in said["arrivals"]) == timed > 0
    assert (said["forecast"], bool(said["forecast_reason"])) == (None, True)


def test_nobody_is_missing_from_an_event_to_come(api: Api, everything: dict[str, str], settings: Settings) -> None:
    event_id = _busiest(settings, "starts_at > '2026-07-01T00:00:00Z'")
    said = api.http.get(f"{EVENTS}/{event_id}/analytics", headers=everything).json()
    assert said["no_shows"] is None
    assert said["pace"]["days_before_start"] > 0
    assert said["arrivals"] == []


def test_earlier_editions_are_compared_by_days_before_the_start(
    api: Api, everything: dict[str, str], settings: Settings
) -> None:
    rows = ask(
        settings,
        "SELECT a.event_id, b.event_id FROM warehouse.core.dim_events a JOIN warehouse.core.dim_events b "
        "ON a.edition_series = b.edition_series AND a.club_id = b.club_id AND b.starts_at < a.starts_at "
        "AND b.event_status <> 'cancelled' ORDER BY b.starts_at DESC, b.event_id",
    )
    assert rows, "the demo has series"
    event_id = rows[0][0]
    pace = api.http.get(f"{EVENTS}/{event_id}/analytics", headers=everything).json()["pace"]
    earlier = [edition["event_id"] for edition in pace["earlier_editions"]]
    assert earlier == [other for one, other in rows if one == event_id][:3]
    until = pace["days_before_start"]
    for edition in pace["earlier_editions"]:
        ((by_now,),) = ask(
            settings,
            "SELECT count(*) FILTER (counted_from_date < start_date - ?) "
            "- count(*) FILTER (counted_from_date NOT NULL AND cancelled_date < start_date - ?) "
            "FROM warehouse.core.fact_registrations JOIN warehouse.core.dim_events USING (event_id) "
            "WHERE event_id = ?",
            [until, until, edition["event_id"]],
        )
        assert edition["registrations_by_now"] == by_now


def test_an_event_that_is_not_there_is_a_problem(api: Api, everything: dict[str, str]) -> None:
    answer = api.http.get(f"{EVENTS}/-Nnone/analytics", headers=everything)
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:event-pipeline:problem:not-found"


def test_participants_are_named_page_by_page_and_every_read_is_audited(
    api: Api, everything: dict[str, str], settings: Settings
) -> None:
    event_id = _busiest(settings, "event_status = 'completed'")
    expected = ask(
        settings,
        "SELECT f.registration_id, p.email FROM warehouse.core.fact_registrations f "
        "LEFT JOIN lake.people.people p USING (user_id) WHERE f.event_id = ? ORDER BY 1",
        [event_id],
    )
    found, cursor, reads = [], None, 0
    request_id = ""
    while reads == 0 or cursor:
        query = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        answer = api.http.get(f"{EVENTS}/{event_id}/participants", params=query, headers=everything)
        assert answer.headers["cache-control"] == "no-store"
        page = answer.json()
        found += page["items"]
        cursor, reads, request_id = page["next_cursor"], reads + 1, answer.headers["x-request-id"]
    assert [(person["registration_id"], person["email"]) for person in found] == expected
    assert any(person["person_name"] for person in found)
    audit = api.http.get("/api/pipeline/audit", params={"limit": reads}, headers=everything).json()["items"]
    assert {(entry["action"], entry["target"]) for entry in audit} == {("read_participants", event_id)}
    assert sum(entry["details"]["people"] for entry in audit) == len(found)
    assert audit[0]["request_id"] == request_id


def test_no_other_figure_names_anybody(api: Api, everything: dict[str, str], settings: Settings) -> None:
    people = ask(settings, "SELECT email, person_name, phone FROM lake.people.people LIMIT 300")
    words = {word for person in people for word in person if word and len(word) > 5}
    event_id = _busiest(settings, "event_status = 'completed'")
    for path in (
        "status",
        "analytics?period=all",
        "events?limit=500",
        f"events/{event_id}/analytics",
        "metrics",
        "health",
    ):
        text = api.http.get(f"/api/pipeline/{path}", headers=everything).text
        assert [word for word in words if word in text] == []
