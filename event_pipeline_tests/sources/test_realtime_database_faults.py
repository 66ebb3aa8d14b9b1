"""The Realtime Database source against a server that refuses, stalls and is away."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from event_pipeline.errors import PermanentError, TransientError
from event_pipeline.settings import Firebase
from event_pipeline.sources.realtime_database import RealtimeDatabaseSource
from event_pipeline_tests.realtime_database_server import Fault, running_realtime_database
from event_pipeline_tests.sources.memory_lake import ids_of
from event_pipeline_tests.sources.realtime_organisation import source_of


@pytest.fixture
def source(realtime_source: RealtimeDatabaseSource) -> RealtimeDatabaseSource:
    return realtime_source


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "error", "todo"),
        [
            (401, "Unauthorized request.", "roles/firebasedatabase.viewer"),
            (403, "Permission denied", "roles/firebasedatabase.viewer"),
            (404, "404 Not Found", "firebase.database_url"),
            (423, "The database is disabled", "firebase.database_url"),
            (400, "Invalid path", "refused"),
        ],
    )
    def test_refusal_is_permanent_and_says_what_to_do(self, source, database, lake, waits, status, error, todo):
        database.faults += [Fault(status=status, body=json.dumps({"error": error}))] * 3

        with pytest.raises(PermanentError, match="path /clubs") as refusal:
            lake.poll(source, "clubs")

        assert error in str(refusal.value)
        assert todo in str(refusal.value)
        assert "127.0.0.1" in str(refusal.value)
        assert waits == []

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
    def test_passing_failure_is_tried_again(self, source, database, lake, waits, status):
        database.data["clubs"] = {"c1": {"name": "Robotics"}}
        database.faults += [Fault(status=status, body='{"error": "busy"}')] * 2

        assert ids_of(lake.poll(source, "clubs")) == ["c1"]
        assert len(waits) == 2

    def test_wait_is_what_the_server_asks_for(self, source, database, lake, waits):
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
        database.faults += [
            Fault(429, "{}", {"Retry-After": "17"}),
            Fault(503, "{}", {"Retry-After": date}),
            Fault(503, "{}", {"Retry-After": "86400"}),
            Fault(503, "{}", {"Retry-After": "soon"}),
        ]

        lake.poll(source, "clubs")

        assert waits[0] == 17
        assert 25 < waits[1] <= 30
        assert waits[2] == 60
        assert waits[3] < 10

    def test_failure_that_does_not_pass_ends_as_transient(self, source, database, lake, waits):
        database.faults += [Fault(status=503, body='{"error": "down"}')] * 6

        with pytest.raises(TransientError, match=r"path /clubs: HTTP 503: down"):
            lake.poll(source, "clubs")
        assert len(waits) == 5

    def test_server_that_is_away_is_transient(self, waits, lake):
        with running_realtime_database() as database:
            source = source_of(database, waits)
        with pytest.raises(TransientError, match="no whole answer"):
            lake.poll(source, "clubs")

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http:///?ns=x"])
    def test_wrong_address_is_permanent(self, lake, url):
        with pytest.raises(PermanentError, match=r"firebase\.database_url"):
            lake.poll(RealtimeDatabaseSource(Firebase(database_url=url)), "clubs")
