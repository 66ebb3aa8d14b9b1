"""The course of events: how they fill up, how people arrive, and whether they come again."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from typing import Any

from event_pipeline_tests.oracle.fields import Row
from event_pipeline_tests.oracle.marts import Tables, has_started, rate
from event_pipeline_tests.oracle.organisation import UNKNOWN, Organisation


def pace(tables: Tables, organisation: Organisation) -> list[Row]:
    """``marts.agg_registration_pace``: what was active at the end of each day before a start."""
    changes: defaultdict[str, defaultdict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    events = {row["event_id"]: row for row in tables["core.dim_events"]}
    for key, event in events.items():
        if has_started(event, organisation):
            changes[key][0].update()
    for row in tables["core.fact_registrations"]:
        start, since = events[row["event_id"]]["start_date"], row["counted_from_date"]
        if start is None or since is None:
            continue
        of_event = changes[row["event_id"]]
        of_event[(start - since).days].update(registrations=1, participants=row["team_size"])
        if row["is_cancelled"]:
            day = of_event[(start - row["cancelled_date"]).days]
            day.update(cancellations=1, cancelled_participants=row["team_size"])
    return [row for key, days in changes.items() for row in _pace_of(key, events[key]["capacity"], days)]


def _pace_of(event_id: str, capacity: int | None, days: dict[int, Counter[str]]) -> list[Row]:
    names = ("registrations", "cancellations", "participants", "cancelled_participants")
    rows, active, people = [], 0, 0
    for day in sorted(days, reverse=True):
        found = {name: days[day][name] for name in names}
        active += found["registrations"] - found["cancellations"]
        people += found["participants"] - found["cancelled_participants"]
        rows.append(
            {"event_id": event_id, "days_before_start": day, "capacity": capacity, **found}
            | {"cumulative_registrations": active, "cumulative_participants": people}
            | {"fill_rate": rate(people, capacity)}
        )
    return rows


def arrivals(tables: Tables) -> list[Row]:
    """``marts.agg_arrivals``: counted check-ins in five minutes by the clock."""
    events = {row["event_id"]: row for row in tables["core.dim_events"]}
    registered = Counter(row["event_id"] for row in tables["core.fact_registrations"] if row["is_counted"])
    buckets: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for row in tables["core.fact_attendance"]:
        if row["is_counted"] and row["occurred_at"] is not None:
            buckets[row["event_id"]][_minute(row["occurred_at"]) // 5 * 5] += 1
    rows = []
    for event_id, counts in buckets.items():
        total, start = 0, events[event_id]["starts_at"]
        for minute in sorted(counts):
            total += counts[minute]
            rows.append(
                {
                    "event_id": event_id,
                    "bucket_at": datetime.fromtimestamp(minute * 60, UTC),
                    "minutes_from_start": None if start is None else minute - _minute(start),
                    "check_ins": counts[minute],
                    "cumulative_check_ins": total,
                    "registered": registered[event_id],
                }
            )
    return rows


def _minute(instant: datetime) -> int:
    return int(instant.timestamp()) // 60


def cohorts(tables: Tables) -> list[Row]:
    """``marts.agg_cohorts``: known people by the month they first came, and who came in each month after."""
    came: defaultdict[str, set[date]] = defaultdict(set)
    for row in tables["core.fact_attendance"]:
        if row["is_counted"] and row["occurred_date"] is not None and row["user_id"] != UNKNOWN:
            came[row["user_id"]].add(row["occurred_date"].replace(day=1))
    if not came:
        return []
    last = max(month for months in came.values() for month in months)
    cohorts: defaultdict[date, list[set[date]]] = defaultdict(list)
    for months in came.values():
        cohorts[min(months)].append(months)
    return [row for first, people in cohorts.items() for row in _cohort(first, last, people)]


def _cohort(first: date, last: date, people: list[set[date]]) -> list[dict[str, Any]]:
    rows = []
    for months in range(_number(last) - _number(first) + 1):
        year, month = divmod(_number(first) + months, 12)
        attended = sum(date(year, month + 1, 1) in theirs for theirs in people)
        rows.append(
            {
                "cohort_month": first,
                "months_since": months,
                "cohort_people": len(people),
                "attended_people": attended,
                "repeat_rate": rate(attended, len(people)),
            }
        )
    return rows


def _number(day: date) -> int:
    return day.year * 12 + day.month - 1
