"""The nearest events come first, however many there are, and off pace means one thing wherever it is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.alerts.database import AlertDatabase
from event_pipeline.alerts.rules import RULES
from event_pipeline.alerts.scene import Scene, Tables
from event_pipeline.alerts.signs import DagsterSign
from event_pipeline.api.dashboard.attention import events_off_pace
from event_pipeline.api.dashboard.pages.overview import overview_figures
from event_pipeline.contracts.core import DIM_EVENTS
from event_pipeline.contracts.marts import AGG_EVENT_METRICS, AGG_REGISTRATION_PACE
from event_pipeline.settings import Settings
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction
from event_pipeline.warehouse.tables import create_tables
from event_pipeline_tests.api.organisation import Api, running_api, settings_for

NOW = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def event(event_id: str, starts_at: datetime, **more: Any) -> dict[str, Any]:
    """An event of club c with a hundred places, published long ago."""
    return {
        "event_id": event_id, "title": f"Event {event_id}", "edition_series": event_id, "club_id": "c",
        "category_id": "unknown", "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=2),
        "start_date": starts_at.date(), "capacity": 100, "event_status": "upcoming", "registration_method": "internal",
        "is_paid": False, "is_featured": False, "is_archived": False, "created_at": NOW - 900 * DAY,
    } | more  # fmt: skip


def pace(event_id: str, *by_day: tuple[int, int, int, int]) -> list[dict[str, Any]]:
    """Days before the start, what began to count, what was cancelled, and what was active then, of one person each."""
    return [
        {
            "event_id": event_id, "days_before_start": day, "registrations": came, "cancellations": left,
            "cumulative_registrations": active, "participants": came, "cancelled_participants": left,
            "cumulative_participants": active, "capacity": 100, "fill_rate": active / 100,
        }
        for day, came, left, active in by_day
    ]  # fmt: skip


EVENTS = [
    *(event(f"far{n:03}", NOW + (40 + n) * DAY) for n in range(600)),
    event("on", NOW - timedelta(hours=1)),
    event("next", NOW + timedelta(hours=3)),
    event("gone", NOW + 2 * DAY, event_status="cancelled"),
    event("behind", NOW + 10 * DAY, edition_series="run"),
    event("even", NOW + 11 * DAY, edition_series="walk"),
    event("lonely", NOW + 12 * DAY, capacity=200),
    event("run-1", NOW - 300 * DAY, edition_series="run", event_status="completed"),
    event("run-2", NOW - 600 * DAY, edition_series="run", event_status="completed"),
    event("walk-1", NOW - 300 * DAY, edition_series="walk", event_status="completed"),
    *(event(f"past{n}", NOW - 100 * DAY, event_status="completed") for n in range(5)),
]
PACE = [
    # Today, the tenth day before, is not over: it says nothing of either.
    *pace("behind", (20, 25, 0, 25), (10, 40, 0, 65)),
    *pace("run-1", (30, 60, 0, 60), (10, 0, 50, 10)),
    *pace("run-2", (30, 50, 0, 50), (2, 9, 0, 59)),
    *pace("even", (20, 40, 0, 40)),
    *pace("walk-1", (20, 40, 0, 40)),
    *pace("lonely", (20, 50, 0, 50)),
    *(row for n in range(5) for row in pace(f"past{n}", (15, 50, 0, 50))),
]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An organisation with six hundred events far ahead and a few near ones."""
    settings = settings_for(tmp_path_factory.mktemp("crowded") / "data")
    _fill(settings)
    with running_api(settings, NOW) as api:
        yield api


def _fill(settings: Settings) -> None:
    import pyarrow as pa

    metrics = [
        {
            "event_id": "behind", "date": NOW.date(), "registrations": 65, "cancellations": 0, "duplicates": 0,
            "participants": 65, "walk_ins": 0, "check_ins": 0, "revenue_minor": 0, "payments_verified": 0,
            "payments_pending": 0, "currency": "INR",
        }
    ]  # fmt: skip
    with connect(settings) as connection:
        for contract, rows in ((DIM_EVENTS, EVENTS), (AGG_REGISTRATION_PACE, PACE), (AGG_EVENT_METRICS, metrics)):
            frame = pa.Table.from_pylist(rows)  # noqa: F841 - the query names it
            with write_transaction(connection, settings):
                create_tables(connection, [contract])
                connection.execute(f"INSERT INTO {contract.qualified} BY NAME SELECT * FROM frame")


def test_the_overview_begins_with_the_nearest_events(crowded: Api) -> None:
    found = overview_figures(crowded.app.state.dashboard, "month", "registrations")
    assert [event.event_id for event in found.now_on] == ["on"]
    assert [event.event_id for event in found.coming] == [
        "next", "behind", "even", "lonely", "far000", "far001", "far002", "far003",
    ]  # fmt: skip


def test_off_pace_means_the_same_to_the_page_the_api_and_the_alert(crowded: Api, tmp_path: Path) -> None:
    settings = crowded.services.settings
    database, tables = AlertDatabase(settings), Tables(settings)
    try:
        scene = Scene(settings, NOW, database, tables, None, DagsterSign(True, ""))
        conditions = RULES["off_pace"].judge(scene, settings.alerts.rules.off_pace)
    finally:
        tables.close()
        database.close()
    headers = crowded.headers("read")
    said = {
        name: crowded.http.get(f"/api/pipeline/events/{name}/analytics", headers=headers).json()["pace"]["comparison"]
        for name in ("behind", "even", "lonely", "far000")
    }
    assert [(found.subject, found.value) for found in conditions] == [("behind", 0.4545), ("lonely", 0.5)]
    assert [(event.event_id, event.compared.number) for event in events_off_pace(crowded.services)] == [
        ("behind", 25), ("lonely", 50),
    ]  # fmt: skip
    assert said["behind"] == {
        "compared_with": "earlier_editions", "unit": "registrations", "number": 25, "usual": 55.0, "change": -0.5455,
        "is_off_pace": True,
    }  # fmt: skip
    assert said["lonely"] == {
        "compared_with": "other_events", "unit": "people", "number": 50, "usual": 100.0, "change": -0.5,
        "is_off_pace": True,
    }  # fmt: skip
    assert (said["even"]["change"], said["even"]["is_off_pace"]) == (0.0, False)
    assert said["far000"] is None
