"""Marts by event, day and club, added up from the facts of the oracle itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.organisation import UNKNOWN, Organisation

Tables = dict[str, list[Row]]
Sums = defaultdict[tuple[Any, ...], Counter[str]]

EVENT_MEASURES = (
    "registrations", "cancellations", "duplicates", "participants", "walk_ins", "check_ins", "revenue_minor",
    "payments_verified", "payments_pending",
)  # fmt: skip
DAY_MEASURES = ("registrations", "cancellations", "duplicates", "participants", "check_ins", "revenue_minor")


def has_started(event: Row, organisation: Organisation) -> bool:
    """Whether its start is not after the instant the tables are made for; a cancelled event never has."""
    start = event["starts_at"]
    return start is not None and start <= organisation.as_of and event["event_status"] != "cancelled"


def rate(part: int, whole: int | None) -> float | None:
    """Part over whole; None where there is no whole."""
    return part / whole if whole else None


def event_metrics(tables: Tables, organisation: Organisation) -> list[Row]:
    """``marts.agg_event_metrics``."""
    sums: Sums = defaultdict(Counter)
    for row in tables["core.fact_registrations"]:
        day = (row["event_id"], row["registered_date"])
        if row["is_cancelled"]:
            sums[row["event_id"], row["cancelled_date"]]["cancellations"] += 1
            continue
        sums[day]["duplicates"] += row["is_duplicate"]
        if row["is_counted"]:
            sums[day].update(registrations=1, participants=row["team_size"], walk_ins=int(row["is_walk_in"]))
    for row in tables["core.fact_attendance"]:
        if row["is_counted"]:
            sums[row["event_id"], row["occurred_date"]]["check_ins"] += 1
    for row in tables["core.fact_payment_entries"]:
        if row["currency"] == organisation.currency and row["amount_minor"]:
            sums[row["event_id"], row["occurred_date"]]["revenue_minor"] += row["amount_minor"]
    for row in tables["core.fact_payments"]:
        if row["payment_status"] in ("verified", "pending"):
            sums[row["event_id"], row["occurred_date"]][f"payments_{row['payment_status']}"] += 1
    return [
        {"event_id": event, "date": day, "currency": organisation.currency, **_measures(found, EVENT_MEASURES)}
        for (event, day), found in sums.items()
    ]


def _measures(found: Mapping[str, int], names: Sequence[str]) -> dict[str, int]:
    return {name: found.get(name, 0) for name in names}


def daily_metrics(tables: Tables, organisation: Organisation) -> list[Row]:
    """``marts.agg_daily_metrics``."""
    sums: defaultdict[date | None, Counter[str]] = defaultdict(Counter)
    for row in tables["core.dim_dates"]:
        sums[row["date"]].update()
    for row in tables["marts.agg_event_metrics"]:
        sums[row["date"]].update(_measures(row, DAY_MEASURES))
    for row in tables["core.dim_users"]:
        if row["registrations"] and row["user_id"] != UNKNOWN:
            sums[row["first_counted_date"]]["new_people"] += 1
    for row in tables["core.dim_events"]:
        if has_started(row, organisation):
            sums[row["start_date"]]["events_started"] += 1
    for day, word in _mails(tables["core.fact_email_events"]):
        sums[day][f"emails_{word}"] += 1
    names = (*DAY_MEASURES, "new_people", "events_started", "emails_sent", "emails_delivered")
    return [{"date": day, "currency": organisation.currency, **_measures(found, names)} for day, found in sums.items()]


def _mails(reported: Iterable[Row]) -> Iterable[tuple[date | None, str]]:
    """The day and the word of each mail sent or delivered: a message to a person is one, however often reported."""
    mails = {
        (
            row["provider"],
            row["user_id"],
            row["message_id"] or row["email_event_id"],
            row["occurred_date"],
            row["email_event"],
        )
        for row in reported
        if row["email_event"] in ("sent", "delivered")
    }
    return [(day, word) for *_, day, word in mails]


def club_metrics(tables: Tables, organisation: Organisation) -> list[Row]:
    """``marts.agg_club_metrics``."""
    events = {row["event_id"]: row for row in tables["core.dim_events"]}
    registrations: defaultdict[str, list[Row]] = defaultdict(list)
    for row in tables["core.fact_registrations"]:
        if row["is_counted"]:
            registrations[events[row["event_id"]]["club_id"]].append(row)
    revenue: Counter[str] = Counter()
    for row in tables["marts.agg_event_metrics"]:
        revenue[events[row["event_id"]]["club_id"]] += row["revenue_minor"]
    return [
        _club(
            row["club_id"],
            [event for event in events.values() if event["club_id"] == row["club_id"]],
            registrations[row["club_id"]],
            organisation,
        )
        | {"revenue_minor": revenue[row["club_id"]], "currency": organisation.currency}
        for row in tables["core.dim_clubs"]
    ]


def _club(club_id: str, events: list[Row], registrations: list[Row], organisation: Organisation) -> Row:
    started = {event["event_id"] for event in events if has_started(event, organisation)}
    attended = [row for row in registrations if row["is_attended"]]
    expected = [row for row in registrations if row["event_id"] in started]
    came = [row for row in expected if row["is_attended"]]
    visited: defaultdict[str, set[str]] = defaultdict(set)
    for row in registrations:
        if row["user_id"] != UNKNOWN:
            visited[row["user_id"]].add(row["event_id"])
    rates = [
        round(people(row for row in expected if row["event_id"] == event["event_id"]) / event["capacity"] * 1_000_000)
        for event in events
        if event["event_id"] in started and event["capacity"]
    ]
    return {
        "club_id": club_id,
        "events": sum(event["event_id"] != UNKNOWN for event in events),
        "events_started": len(started),
        "registrations": len(registrations),
        "participants": people(registrations),
        "attended": len(attended),
        "expected": len(expected),
        "expected_attended": len(came),
        "attendance_rate": rate(len(came), len(expected)),
        "attended_people": people(attended),
        "expected_people": people(expected),
        "expected_attended_people": people(came),
        "people": len(visited),
        "returning_people": sum(len(found) > 1 for found in visited.values()),
        "average_fill_rate": rate(sum(rates), len(rates) * 1_000_000),
    }


def people(registrations: Iterable[Row]) -> int:
    """People in these registrations, teams included."""
    return sum(row["team_size"] for row in registrations)


def email_funnel(tables: Tables, reached: Mapping[str, set[str]]) -> list[Row]:
    """``marts.agg_email_funnel``: each step is of the counted registrations, and no step exceeds the one before."""
    theirs: defaultdict[str, list[Row]] = defaultdict(list)
    for row in tables["core.fact_registrations"]:
        if row["is_counted"]:
            theirs[row["event_id"]].append(row)
    return [_funnel(row["event_id"], theirs[row["event_id"]], reached) for row in tables["core.dim_events"]]


def _funnel(event_id: str, registrations: list[Row], reached: Mapping[str, set[str]]) -> Row:
    said = [reached.get(row["registration_id"], set()) for row in registrations]
    delivered = {"delivered", "open", "click", "spam_report"}
    attended = [row for row in registrations if row["is_attended"]]
    return {
        "event_id": event_id,
        "registered": len(registrations),
        "registered_people": people(registrations),
        "sent": sum(bool(words & {*delivered, "sent", "deferred", "bounce"}) for words in said),
        "delivered": sum(bool(words & delivered) for words in said),
        "opened": sum(bool(words & {"open", "click"}) for words in said),
        "clicked": sum("click" in words for words in said),
        "bounced": sum("bounce" in words for words in said),
        "attended": len(attended),
        "attended_people": people(attended),
    }
