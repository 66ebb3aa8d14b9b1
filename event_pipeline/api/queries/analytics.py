"""What happened between two days, organisation-wide."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta

from pydantic import TypeAdapter

from event_pipeline.api.answers.analytics import (
    Attendance,
    DayRevenue,
    Engagement,
    Figures,
    Granularity,
    TopEvent,
    Totals,
    TrendPoint,
)
from event_pipeline.api.answers.common import Money, Quality, rate
from event_pipeline.api.catalog_session import Row, Session
from event_pipeline.api.queries.span import Span

_SUMS = (
    "registrations", "participants", "cancellations", "check_ins", "revenue_minor", "new_people", "emails_sent",
    "emails_delivered",
)  # fmt: skip
_TREND = TypeAdapter(list[TrendPoint])
_POINT = ("registrations", "participants", "check_ins", "revenue_minor", "new_people")


_WITHIN = "($first IS NULL OR {day} BETWEEN $first AND $last)"


def totals(session: Session, span: Span, currency: str) -> Totals:
    """The figures of a span."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::BIGINT AS {name}" for name in _SUMS)
    found = session.row(
        f"SELECT {sums} FROM mirror.agg_daily_metrics WHERE {_WITHIN.format(day='date')}", span.days
    ) or dict.fromkeys(_SUMS, 0)
    course = _of_started_events(session, span)
    delivered = course["delivered"]
    return Totals(
        registrations=found["registrations"],
        participants=found["participants"],
        cancellations=found["cancellations"],
        check_ins=found["check_ins"],
        revenue=Money(amount_minor=found["revenue_minor"], currency=currency),
        other_revenue=_other_revenue(session, span),
        attendance=Attendance(
            events_started=course["events"],
            expected=course["expected"],
            attended=course["attended"],
            rate=rate(course["attended"], course["expected"]),
            expected_people=course["expected_people"],
            attended_people=course["attended_people"],
            people_rate=rate(course["attended_people"], course["expected_people"]),
        ),
        engagement=Engagement(
            new_people=found["new_people"],
            emails_sent=found["emails_sent"],
            emails_delivered=found["emails_delivered"],
            open_rate=rate(course["opened"], delivered),
            click_rate=rate(course["clicked"], delivered),
        ),
    )


def _other_revenue(session: Session, span: Span) -> list[Money]:
    """Revenue of the span in other currencies than the organisation's."""
    rows = session.rows(
        "SELECT currency, sum(revenue_minor)::BIGINT AS amount_minor FROM mirror.other_revenue "
        f"WHERE {_WITHIN.format(day='date')} GROUP BY currency HAVING amount_minor <> 0 ORDER BY currency",
        span.days,
    )
    return [Money(**row) for row in rows]


def _other_revenue_of_events(session: Session, span: Span, event_ids: list[str]) -> dict[str, list[Money]]:
    """The same for each of these events; an event without any is left out."""
    rows = session.rows(
        "SELECT event_id, currency, sum(revenue_minor)::BIGINT AS amount_minor FROM mirror.other_revenue "
        f"WHERE event_id IN (SELECT unnest($event_ids)) AND {_WITHIN.format(day='date')} "
        "GROUP BY ALL HAVING amount_minor <> 0 ORDER BY ALL",
        span.days | {"event_ids": event_ids},
    )
    found: dict[str, list[Money]] = {}
    for row in rows:
        money = Money(amount_minor=row["amount_minor"], currency=row["currency"])
        found.setdefault(row["event_id"], []).append(money)
    return found


def revenue_by_day(session: Session, span: Span) -> list[DayRevenue]:
    """Money of each day of the span on which some moved, each currency by itself."""
    rows = session.rows(
        "SELECT date, currency, sum(paid_minor)::BIGINT AS received, sum(refunded_minor)::BIGINT AS refunded, "
        "sum(revenue_minor)::BIGINT AS revenue FROM mirror.agg_event_revenue "
        f"WHERE {_WITHIN.format(day='date')} GROUP BY ALL ORDER BY date NULLS LAST, currency",
        span.days,
    )
    return [
        DayRevenue(
            date=row["date"],
            **{
                name: Money(amount_minor=row[name], currency=row["currency"])
                for name in ("received", "refunded", "revenue")
            },
        )
        for row in rows
    ]


def _of_started_events(session: Session, span: Span) -> Row:
    """Registrations of the events that started within the span, by how far each came.

    What has started is decided by the instant that the tables are made for, so that figures agree with the marts.
    """
    return session.row(
        "SELECT count(*) AS events, "
        + ", ".join(
            f"coalesce(sum({column}), 0)::BIGINT AS {name}"
            for column, name in (
                ("registered", "expected"), ("registered_people", "expected_people"), ("attended", "attended"),
                ("attended_people", "attended_people"), ("delivered", "delivered"),
                ("opened", "opened"), ("clicked", "clicked"),
            )
        )
        + " FROM mirror.dim_events JOIN mirror.agg_email_funnel USING (event_id) "
        "WHERE starts_at <= (SELECT coalesce(max(as_of), (SELECT committed_at FROM mirror.state)) "
        "FROM mirror.warehouse_progress) "
        f"AND coalesce(event_status, '') <> 'cancelled' AND {_WITHIN.format(day='start_date')}",
        span.days,
    ) or {}  # fmt: skip


