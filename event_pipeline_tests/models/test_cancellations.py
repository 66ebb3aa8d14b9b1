"""When registrations were cancelled, and on which days each counted, from the versions of their documents."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from event_pipeline.sources.change import Change
from event_pipeline_tests.models.star import Row
from event_pipeline_tests.warehouse.documents import changed, event, registration
from event_pipeline_tests.warehouse.pipelines import MemoryPipeline

DAY = 86_400
MADE = "2025-06-01T06:00:00.000Z"


def version(registration_id: str, person: str, status: str, day: int, **more: Any) -> Change:
    """The document as it was seen so many days after 20 June."""
    fields = {"registration_date": MADE, "updated_at": None, **more}
    return changed("registrations", registration_id, registration(person, status=status, **fields), after=day * DAY)


@pytest.fixture(scope="module")
def facts(memory_pipeline: MemoryPipeline) -> dict[str, Row]:
    """Registrations of one event, by id."""
    memory_pipeline.clear()
    memory_pipeline.commit(
        changed("events", "e1", event()),
        version("edited", "a", "registered", 0),
        version("edited", "a", "cancelled", 2, updated_at="2025-06-03T10:00:00.000Z"),
        version("edited", "a", " Cancelled", 5, updated_at="2025-06-06T10:00:00.000Z", department="CSE"),
        version("twice", "b", "cancelled", 1, updated_at="2025-06-02T10:00:00.000Z"),
        version("twice", "b", "registered", 2),
        version("twice", "b", "cancelled", 4, updated_at="2025-06-05T10:00:00.000Z"),
        version("silent", "c", "registered", 0),
        version("silent", "c", "cancelled", 3),
        version("ahead", "d", "registered", 0),
        version("ahead", "d", "cancelled", 3, updated_at="2026-01-01T00:00:00.000Z"),
        version("behind", "e", "cancelled", 3, updated_at="2020-01-01T00:00:00.000Z"),
        version("once", "f", "cancelled", 6, updated_at="2025-06-04T10:00:00.000Z"),
        version("stays", "g", "registered", 0),
        version("first", "h", "registered", 0),
        version("second", "h", "registered", 1, registration_date="2025-06-02T06:00:00.000Z"),
        version("first", "h", "cancelled", 4, updated_at="2025-06-05T10:00:00.000Z"),
        version("kept", "i", "registered", 0),
        version("spare", "i", "registered", 1, registration_date="2025-06-02T06:00:00.000Z"),
        version("spare", "i", "cancelled", 3, updated_at="2025-06-04T10:00:00.000Z"),
    )
    memory_pipeline.refresh()
    return {row["registration_id"]: row for row in memory_pipeline.rows("core.fact_registrations")}


@pytest.mark.parametrize(
    ("registration_id", "cancelled_at"),
    [
        ("edited", datetime(2025, 6, 3, 10, tzinfo=UTC)),
        ("twice", datetime(2025, 6, 5, 10, tzinfo=UTC)),
        ("once", datetime(2025, 6, 4, 10, tzinfo=UTC)),
        ("behind", datetime(2025, 6, 1, 6, tzinfo=UTC)),
        ("stays", None),
        ("second", None),
    ],
)
def test_a_cancellation_has_the_time_at_which_the_present_run_of_cancelled_versions_began(
    facts: dict[str, Row], registration_id: str, cancelled_at: datetime | None
) -> None:
    assert facts[registration_id]["cancelled_at"] == cancelled_at


@pytest.mark.parametrize("registration_id", ["silent", "ahead"])
def test_without_a_time_that_can_be_meant_it_is_that_at_which_the_version_was_seen(
    facts: dict[str, Row], registration_id: str
) -> None:
    assert facts[registration_id]["cancelled_at"] == datetime(2025, 6, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("registration_id", "counted_from", "cancelled"),
    [
        ("stays", date(2025, 6, 1), None),
        ("edited", date(2025, 6, 1), date(2025, 6, 3)),
        ("first", date(2025, 6, 1), date(2025, 6, 5)),
        ("second", date(2025, 6, 5), None),
        ("kept", date(2025, 6, 1), None),
        ("spare", None, date(2025, 6, 4)),
    ],
)
def test_a_second_registration_counts_from_the_day_on_which_the_first_was_cancelled(
    facts: dict[str, Row], registration_id: str, counted_from: date | None, cancelled: date | None
) -> None:
    row = facts[registration_id]
    assert (row["counted_from_date"], row["cancelled_date"]) == (counted_from, cancelled)


def test_the_pace_ends_with_the_registrations_that_count(
    memory_pipeline: MemoryPipeline, facts: dict[str, Row]
) -> None:
    pace = memory_pipeline.rows("marts.agg_registration_pace")
    last = min(pace, key=lambda row: row["days_before_start"])
    assert last["cumulative_registrations"] == sum(row["is_counted"] for row in facts.values()) == 3
    metrics = memory_pipeline.rows("marts.agg_event_metrics")
    assert {row["date"]: row["cancellations"] for row in metrics if row["cancellations"]} == {
        date(2025, 6, 1): 1,
        date(2025, 6, 3): 1,
        date(2025, 6, 4): 2,
        date(2025, 6, 5): 2,
        date(2025, 6, 23): 2,
    }
