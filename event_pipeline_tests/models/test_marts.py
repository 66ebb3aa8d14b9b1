"""All marts together: the same number is the same wherever it appears, whatever the order of the facts."""

from __future__ import annotations

import inspect
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from event_pipeline.contracts.contract import IBIS_TYPES, UNKNOWN
from event_pipeline.contracts.core import CORE, EMAIL_EVENTS
from event_pipeline.contracts.marts import MARTS
from event_pipeline.models.marts import MART_MODELS
from event_pipeline.models.marts.measures import has_started
from event_pipeline_tests.effort import scaled
from event_pipeline_tests.models.star import LOCALE, Row, Star, made_marts
from event_pipeline_tests.models.star_rows import AS_OF, MakeMarts, check_in, event, mail, payment, registration


def test_without_any_fact_there_are_only_the_rows_of_dimensions(marts: MakeMarts) -> None:
    found = marts()
    assert {table: len(rows) for table, rows in found.items() if rows} == {"agg_club_metrics": 1, "agg_email_funnel": 1}


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="as_of needs a time zone: 2025-07-01"):
        has_started(datetime(2025, 7, 1))  # noqa: DTZ001


def test_functions_take_the_tables_and_parameters_their_models_name() -> None:
    known = {f"core.{table}" for table in CORE} | {f"marts.{table}" for table in MARTS}
    assert set(MART_MODELS) == set(MARTS)
    for table, model in MART_MODELS.items():
        arguments = list(inspect.signature(model.function).parameters)
        assert arguments == [*(name.split(".")[1] for name in model.inputs), *model.parameters], table
        assert set(model.inputs) <= known


def test_each_mart_comes_after_the_marts_it_reads() -> None:
    made: set[str] = set()
    for model in MART_MODELS.values():
        assert {name for name in model.inputs if name.startswith("marts.")} <= made
        made.add(model.name)


@pytest.mark.parametrize("dialect", ["postgres", "bigquery", "pyspark", "trino", "clickhouse", "snowflake"])
def test_marts_compile_for_databases_beyond_one_machine(dialect: str) -> None:
    contracts = [*CORE.values(), *MARTS.values()]
    tables = {
        contract.name: ibis.table({c.name: IBIS_TYPES[c.type] for c in contract.columns}, name=contract.table)
        for contract in contracts
    }
    for table, model in MART_MODELS.items():
        expression = model.apply(tables, {"locale": LOCALE, "as_of": AS_OF})
        assert "SELECT" in str(ibis.to_sql(expression, dialect=dialect)), table


QUARTER = datetime(2025, 4, 1, tzinfo=UTC)
SOME_INSTANTS = st.integers(0, 90 * 1440).map(lambda minutes: QUARTER + timedelta(minutes=minutes))
INSTANTS = st.none() | SOME_INSTANTS
STATES = [
    {"is_cancelled": is_cancelled, "is_duplicate": is_duplicate}
    for is_cancelled, is_duplicate in ((False, False), (True, False), (False, True))
]
"""Of registrations: a cancelled one is nobody's duplicate."""
EVENT_IDS = st.sampled_from(["e1", "e2", "e3", UNKNOWN])


@st.composite
def stars(draw: st.DrawFn) -> dict[str, Any]:
    """Rows of a small star as core could have made it: each registration has one counted check-in at most."""
    events = [
        event(
            event_id,
            draw(INSTANTS),
            club_id=draw(st.sampled_from(["c1", "c2", UNKNOWN])),
            capacity=draw(st.none() | st.integers(0, 5)),
            event_status=draw(st.sampled_from([None, "completed", "cancelled"])),
        )
        for event_id in ("e1", "e2", "e3")
    ]
    registrations = [
        registration(
            number, draw(EVENT_IDS), draw(INSTANTS), user_id=draw(st.sampled_from(["u1", "u2", "u3", UNKNOWN])),
            team_size=draw(st.integers(1, 5)), **draw(st.sampled_from(STATES)),
        )
        for number in range(draw(st.integers(0, 8)))
    ]  # fmt: skip
    attendance, payments, mails = [], [], []
    for number, row in enumerate(registrations):
        about = {"event_id": row["event_id"], "user_id": row["user_id"]}
        can_come = not row["is_cancelled"] and not row["is_duplicate"]
        if draw(st.booleans()):
            attendance.append(check_in(number, draw(INSTANTS), is_counted=can_come, **about))
        if draw(st.booleans()):
            status = draw(st.sampled_from(["pending", "verified", "rejected", "failed", "refunded"]))
            revenue = draw(st.integers(0, 10**12)) if status in ("verified", "refunded") else 0
            payments.append(payment(number, revenue, status, occurred_at=draw(INSTANTS), **about))
        for email_event in draw(st.sets(st.sampled_from(EMAIL_EVENTS), max_size=4)):
            mails += mail(number, email_event, draw(st.integers(1, 2)), **about)
    return {"clubs": [{"club_id": "c1"}, {"club_id": "c2"}], "events": events, "registrations": registrations,
            "attendance": attendance, "payments": payments, "email_events": mails}  # fmt: skip


