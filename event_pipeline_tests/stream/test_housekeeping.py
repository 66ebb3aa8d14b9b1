"""When nothing comes in: commits of nothing at their times, and old batches forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from event_pipeline.contracts.stream import BATCHES
from event_pipeline.settings import Retention, Settings
from event_pipeline.stream.housekeeping import CALM_SECONDS, IDLE_SECONDS, REPORTS_SECONDS, Housekeeping, purge_batches
from event_pipeline.warehouse.connection import connect
from event_pipeline.warehouse.lock import write_transaction

NOW = datetime(2025, 6, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("has_batches", "has_reports", "seconds"),
    [(False, False, IDLE_SECONDS), (True, False, CALM_SECONDS), (False, True, REPORTS_SECONDS)],
    ids=["idle", "after batches", "a state waits"],
)
def test_a_commit_of_nothing_is_due(worked: Settings, has_batches: bool, has_reports: bool, seconds: float) -> None:
    now = 50.0
    duties = Housekeeping(worked, lambda: now)
    now += 7.0
    duties.committed(has_batches=has_batches)
    assert duties.seconds_until_due(has_reports) == seconds
    now += seconds - 0.5
    assert not duties.is_due(has_reports)
    now += 0.5
    assert duties.is_due(has_reports)


def test_batches_are_forgotten_after_their_retention(worked: Settings) -> None:
    settings = worked.model_copy(update={"retention": Retention(batches_days=30)})
    with connect(worked, ("warehouse",)) as connection:
        with write_transaction(connection, worked):
            for name, days in (("old", 31), ("kept", 29)):
                row = [name, "inbox", NOW - timedelta(days=days), 1, 1, 0, 0.5, 0.1, 3]
                connection.execute(f"INSERT INTO {BATCHES.qualified} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        assert purge_batches(settings, NOW) == 1
        assert purge_batches(settings, NOW) == 0
        left = connection.execute(f"SELECT batch_id FROM {BATCHES.qualified} WHERE committed_at < ?", [NOW]).fetchall()
        assert left == [("kept",)]


def test_the_purge_waits_for_a_calm_moment_and_is_done_once_a_day(
    worked: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    purges: list[Settings] = []
    monkeypatch.setattr(
        "event_pipeline.stream.housekeeping.purge_batches", lambda settings, now: purges.append(settings) or 0
    )
    duties = Housekeeping(worked)
    duties.committed(has_batches=True)
    duties.purge()
    assert purges == []
    duties.committed(has_batches=False)
    duties.purge()
    duties.purge()
    assert len(purges) == 1


def test_a_purge_that_fails_keeps_nothing_from_going_on(worked: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(settings: Settings, now: datetime) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("event_pipeline.stream.housekeeping.purge_batches", fail)
    duties = Housekeeping(worked)
    duties.purge()
    assert duties.seconds_until_due(has_reports=False) > 0