def first_day(session: Session) -> date | None:
    """The first day on which anything was registered, checked in or paid."""
    found = session.row(
        "SELECT least((SELECT min(date) FROM mirror.agg_daily_metrics "
        "WHERE registrations + check_ins + cancellations > 0 OR revenue_minor <> 0), "
        "(SELECT min(date) FROM mirror.agg_event_revenue WHERE revenue_minor <> 0)) AS day"
    )
    return found["day"] if found else None


def trend(
    session: Session, first: date | None, last: date, granularity: Granularity, whole_from: date | None, today: date
) -> list[TrendPoint]:
    """A point a day or a week, without gaps; partial where it holds today, or begins before ``whole_from``."""
    if first is None or first > last:
        return []
    rows = session.rows(
        f"SELECT date, {', '.join(_POINT)} FROM mirror.agg_daily_metrics WHERE date BETWEEN $first AND $last",
        {"first": first, "last": last},
    )
    points = {day: dict.fromkeys(_POINT, 0) for day in _days(first, last, granularity)}
    for row in rows:
        point = points[_start(row["date"], granularity)]
        for name in _POINT:
            point[name] += row[name]
    # Years of days, checked all at once.
    length = timedelta(days=7 if granularity == "week" else 1)
    return _TREND.validate_python(
        [
            {
                "date": day,
                "is_partial": day + length > min(today, last + timedelta(days=1))
                or (whole_from is not None and day < whole_from),
                **point,
            }
            for day, point in points.items()
        ]
    )


def _start(day: date, granularity: Granularity) -> date:
    return day - timedelta(days=day.weekday()) if granularity == "week" else day


def _days(first: date, last: date, granularity: Granularity) -> Iterator[date]:
    day, step = _start(first, granularity), timedelta(days=7 if granularity == "week" else 1)
    while day <= last:
        yield day
        day += step


def figures(session: Session, span: Span, currency: str) -> Figures:
    """The sums of a span that has a first day."""
    names = ("registrations", "participants", "check_ins", "revenue_minor")
    sums = ", ".join(f"coalesce(sum({name}), 0)::BIGINT AS {name}" for name in names)
    (found,) = session.rows(
        f"SELECT {sums} FROM mirror.agg_daily_metrics WHERE date BETWEEN $first AND $last", span.days
    )
    money = {
        "revenue": Money(amount_minor=found.pop("revenue_minor"), currency=currency),
        "other_revenue": _other_revenue(session, span),
    }
    return Figures.model_validate({"first_day": span.first, "last_day": span.last, **found, **money})


def top_events(session: Session, span: Span, currency: str, limit: int) -> list[TopEvent]:
    """The events with the most counted registrations within the span."""
    figures = ("registrations", "participants", "check_ins", "revenue_minor")
    within = (
        f"(SELECT event_id, {', '.join(f'sum({name})::BIGINT AS {name}' for name in figures)} "
        "FROM mirror.agg_event_metrics WHERE date BETWEEN $first AND $last GROUP BY event_id)"
    )
    rows = session.rows(
        f"SELECT event_id, title, starts_at, {', '.join(figures)} FROM (SELECT * FROM "
        f"{within if span.first else 'mirror.event_totals'} "
        "WHERE event_id <> 'unknown' AND registrations + check_ins > 0 "
        f"ORDER BY registrations DESC, check_ins DESC, event_id LIMIT {int(limit)}) "
        "JOIN mirror.dim_events USING (event_id) ORDER BY registrations DESC, check_ins DESC, event_id",
        span.days if span.first else {},
    )
    others = _other_revenue_of_events(session, span, [row["event_id"] for row in rows])
    return [
        TopEvent(
            event_id=row["event_id"],
            title=row["title"],
            starts_at=row["starts_at"],
            registrations=row["registrations"],
            participants=row["participants"],
            check_ins=row["check_ins"],
            revenue=Money(amount_minor=row["revenue_minor"], currency=currency),
            other_revenue=others.get(row["event_id"], []),
        )
        for row in rows
    ]


def quality(checks: Iterable[Row], tables: Collection[str] = ()) -> Quality:
    """The latest checks of these tables, named layer.table; of all when none is named."""
    found = [check for check in checks if not tables or check["table_name"] in tables]
    scores = [check["score"] for check in found if check["score"] is not None]
    return Quality(
        score=round(sum(scores) / len(scores), 4) if scores else None,
        checked_at=max((check["checked_at"] for check in found), default=None),
        failed=sum(check["failed"] for check in found),
        tables_failing=sorted({check["table_name"] for check in found if check["failed"]}),
    )
