"""No failure of Google's looks like rows that were deleted, and each says whether to wait or what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from event_pipeline.errors import PermanentError, TransientError
from event_pipeline.settings import Settings, Sheets, Spreadsheet
from event_pipeline.sources.google_sheets import GoogleSheetsSource
from event_pipeline.sources.sheets_client import ReadQuota
from event_pipeline_tests.sheets_server import SheetsServer
from event_pipeline_tests.sources.memory_lake import MemoryLake
from event_pipeline_tests.sources.sheets_organiser import ASHA, HACKATHON, HEADER, QUIZ, RAVI, Organiser


@pytest.fixture
def server() -> Iterator[SheetsServer]:
    with SheetsServer() as running:
        yield running


@pytest.fixture
def organiser(server: SheetsServer) -> Organiser:
    return Organiser(server)


def test_not_shared_spreadsheet_says_whom_to_share_it_with(server: SheetsServer) -> None:
    from google.auth.credentials import AnonymousCredentials

    class Robot(AnonymousCredentials):
        service_account_email = "reader@project.iam.gserviceaccount.com"

    organiser = Organiser(server)
    organiser.source = GoogleSheetsSource(Settings(), endpoint=server.endpoint, credentials=Robot())
    organiser.write(HEADER, ASHA)
    server.fail("/v4/", status=403, body=error_body(403, "The caller does not have permission"), times=9)
    with pytest.raises(PermanentError, match=r"share it with reader@project\.iam\.gserviceaccount\.com"):
        organiser.poll()
    assert server.asked("/v4/") == 1


def test_unknown_spreadsheet_is_permanent_and_stops_no_other(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA)
    with pytest.raises(PermanentError, match=r"1 of 2 .*\nspreadsheet hackathon-spreadsheet: there is no spreadsheet"):
        organiser.poll(HACKATHON, QUIZ)
    assert organiser.rows() == [f"{QUIZ}/email:asha@x.in"]


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, {}, "check .*sheets.credentials_path"),
        (403, {"details": [{"reason": "SERVICE_DISABLED"}]}, "Google Sheets API is switched off; enable it"),
        (418, {"message": "a teapot"}, "refused the request with 418: a teapot"),
    ],
)
def test_permanent_failure_says_what_to_do_and_is_not_retried(
    organiser: Organiser, status: int, error: dict[str, Any], message: str
) -> None:
    organiser.write(HEADER, ASHA)
    organiser.server.fail("/v4/", status=status, body={"error": error}, times=9)
    with pytest.raises(PermanentError, match=message):
        organiser.poll()
    assert (organiser.server.asked("/v4/"), organiser.waits) == (1, [])


def test_hostile_spreadsheet_id_is_never_asked_for(organiser: Organiser) -> None:
    with pytest.raises(PermanentError, match="no spreadsheet id"):
        organiser.poll("../../drive/v3/files/secret?x=")
    assert organiser.server.requests == []


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_passing_failure_is_retried(organiser: Organiser, status: int) -> None:
    organiser.write(HEADER, ASHA)
    organiser.server.fail("batchGet", status=status, body="<html>busy</html>", times=2)
    assert len(organiser.poll()) == 1
    assert len(organiser.waits) == 2


@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_honoured(organiser: Organiser, as_date: bool) -> None:
    organiser.write(HEADER, ASHA)
    asked = format_datetime(datetime.now(UTC) + timedelta(seconds=33), usegmt=True) if as_date else "31"
    organiser.server.fail(
        "batchGet", status=429, body=error_body(429, "Quota exceeded"), headers={"Retry-After": asked}
    )
    assert len(organiser.poll()) == 1
    [waited] = organiser.waits
    assert 30 <= waited <= 33


def test_rate_limit_dressed_as_forbidden_is_retried(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA)
    limited = {"error": {"code": 403, "message": "slow down", "errors": [{"reason": "userRateLimitExceeded"}]}}
    organiser.server.fail("/drive/", status=403, body=limited)
    assert len(organiser.poll()) == 1
    assert organiser.server.asked("/drive/") == 2


def test_lasting_failure_ends_after_bounded_retries(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA)
    organiser.poll()
    organiser.write(HEADER, at="2")
    organiser.server.fail("batchGet", status=500, body={}, times=99, headers={"Retry-After": "7"})
    with pytest.raises(TransientError, match="Google answered 500") as caught:
        organiser.poll()
    assert caught.value.retry_after_seconds == 7
    assert organiser.server.asked("batchGet") == 1 + 6
    assert organiser.rows() == [f"{QUIZ}/email:asha@x.in"]


def test_transient_failure_outweighs_a_permanent_one(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA)
    organiser.server.fail("batchGet", status=500, body={}, times=99)
    with pytest.raises(TransientError, match="2 of 2 spreadsheets"):
        organiser.poll(QUIZ, HACKATHON)


half_answers = pytest.mark.parametrize(
    "fault",
    [
        {"cut": 0.5},
        {"cut": 0.0},
        {"body": '{"valueRanges": [{"range": "x", "values": [["S.No.", "Na'},
        {"body": ""},
        {"body": "[]"},
        {"body": {}},
        {"body": {"valueRanges": []}},
        {"body": {"valueRanges": [{}]}},
        {"body": {"valueRanges": [None]}},
        {"body": {"valueRanges": [{"range": "x", "values": "y"}]}},
        {"body": {"valueRanges": [{"range": "x", "values": ["y"]}]}},
    ],
)


@half_answers
def test_half_answer_is_asked_again(organiser: Organiser, fault: dict[str, Any]) -> None:
    organiser.write(HEADER, ASHA)
    organiser.server.fail("batchGet", **fault)
    assert len(organiser.poll()) == 1
    assert organiser.server.asked("batchGet") == 2


@half_answers
def test_lasting_half_answer_never_looks_like_deletes(organiser: Organiser, fault: dict[str, Any]) -> None:
    organiser.write(HEADER, ASHA, RAVI)
    organiser.poll()
    cursors = dict(organiser.lake.cursors)
    organiser.write(HEADER, ASHA, at="2")
    organiser.server.fail("batchGet", times=99, **fault)
    with pytest.raises(TransientError, match=QUIZ):
        organiser.poll()
    assert (len(organiser.rows()), organiser.lake.cursors) == (2, cursors)


@pytest.mark.parametrize("body", ["", "null", {}, {"sheets": 1}, {"sheets": [{}]}, {"sheets": [{"properties": {}}]}])
def test_half_answer_about_the_worksheets_is_asked_again(organiser: Organiser, body: object) -> None:
    organiser.write(HEADER, ASHA)
    organiser.server.fail("includeGridData", body=body)
    assert len(organiser.poll()) == 1


def test_half_answer_of_drive_is_asked_again(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA)
    organiser.server.fail("/drive/", body={"id": QUIZ})
    assert len(organiser.poll()) == 1
    assert organiser.lake.cursors[QUIZ]["modified_time"] == "2025-06-08T00:00:00.000Z"


def test_silent_server_times_out_and_is_retried(server: SheetsServer) -> None:
    organiser = Organiser(server, timeout_seconds=0.2)
    organiser.write(HEADER, ASHA)
    server.fail("batchGet", stall=True)
    assert len(organiser.poll()) == 1


def test_worksheet_renamed_while_it_is_read_is_transient(organiser: Organiser) -> None:
    organiser.write(HEADER, ASHA)
    gone = error_body(400, "Unable to parse range: 'Registrations'")
    organiser.server.fail("batchGet", status=400, body=gone, times=99)
    with pytest.raises(TransientError, match="renamed or removed while it was read"):
        organiser.poll()


def test_every_read_and_retry_counts_against_the_quota(server: SheetsServer) -> None:
    class CountingQuota(ReadQuota):
        count = 0

        def take(self) -> None:
            self.count += 1

    quota = CountingQuota(1)
    organiser = Organiser(server)
    organiser.source = GoogleSheetsSource(
        Settings(), endpoint=server.endpoint, quota=quota, sleep=organiser.waits.append
    )
    organiser.write(HEADER, ASHA)
    server.fail("batchGet", status=503, times=2)
    organiser.poll()
    assert quota.count == server.asked("/v4/") == 4


def test_missing_credentials_name_the_setting(tmp_path: Path) -> None:
    source = GoogleSheetsSource(Settings(sheets=Sheets(credentials_path=tmp_path / "none.json")))
    with pytest.raises(PermanentError, match=r"none\.json cannot be used .*set sheets\.credentials_path"):
        list(source.poll([Spreadsheet(spreadsheet_id=QUIZ)], {}, MemoryLake()))
    assert list(source.poll([], {}, MemoryLake())) == []


def error_body(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": "WHATEVER"}}
