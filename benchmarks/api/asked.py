"""What is asked of either server: the same figures, from the API's routes and from Datasette by SQL."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from event_pipeline.api.answers.analytics import Period
from event_pipeline.api.queries.span import span_of
from event_pipeline.contracts.core import DIM_EVENTS, FACT_PAYMENTS, FACT_REGISTRATIONS
from event_pipeline.contracts.marts import MARTS

if TYPE_CHECKING:
    import duckdb

API = "/api/pipeline"
COPIED = (DIM_EVENTS, FACT_REGISTRATIONS, FACT_PAYMENTS, *MARTS.values())
"""Tables that both servers have."""
EXPORTED = "agg_registration_pace"

_PERIODS: tuple[Period, ...] = ("week", "month", "year", "all")
_SAMPLE = 4_000
_AGAIN = 20


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; a body makes it a POST."""

    path: str
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is measured under one name, asked of the API and of Datasette in turn; ``is_new`` asks no server twice."""

    name: str
    api: Sequence[Ask]
    datasette: Sequence[Ask]
    is_new: bool = False

    def is_answered_by(self, paths: Collection[str]) -> bool:
        """Whether an API whose document has these paths answers it."""
        asked = self.api[0].path.partition("?")[0].split("/")
        return any(
            all(part == said or said.startswith("{") for part, said in zip(asked, path.split("/"), strict=True))
            for path in paths
            if path.count("/") == len(asked) - 1
        )


def as_json(asks: Sequence[Ask]) -> str:
    """For the load generator's process."""
    return json.dumps([asdict(ask) for ask in asks])


def questions(connection: duckdb.DuckDBPyConnection, time_zone: str, seed: int = 1) -> list[Question]:
    """What is asked, about events and registrations drawn from the open warehouse."""
    draw = random.Random(seed)
    events = _sample(connection, "core.dim_events", "event_id", draw)
    registrations = _sample(connection, "core.fact_registrations", "registration_id", draw)
    today = datetime.now(UTC).astimezone(ZoneInfo(time_zone)).date()
    few: list[tuple[Period, int]] = [(period, 10) for period in _PERIODS]
    many: list[tuple[Period, int]] = [(period, top) for top in range(1, 101) if top != 10 for period in _PERIODS]
    return [
        Question("status", [Ask(f"{API}/status")], [_sql(_TOTALS)]),
        Question("analytics, asked before", *_analytics(few, today)),
        Question("analytics, not asked before", *_analytics(many, today), is_new=True),
        Question("event page, asked before", *_event_pages(events[:_AGAIN])),
        Question("event page, not asked before", *_event_pages(events[_AGAIN:] or events), is_new=True),
        Question(
            "point query",
            [Ask(f"{API}/query", json.dumps({"sql": _POINT_API, "params": {"id": key}})) for key in registrations],
            [_sql(_POINT, id=key) for key in registrations],
        ),
        Question(
            f"export of {EXPORTED} as CSV",
            [Ask(f"{API}/exports/tables/marts.{EXPORTED}?format=csv")],
            [Ask(f"/warehouse/{EXPORTED}.csv?_stream=on&_size=max")],
        ),
    ]


def _analytics(asked: Sequence[tuple[Period, int]], today: date) -> tuple[list[Ask], list[Ask]]:
    api, datasette = [], []
    for period, top in asked:
        span = span_of(period, today)
        before = span.before or span
        days = {
            "first": span.first or date(1970, 1, 1), "last": span.last, "first_before": before.first or "",
            "last_before": before.last, "top": top,
        }  # fmt: skip
        api.append(Ask(f"{API}/analytics?{urlencode({'period': period, 'top': top})}"))
        datasette.append(_sql(_ANALYTICS, **days))
    return api, datasette


def _event_pages(events: Sequence[str]) -> tuple[list[Ask], list[Ask]]:
    api = [Ask(f"{API}/events/{event}/analytics") for event in events]
    return api, [_sql(_EVENT, event=event) for event in events]


def _sample(connection: duckdb.DuckDBPyConnection, table: str, column: str, draw: random.Random) -> list[str]:
    rows = connection.execute(
        f"SELECT {column} FROM warehouse.{table} WHERE event_id <> 'unknown' ORDER BY hash({column}) LIMIT {_SAMPLE}"
    ).fetchall()
    found = [key for (key,) in rows]
    draw.shuffle(found)
    return found