def total(rows: list[Row], column: str) -> int:
    return sum(row[column] for row in rows)


@settings(deadline=None, max_examples=scaled(15))
@given(rows=stars(), as_of=SOME_INSTANTS)
def test_the_same_number_is_the_same_wherever_it_appears(rows: dict[str, Any], as_of: datetime) -> None:
    star = Star(**rows)
    found, facts = made_marts(star, as_of), star.rows
    star.close()
    counted = [row for row in facts["core.fact_registrations"] if row["is_counted"]]
    by_event, by_day, by_club = found["agg_event_metrics"], found["agg_daily_metrics"], found["agg_club_metrics"]
    funnel, pace, arrivals = found["agg_email_funnel"], found["agg_registration_pace"], found["agg_arrivals"]

    for column, expected in {
        "registrations": len(counted),
        "participants": total(counted, "team_size"),
        "revenue_minor": total(facts["core.fact_payments"], "revenue_minor"),
    }.items():
        assert [total(by_event, column), total(by_day, column), total(by_club, column)] == [expected] * 3, column
    assert total(funnel, "registered") == len(counted)
    dated = [row for row in counted if row["lead_time_days"] is not None]
    assert total(pace, "registrations") - total(pace, "cancellations") == len(dated)
    assert total(pace, "participants") - total(pace, "cancelled_participants") == total(dated, "team_size")
    for row in arrivals:
        assert row["registered"] == len([r for r in counted if r["event_id"] == row["event_id"]])

    check_ins = [row for row in facts["core.fact_attendance"] if row["is_counted"]]
    attended = [row for row in counted if row["is_attended"]]
    assert [total(by_event, "check_ins"), total(by_day, "check_ins")] == [len(check_ins)] * 2
    assert [total(by_club, "attended"), total(funnel, "attended")] == [len(attended)] * 2
    people = total(attended, "team_size")
    assert [total(by_club, "attended_people"), total(funnel, "attended_people")] == [people] * 2
    assert total(arrivals, "check_ins") == len([row for row in check_ins if row["occurred_at"] is not None])

    for column in ("cancellations", "duplicates"):
        flag = {"cancellations": "is_cancelled", "duplicates": "is_duplicate"}[column]
        marked = len([row for row in facts["core.fact_registrations"] if row[flag]])
        assert [total(by_event, column), total(by_day, column)] == [marked] * 2
    assert total(by_day, "new_people") == len({row["user_id"] for row in counted} - {UNKNOWN})
    assert total(by_day, "events_started") == total(by_club, "events_started")
    last = {row["event_id"]: row["cumulative_registrations"] for row in reversed(pace)}
    assert last == {
        **dict.fromkeys(last, 0),
        **Counter(r["event_id"] for r in counted if r["lead_time_days"] is not None),
    }


@settings(deadline=None, max_examples=scaled(5))
@given(rows=stars(), data=st.data())
def test_the_order_of_the_rows_does_not_matter(rows: dict[str, Any], data: st.DataObject) -> None:
    shuffled = {name: data.draw(st.permutations(listed)) for name, listed in rows.items()}
    straight_star, shuffled_star = Star(**rows), Star(**shuffled)
    assert made_marts(straight_star, AS_OF) == made_marts(shuffled_star, AS_OF)
    straight_star.close()
    shuffled_star.close()
