"""Figures of the whole organisation, and every place that tells them: tables, API, overview, files and metrics."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from event_pipeline_tests.consistency.asked import FORMS, ROOT, Form, Organisation, number, rupees

Place = Callable[[Organisation], Any]

_MEASURES = {"registrations": "Registrations", "check_ins": "Check-ins", "revenue_minor": "Revenue"}
"""Figures of the trend, and what the overview calls them."""


def _sum(query: str) -> Place:
    return lambda asked: asked.sql(query)


def _of_files(part: str, read: Callable[[list[dict[str, str]]], Any]) -> Mapping[str, Place]:
    def of(form: Form) -> Place:
        return lambda asked: read(asked.file(f"{ROOT}/exports/analytics/{part}", form))

    return {f"{form.upper()} {part.partition('?')[0]}": of(form) for form in FORMS}


def _of_all_time(measure: str) -> Mapping[str, Place]:
    name, is_money = _MEASURES[measure], measure == "revenue_minor"
    read = rupees if is_money else number
    total = "revenue" if is_money else measure

    def of_api(asked: Organisation) -> int:
        found = asked.get(f"{ROOT}/analytics?period=all&granularity=week").json()["totals"][total]
        return found["amount_minor"] if is_money else found

    def of_trend(asked: Organisation) -> int:
        return sum(
            point[measure] for point in asked.get(f"{ROOT}/analytics?period=all&granularity=week").json()["trend"]
        )

    def of_page(asked: Organisation) -> int:
        page = asked.page(f"/?period=all&metric={name.lower()}")
        return read(re.findall(r"(\S+) in total\. Best week", page)[0])

    return {
        "table agg_daily_metrics": _sum(f"SELECT sum({measure})::BIGINT FROM warehouse.marts.agg_daily_metrics"),
        "table agg_event_metrics": _sum(f"SELECT sum({measure})::BIGINT FROM warehouse.marts.agg_event_metrics"),
        "table agg_club_metrics": _sum(_OF_CLUBS[measure]),
        "API analytics": of_api,
        "API analytics, trend": of_trend,
        "overview, trend": of_page,
        **_of_files(
            "trend?period=all&granularity=week", lambda rows: sum(int(row[measure]) for row in rows)
        ),
    }  # fmt: skip


_OF_CLUBS = {
    "registrations": "SELECT sum(registrations)::BIGINT FROM warehouse.marts.agg_club_metrics",
    "check_ins": "SELECT sum(attended)::BIGINT FROM warehouse.marts.agg_club_metrics",
    "revenue_minor": "SELECT sum(revenue_minor)::BIGINT FROM warehouse.marts.agg_club_metrics",
}


def _of_day(measure: str, days_ago: int) -> Mapping[str, Place]:
    name, is_money = _MEASURES[measure], measure == "revenue_minor"
    read, total = (rupees if is_money else number), ("revenue" if is_money else measure)
    day = "SELECT coalesce(sum({}), 0)::BIGINT FROM warehouse.marts.agg_{}_metrics WHERE date = ?::DATE - ?::INTEGER"

    def of_table(table: str) -> Place:
        return lambda asked: asked.sql(day.format(measure, table), asked.today, days_ago)

    def of_api(asked: Organisation) -> int:
        answer = asked.get(f"{ROOT}/analytics?period=today").json()
        found = (answer["comparison"]["totals"] if days_ago else answer["totals"])[total]
        return found["amount_minor"] if is_money else found

    def of_page(asked: Organisation) -> int:
        said = r"<dd class=\"quiet\">Yesterday ([^<]*)" if days_ago else r"<dd class=\"figure\">([^<]*)"
        card = asked.page("/").partition(f"<dt>{name}</dt>")[2].partition("</div>")[0]
        return read(re.findall(said, card)[0])

    return {
        "table agg_daily_metrics": of_table("daily"),
        "table agg_event_metrics": of_table("event"),
        "API analytics": of_api,
        "overview, card": of_page,
    }


_FIRING = "event_pipeline_alerts_firing"


def _firing(asked: Organisation) -> list[dict[str, Any]]:
    return asked.get(f"{ROOT}/alerts?state=firing&limit=500").json()["items"]


FIGURES: Mapping[str, Mapping[str, Place]] = {
    **{f"{measure} of all time": _of_all_time(measure) for measure in _MEASURES},
    **{f"{measure} of today": _of_day(measure, 0) for measure in _MEASURES},
    **{f"{measure} of yesterday": _of_day(measure, 1) for measure in _MEASURES},
    "alerts that fire": {
        "API alerts": lambda asked: len(_firing(asked)),
        "alerts page": lambda asked: len(re.findall(r'<p class="concern-title">', _firing_part(asked.page("/alerts")))),
        "metrics": lambda asked: sum(asked.metrics(_FIRING).values()),
    },
    "state of the tables": {
        "table": _sum("SELECT id FROM ducklake_current_snapshot('warehouse')"),
        "metrics": lambda asked: asked.metrics("event_pipeline_warehouse_snapshot")[""],
        "CSV header": lambda asked: int(
            asked.get(f"{ROOT}/exports/analytics/trend?period=all&granularity=week&format=csv").headers[
                "X-Export-Snapshot"
            ]
        ),
    },
}
"""Figures of the organisation, and every place that tells them."""


def _firing_part(page: str) -> str:
    return page.partition("<main")[2].partition("<h2")[2].partition("<h2")[0]