def _sql(sql: str, **parameters: object) -> Ask:
    return Ask("/warehouse.json?" + urlencode({"sql": sql, "_shape": "array", **parameters}))


_TOTALS = """
SELECT (SELECT count(*) FROM dim_events WHERE event_id <> 'unknown') AS events, sum(registrations) AS registrations,
    sum(check_ins) AS check_ins, sum(revenue_minor) AS revenue_minor FROM agg_daily_metrics
"""
_SUMS = ", ".join(
    f"'{name}', sum({name})"
    for name in ("registrations", "participants", "cancellations", "check_ins", "revenue_minor", "new_people",
                 "emails_sent", "emails_delivered")
)  # fmt: skip
_STARTED = """
(SELECT json_object('events', count(*), 'expected', sum(registered), 'attended', sum(attended), 'opened', sum(opened),
    'clicked', sum(clicked)) FROM dim_events JOIN agg_email_funnel USING (event_id)
    WHERE starts_at <= strftime('%Y-%m-%dT%H:%M:%fZ') AND event_status <> 'cancelled'
    AND start_date BETWEEN :first{which} AND :last{which})
"""
_ANALYTICS = f"""
SELECT json_object(
    'totals', (SELECT json_object({_SUMS}) FROM agg_daily_metrics WHERE date BETWEEN :first AND :last),
    'totals_before', (SELECT json_object({_SUMS}) FROM agg_daily_metrics
        WHERE date BETWEEN :first_before AND :last_before),
    'course', {_STARTED.format(which="")}, 'course_before', {_STARTED.format(which="_before")},
    'trend', (SELECT json_group_array(json_object('date', date, 'registrations', registrations,
        'participants', participants, 'check_ins', check_ins, 'revenue_minor', revenue_minor, 'new_people', new_people))
        FROM agg_daily_metrics WHERE date BETWEEN :first AND :last),
    'top_events', (SELECT json_group_array(json_object('event_id', event_id, 'title', title, 'starts_at', starts_at,
        'registrations', registrations, 'check_ins', check_ins, 'revenue_minor', revenue_minor)) FROM (
            SELECT event_id, title, starts_at, sum(registrations) AS registrations, sum(check_ins) AS check_ins,
                sum(revenue_minor) AS revenue_minor
            FROM agg_event_metrics JOIN dim_events USING (event_id)
            WHERE date BETWEEN :first AND :last AND event_id <> 'unknown'
            GROUP BY 1, 2, 3 ORDER BY 4 DESC, 5 DESC, 1 LIMIT :top))
) AS answer
"""
_EVENT = """
SELECT json_object(
    'event', (SELECT json_object('event_id', event_id, 'title', title, 'starts_at', starts_at, 'capacity', capacity,
        'event_status', event_status) FROM dim_events WHERE event_id = :event),
    'figures', (SELECT json_object('registrations', sum(registrations), 'participants', sum(participants),
        'check_ins', sum(check_ins), 'revenue_minor', sum(revenue_minor))
        FROM agg_event_metrics WHERE event_id = :event),
    'pace', (SELECT json_group_array(json_array(days_before_start, registrations, cumulative_registrations, fill_rate))
        FROM agg_registration_pace WHERE event_id = :event),
    'earlier', (SELECT json_group_array(json_array(p.event_id, days_before_start, cumulative_registrations))
        FROM dim_events this JOIN dim_events e ON e.club_id = this.club_id AND e.edition_series = this.edition_series
            AND e.starts_at < this.starts_at JOIN agg_registration_pace p ON p.event_id = e.event_id
        WHERE this.event_id = :event),
    'arrivals', (SELECT json_group_array(json_array(bucket_at, check_ins, cumulative_check_ins))
        FROM agg_arrivals WHERE event_id = :event),
    'funnel', (SELECT json_object('registered', registered, 'sent', sent, 'delivered', delivered, 'opened', opened,
        'clicked', clicked, 'attended', attended) FROM agg_email_funnel WHERE event_id = :event),
    'payments', (SELECT json_group_array(json_array(payment_status, payments, amount)) FROM (
        SELECT payment_status, count(*) AS payments, sum(amount_minor) AS amount FROM fact_payments
        WHERE event_id = :event GROUP BY 1))
) AS answer
"""
_POINT = "SELECT * FROM fact_registrations WHERE registration_id = :id"
_POINT_API = "SELECT * FROM core.fact_registrations WHERE registration_id = $id"
