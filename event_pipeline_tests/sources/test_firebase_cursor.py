"""Instants, values and cursors of Firebase polls, and their pace."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_pipeline.errors import PermanentError
from event_pipeline.sources.firebase_cursor import (
    Backfill,
    Kind,
    Progress,
    State,
    Sweep,
    instant_of,
    is_far_future,
    read_cursor,
    value_at,
    write_cursor,
)
from event_pipeline.sources.firebase_pace import Pace

NOW = datetime(2025, 6, 8, 2, 55, 0, 123456, tzinfo=UTC)
KINDS: tuple[Kind, ...] = ("string", "timestamp", "number")
INSTANTS = st.integers(631_152_000, 220_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(st.sampled_from(KINDS), INSTANTS, INSTANTS)
def test_values_sort_as_their_instants(kind: Kind, one: datetime, other: datetime):
    first, second = sorted([one, other])
    earlier, later = value_at(kind, first), value_at(kind, second)
    assert earlier <= later  # pyright: ignore[reportOperatorIssue]
    assert abs((instant_of(kind, earlier) or NOW) - first) <= timedelta(milliseconds=1)


@given(st.text() | st.floats() | st.integers(), st.sampled_from(KINDS))
def test_any_value_has_an_instant_or_none(value: str | float, kind: Kind):
    instant = instant_of(kind, value)
    assert instant is None or instant.tzinfo is not None


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-06-08T02:55:00.123Z", "2025-06-08T02:55:00.123+00:00"),
        ("2025-06-08T08:25:00+05:30", "2025-06-08T02:55:00+00:00"),
        ("2025-06-08T02:55:00-04:00", "2025-06-08T02:55:00+00:00"),
        ("2025-06-08", "2025-06-08T00:00:00+00:00"),
        ("8/6/2025, 2:55:00 am", None),
        ("", None),
    ],
)
def test_text_counts_as_the_earlier_of_instant_and_wall_clock(text: str, instant: str | None):
    assert instant_of("string", text) == (datetime.fromisoformat(instant) if instant else None)


@pytest.mark.parametrize("kind", KINDS)
def test_wall_clocks_of_every_zone_are_not_the_far_future(kind: Kind):
    assert not is_far_future(kind, value_at(kind, NOW + timedelta(hours=14)), NOW)
    assert is_far_future(kind, value_at(kind, NOW + timedelta(days=2)), NOW)


@pytest.mark.parametrize(
    "state",
    [
        Backfill(NOW),
        Backfill(NOW, ("e1", "messages"), "-Nabc", NOW),
        Sweep({"string": NOW, "number": NOW}),
        Sweep({"string": NOW}, Progress(NOW, ("e1",), "string", ("2025", "12"), {"string": NOW}), NOW),
        Sweep({"number": NOW}, Progress(NOW, (), "number", (1749351300123, "k"), {})),
        Sweep({"number": NOW}, Progress(NOW, (), "number", (0.5, "k"), {})),
    ],
)
def test_cursor_survives_json(state: State):
    stored = json.loads(json.dumps(write_cursor(state), allow_nan=False))
    assert read_cursor("registrations", stored) == state


@pytest.mark.parametrize("stored", [{"phase": "other"}, {"phase": "backfill"}, {"x": 1}])
def test_foreign_cursor_is_refused(stored: dict[str, object]):
    with pytest.raises(PermanentError, match="cursor of collection clubs"):
        read_cursor("clubs", stored)


def test_pace_is_kept_over_many_pages_and_idle_time_is_not_saved_up():
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    pace = Pace(100, sleep, lambda: clock[0])
    for _ in range(10):
        pace.spend(50)
    assert clock[0] == pytest.approx(5.0)

    clock[0] += 60
    pace.spend(200)
    assert clock[0] == pytest.approx(67.0)
